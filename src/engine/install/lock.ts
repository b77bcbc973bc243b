import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { systemErrorCode } from "../../support/errors.js";
import { fileError } from "../../support/files.js";

/** How a lock is waited for; the defaults suit set-up, tests shorten them. */
export interface LockOptions {
  readonly pollMs?: number;
  /** A holder on another machine that has not renewed its lock for so long is taken for dead. */
  readonly staleMs?: number;
  /** Called once, when another process holds the lock. */
  readonly onWait?: (holder: string) => void;
}

interface Holder {
  readonly pid: number;
  readonly host: string;
}

/**
 * Runs `work` while this process alone holds the lock file. A lock whose holder has died is taken over.
 * @throws KitError when the lock file cannot be written
 */
export async function withLock<Result>(
  path: string,
  work: () => Promise<Result>,
  { pollMs = 300, staleMs = 60_000, onWait }: LockOptions = {},
): Promise<Result> {
  let waited = false;
  while (!acquire(path)) {
    const holder = holderOf(path);
    if (isDead(path, holder, staleMs)) {
      takeAway(path);
      continue;
    }
    if (!waited)
      onWait?.(holder === undefined ? "another process" : `process ${holder.pid} on ${holder.host}`);
    waited = true;
    await sleep(pollMs);
  }
  const release = (): void => rmSync(path, { force: true });
  const renewal = setInterval(() => renew(path), staleMs / 6);
  renewal.unref();
  process.once("exit", release);
  try {
    return await work();
  } finally {
    clearInterval(renewal);
    process.removeListener("exit", release);
    release();
  }
}

function acquire(path: string): boolean {
  const holder: Holder = { pid: process.pid, host: hostname() };
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, JSON.stringify(holder), { flag: "wx" });
    return true;
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST") return false;
    throw fileError(path, "written", error);
  }
}

function holderOf(path: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof value !== "object" || value === null || !("pid" in value) || !("host" in value))
      return undefined;
    const { pid, host } = value;
    return typeof pid === "number" && typeof host === "string" ? { pid, host } : undefined;
  } catch {
    return undefined;
  }
}

function isDead(path: string, holder: Holder | undefined, staleMs: number): boolean {
  if (holder?.host === hostname()) return !isAlive(holder.pid);
  try {
    return Date.now() - statSync(path).mtimeMs > staleMs;
  } catch {
    return false; // Released just now: the next attempt decides.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) === "EPERM";
  }
}

/** Moves a dead lock away first, so that of two processes that find it only one removes it. */
function takeAway(path: string): void {
  const aside = `${path}.${randomBytes(4).toString("hex")}`;
  try {
    renameSync(path, aside);
    rmSync(aside, { force: true });
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw fileError(path, "written", error);
  }
}

function renew(path: string): void {
  try {
    const now = new Date();
    utimesSync(path, now, now);
  } catch {
    // Somebody removed the file: the work goes on, the atomic renames keep the result whole.
  }
}
