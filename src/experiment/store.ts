import { createHash, randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { KitError } from "../support/errors.js";
import { writeFileAtomic } from "../support/files.js";
import type { RunResult, RunSpecification } from "./result.js";
import { StoreDatabase } from "./store/database.js";
import { runKey } from "./store/key.js";
import { isDead, processIdentity, processIdentitySchema } from "./store/process-identity.js";
import { readRunResult } from "./store/result-file.js";
import { type DecidingSources, decidingSources } from "./store/sources.js";
import { suiteByName } from "./suites.js";

/** The right to do a run: nobody else does it while the claim is renewed. */
export interface RunClaim {
  readonly key: string;
  readonly token: string;
}

/** Where a run of a store stands. */
export type RunState =
  | { readonly kind: "waiting" }
  /** At work; `progress` is the share that is done, 0 to 1. */
  | { readonly kind: "claimed"; readonly host: string; readonly pid: number; readonly progress: number }
  | { readonly kind: "finished" }
  /** `at` is in milliseconds since 1970. */
  | { readonly kind: "failed"; readonly reason: string; readonly at: number };

/** How an attempt ended that left no result. */
export type AttemptEnd =
  { readonly outcome: "stopped" } | { readonly outcome: "failed" | "lost"; readonly reason: string };

/** How long a claim counts that its holder does not renew, in milliseconds. */
export const CLAIM_LIFE = 60_000;

const claimRow = z.object({
  result_hash: z.string().nullable(),
  claim_token: z.string().nullable(),
  claim_owner: z.string().nullable(),
  claim_until: z.number().nullable(),
  progress: z.number(),
});
type ClaimRow = z.infer<typeof claimRow>;
const CLAIM_COLUMNS = "result_hash, claim_token, claim_owner, claim_until, progress";
const attemptRow = z.object({ outcome: z.string(), reason: z.string().nullable(), ended_at: z.number() });

/**
 * The runs of experiments: an SQLite database (`runs.sqlite`) of what was asked for, by whom it is being done and how it
 * ended, with a JSON file for each result (`results/<key>.json`) and a folder for each run at work (`work/`). A run is
 * found by its content address, a hash of all that decides its numbers, so that any experiment that asks for it again
 * has it at once. Several processes may use one store; it must be on a disk of this machine, because SQLite's log does
 * not work on network file systems.
 */
export class RunStore {
  readonly directory: string;
  readonly database: StoreDatabase;
  readonly #sources = new Map<string, DecidingSources>();

  /** @throws KitError when the folder cannot be made, or the database is damaged or of another version */
  constructor(directory: string) {
    this.directory = directory;
    this.database = new StoreDatabase(directory);
    if (this.database.isNew) this.#adoptResults();
  }

  /** The code that decides the results of a suite, as it was when this store was opened. */
  sourcesOf(suite: string): DecidingSources {
    const known = this.#sources.get(suite) ?? decidingSources(suiteByName(suite).entry);
    this.#sources.set(suite, known);
    return known;
  }

  /** The content address of a run: what is asked for (without its names), the code, and the engine of this machine. */
  key(specification: RunSpecification): string {
    return runKey(specification, this.sourcesOf(specification.suite));
  }

  /** The folder for the run's own files, such as a checkpoint to go on from. */
  workFolder(key: string): string {
    return join(this.directory, "work", key.slice(0, 16));
  }

  resultPath(key: string): string {
    return join(this.directory, "results", `${key}.json`);
  }

  /** The result of this very run under the names given, or undefined when it has not finished under this code. */
  find(specification: RunSpecification): RunResult | undefined {
    const result = this.resultOf(this.key(specification));
    if (result === undefined) return undefined;
    return { ...result, arm: specification.arm, specification: { ...specification } };
  }

  /** The result with this content address, or undefined when there is none, or its file is not what was written. */
  resultOf(key: string): RunResult | undefined {
    const row = this.#claimRow(key);
    if (typeof row?.result_hash !== "string") return undefined;
    const path = this.resultPath(key);
    if (existsSync(path) && sha256OfFile(path) === row.result_hash) return readRunResult(path);
    // Damaged or removed: the run is done again.
    this.database.run(
      "UPDATE runs SET result_hash = NULL WHERE key = ? AND result_hash = ?",
      key,
      row.result_hash,
    );
    return undefined;
  }

  /** Writes down what is to be done, for runs that the store does not know. */
  register(specifications: readonly RunSpecification[]): void {
    const sql = "INSERT OR IGNORE INTO runs (key, suite, seed, specification) VALUES (?, ?, ?, ?)";
    this.database.transaction(() => {
      for (const specification of specifications) {
        const { suite, seed } = specification;
        this.database.run(sql, this.key(specification), suite, seed, JSON.stringify(specification));
      }
    });
  }

  state(key: string): RunState {
    const row = this.#claimRow(key);
    if (row === undefined) return { kind: "waiting" };
    if (row.result_hash !== null) return { kind: "finished" };
    const owner = liveOwner(row);
    if (owner !== undefined) {
      return { kind: "claimed", host: owner.host, pid: owner.pid, progress: row.progress };
    }
    const last = this.database.get(
      attemptRow,
      "SELECT outcome, reason, ended_at FROM attempts WHERE key = ? AND ended_at IS NOT NULL ORDER BY rowid DESC LIMIT 1",
      key,
    );
    return last?.outcome === "failed"
      ? { kind: "failed", reason: last.reason ?? "", at: last.ended_at }
      : { kind: "waiting" };
  }

  /**
   * Takes a registered run, unless it is finished or another process has it. A claim whose holder has died, or has not
   * renewed it in time, is taken over.
   */
  claim(key: string): RunClaim | undefined {
    return this.database.transaction(() => {
      const row = this.#claimRow(key);
      if (row?.result_hash !== null || liveOwner(row) !== undefined) return undefined;
      if (row.claim_token !== null) this.#endAttempt(row.claim_token, "lost", "its process ended");
      const token = randomUUID();
      const owner = processIdentity();
      this.database.run(
        "UPDATE runs SET claim_token = ?, claim_owner = ?, claim_until = ?, progress = 0 WHERE key = ?",
        token,
        JSON.stringify([owner]),
        Date.now() + CLAIM_LIFE,
        key,
      );
      this.database.run(
        "INSERT INTO attempts (key, token, host, started_at) VALUES (?, ?, ?, ?)",
        key,
        token,
        owner.host,
        Date.now(),
      );
      return { key, token };
    });
  }

  /** Says that another process of this machine does the run: the claim then holds while one of the two lives. */
  shareClaim({ key, token }: RunClaim, worker: number): void {
    this.database.run(
      "UPDATE runs SET claim_owner = ? WHERE key = ? AND claim_token = ?",
      JSON.stringify([processIdentity(), processIdentity(worker)]),
      key,
      token,
    );
  }

  /**
   * Renews a claim.
   * @param progress share of the run that is done, 0 to 1
   * @returns false when another process has taken the run over: then it is not to be gone on with
   */
  renew({ key, token }: RunClaim, progress: number): boolean {
    const changed = this.database.run(
      "UPDATE runs SET claim_until = ?, progress = ? WHERE key = ? AND claim_token = ?",
      Date.now() + CLAIM_LIFE,
      progress,
      key,
      token,
    );
    return changed === 1;
  }

  /**
   * Stores the result and ends the claim. The file is whole on the disk before the database says that it is there.
   * @returns false when another process has taken the run over; nothing was stored then
   * @throws KitError when the result is of another run, or the disk is full
   */
  finish(claim: RunClaim, result: RunResult): boolean {
    if (result.key !== claim.key) {
      throw new KitError("the result is of another run", "run the experiment again", {
        file: this.resultPath(claim.key),
      });
    }
    const text = `${JSON.stringify(result)}\n`;
    writeFileAtomic(this.resultPath(claim.key), text);
    const finished = this.database.transaction(() => {
      const { seconds, flops } = result.training;
      const changed = this.database.run(
        "UPDATE runs SET result_hash = ?, training_seconds = ?, flops = ?, claim_token = NULL, claim_owner = NULL, claim_until = NULL, progress = 1 WHERE key = ? AND claim_token = ?",
        createHash("sha256").update(text).digest("hex"),
        seconds,
        flops,
        claim.key,
        claim.token,
      );
      if (changed === 1) this.#endAttempt(claim.token, "finished", null);
      return changed === 1;
    });
    if (finished) rmSync(this.workFolder(claim.key), { recursive: true, force: true });
    return finished;
  }

  /** Gives a run back that was not finished, and says why. */
  giveUp({ key, token }: RunClaim, end: AttemptEnd): void {
    this.database.transaction(() => {
      this.#endAttempt(token, end.outcome, "reason" in end ? end.reason : null);
      this.database.run(
        "UPDATE runs SET claim_token = NULL, claim_owner = NULL, claim_until = NULL WHERE key = ? AND claim_token = ?",
        key,
        token,
      );
    });
  }

  close(): void {
    this.database.close();
  }

  #claimRow(key: string): ClaimRow | undefined {
    return this.database.get(claimRow, `SELECT ${CLAIM_COLUMNS} FROM runs WHERE key = ?`, key);
  }

  #endAttempt(token: string, outcome: AttemptEnd["outcome"] | "finished", reason: string | null): void {
    this.database.run(
      "UPDATE attempts SET ended_at = ?, outcome = ?, reason = ? WHERE token = ? AND ended_at IS NULL",
      Date.now(),
      outcome,
      reason,
      token,
    );
  }

  /** Reads the results beside a database that is new, because it was lost or the files were brought from elsewhere. */
  #adoptResults(): void {
    const folder = join(this.directory, "results");
    if (!existsSync(folder)) return;
    for (const name of readdirSync(folder).filter((file) => file.endsWith(".json"))) {
      const path = join(folder, name);
      const result = tolerantly(() => readRunResult(path));
      if (result === undefined || `${result.key}.json` !== name) continue;
      const { key, suite, seed, specification, training } = result;
      this.database.run(
        "INSERT OR IGNORE INTO runs (key, suite, seed, specification, result_hash, training_seconds, flops, progress) VALUES (?, ?, ?, ?, ?, ?, ?, 1)",
        key,
        suite,
        seed,
        JSON.stringify(specification),
        sha256OfFile(path),
        training.seconds,
        training.flops,
      );
    }
  }
}

/** Who holds a claim that counts; of a shared claim the worker. Undefined when nobody does. */
function liveOwner({
  claim_token,
  claim_owner,
  claim_until,
}: ClaimRow): { host: string; pid: number } | undefined {
  if (claim_token === null || claim_owner === null) return undefined;
  if ((claim_until ?? 0) < Date.now()) return undefined;
  const owners = z.array(processIdentitySchema).parse(JSON.parse(claim_owner));
  return owners.every(isDead) ? undefined : owners.at(-1);
}

function sha256OfFile(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

function tolerantly<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof KitError) return undefined; // no whole result: the run is done again
    throw error;
  }
}
