import { createHash } from "node:crypto";
import { createReadStream, existsSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { copyFile, open, writeFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Dispatcher, Response } from "undici";
import { KitError, systemErrorCode } from "../../support/errors.js";
import { fileError } from "../../support/files.js";
import { connectionProblem, get, printable } from "./connection.js";
import type { Progress } from "./progress.js";

/** What to fetch and how to know that it is the right thing. */
export interface DownloadRequest {
  readonly address: string;
  /** Where the file goes; while it is not whole it is called `<target>.part`. */
  readonly target: string;
  /** In bytes. */
  readonly size: number;
  /** Of the content. */
  readonly sha256?: string;
  /** Instead of `sha256`: the name of the file's content in git, as a server of git repositories knows small files. */
  readonly gitBlob?: string;
  /** Sent with each request, e.g. who asks. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What to do when the server refuses or sends something else; default: what helps with a package index. */
  readonly advice?: { readonly refused: string; readonly damaged: string; readonly again: string };
  readonly connection: Dispatcher;
  readonly progress?: Progress;
  /** Attempts that may fail one after the other without a single new byte. */
  readonly attempts?: number;
  /** Pause before the second attempt; doubles with each further one. */
  readonly retryDelayMs?: number;
}

/** A failed attempt that may go better the next time. */
class Interrupted extends Error {}

const DISK_PROBLEMS = new Set(["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "EIO", "EISDIR", "EFBIG"]);
const AGAIN = "then run `npx ift-kit setup` again";
const PACKAGE_ADVICE = {
  refused: `check pip's index-url and its permissions, ${AGAIN}`,
  damaged: `check which package index pip uses and whether a proxy changes files, ${AGAIN}`,
  again: AGAIN,
};

/**
 * Downloads a file, going on with what an earlier attempt or an earlier process has left in `<target>.part`, and
 * checks its hash. At the end there is the whole file or none; the part stays for the next attempt.
 * @throws KitError when there is no connection, no such file, a wrong hash or no space
 */
export async function download(request: DownloadRequest): Promise<void> {
  const { target, attempts = 5, retryDelayMs = 1000, progress } = request;
  const part = `${target}.part`;
  mkdirSync(dirname(target), { recursive: true });
  try {
    if (request.address.startsWith("file:")) {
      await copyFile(fileURLToPath(request.address), part);
    } else if (request.size === 0) {
      await writeFile(part, "");
    } else {
      let failures = 0;
      while (sizeOf(part) !== request.size) {
        const before = sizeOf(part);
        try {
          await fetchRest(request, part);
        } catch (error) {
          if (!(error instanceof Interrupted)) throw error;
          failures = sizeOf(part) > before ? 1 : failures + 1;
          if (failures >= attempts) throw lostConnection(request, part, error.message);
          await sleep(retryDelayMs * 2 ** (failures - 1));
        }
      }
    }
  } catch (error) {
    if (error instanceof KitError) throw error;
    throw fileError(part, "written", error);
  } finally {
    progress?.stop();
  }
  await checkHash(request, part);
  renameSync(part, target);
}

/** Appends what is missing in the part, or starts over where the server cannot go on in the middle. */
async function fetchRest(request: DownloadRequest, part: string): Promise<void> {
  if (sizeOf(part) > request.size) rmSync(part);
  const have = sizeOf(part);
  let response: Response;
  try {
    const range: Record<string, string> = have > 0 ? { range: `bytes=${have}-` } : {};
    const headers = { ...request.headers, ...range, "accept-encoding": "identity" };
    response = await get(request.address, headers, request.connection);
  } catch (error) {
    throw new Interrupted(connectionProblem(error));
  }
  const goesOn = response.status === 206 && startOf(response) === have;
  if (!goesOn && response.status !== 200) {
    await response.body?.cancel();
    if (response.status === 416 || response.status === 206) {
      rmSync(part, { force: true });
      throw new Interrupted(`the server answers ${response.status} to a request for the rest`);
    }
    if (response.status === 429 || response.status >= 500) {
      throw new Interrupted(`the server answers ${response.status}`);
    }
    throw new KitError(
      `${printable(request.address)} answers ${response.status}`,
      (request.advice ?? PACKAGE_ADVICE).refused,
    );
  }
  if (response.body === null) throw new Interrupted("the server sends nothing");
  await append(response.body, part, goesOn ? have : 0, request);
  if (sizeOf(part) < request.size) throw new Interrupted("the server sends less than the whole file");
}

async function append(
  body: NonNullable<Response["body"]>,
  part: string,
  start: number,
  { size, progress }: DownloadRequest,
): Promise<void> {
  // Chunk by chunk, so that what has come before a cut connection is on the disk.
  const file = await open(part, start > 0 ? "a" : "w");
  let received = start;
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      await file.writeFile(chunk);
      received += chunk.length;
      progress?.update(Math.min(received, size));
    }
  } catch (error) {
    if (DISK_PROBLEMS.has(systemErrorCode(error) ?? "")) throw fileError(part, "written", error);
    throw new Interrupted(connectionProblem(error));
  } finally {
    await file.close();
  }
}

async function checkHash(
  { address, size, sha256, gitBlob, advice }: DownloadRequest,
  part: string,
): Promise<void> {
  // Git puts the kind and the size before the content: `git hash-object`.
  const hash = sha256 === undefined ? createHash("sha1").update(`blob ${size}\0`) : createHash("sha256");
  await pipeline(createReadStream(part), hash);
  const found = hash.digest("hex");
  const expected = sha256 ?? gitBlob ?? "";
  if (found === expected) return;
  rmSync(part, { force: true });
  throw new KitError(
    `${basename(part, ".part")} from ${printable(address)} has the wrong content (${sha256 === undefined ? "SHA-1" : "SHA-256"} ${found.slice(0, 16)}..., expected ${expected.slice(0, 16)}...); it was deleted`,
    (advice ?? PACKAGE_ADVICE).damaged,
  );
}

function lostConnection({ address, size, advice }: DownloadRequest, part: string, problem: string): KitError {
  const done = Math.round(sizeOf(part) / 1e6);
  return new KitError(
    `the download of ${printable(address)} stopped after ${done} of ${Math.round(size / 1e6)} MB: ${problem}`,
    `check the network and the proxy, ${(advice ?? PACKAGE_ADVICE).again}; it goes on where it stopped`,
  );
}

function startOf(response: Response): number | undefined {
  const start = /^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1];
  return start === undefined ? undefined : Number(start);
}

function sizeOf(path: string): number {
  return existsSync(path) ? statSync(path).size : 0;
}
