import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import { z } from "zod";
import { KitError, messageOf, systemErrorCode } from "../../support/errors.js";
import { fileError } from "../../support/files.js";

/** Version of the tables; a store of another version is refused. */
export const STORE_VERSION = 1;

/** Milliseconds that a statement waits for another process that writes. */
const BUSY_TIMEOUT = 20_000;

/**
 * - `runs`: one line for each run by its content address. `result_hash` is of the file with its result; it is set in the
 *   same transaction that ends the claim, after the file was written, so that a line never says more than what is there.
 *   A claim is a token, who holds it and until when it counts without being renewed.
 * - `attempts`: what became of each start of a run.
 * - `plans`, `plan_runs`: which runs a plan asks for, under which names and levels.
 * Times are milliseconds since 1970, durations seconds.
 */
const TABLES = `
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS runs (
    key TEXT PRIMARY KEY,
    suite TEXT NOT NULL,
    seed INTEGER NOT NULL,
    specification TEXT NOT NULL,
    result_hash TEXT,
    training_seconds REAL,
    flops REAL,
    claim_token TEXT,
    claim_owner TEXT,
    claim_until INTEGER,
    progress REAL NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE IF NOT EXISTS attempts (
    key TEXT NOT NULL REFERENCES runs (key),
    token TEXT NOT NULL UNIQUE,
    host TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    outcome TEXT CHECK (outcome IN ('finished', 'failed', 'stopped', 'lost')),
    reason TEXT
  ) STRICT;
  CREATE INDEX IF NOT EXISTS attempts_of_run ON attempts (key);
  CREATE TABLE IF NOT EXISTS plans (
    name TEXT PRIMARY KEY,
    plan TEXT NOT NULL,
    stored_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS plan_runs (
    plan TEXT NOT NULL REFERENCES plans (name),
    position INTEGER NOT NULL,
    key TEXT NOT NULL REFERENCES runs (key),
    id TEXT NOT NULL,
    arm TEXT NOT NULL,
    levels TEXT NOT NULL,
    PRIMARY KEY (plan, position)
  ) STRICT;
`;

type Parameter = string | number | null;

/** The SQLite file of a store: statements with checked rows, and errors that say what to do. */
export class StoreDatabase {
  readonly path: string;
  /** Whether the file was made just now. */
  readonly isNew: boolean;
  readonly #database: Database.Database;

  /**
   * Opens the file or makes it. What a killed process had begun to write is undone here by SQLite.
   * @throws KitError when the folder cannot be written, or the file is damaged or of another version
   */
  constructor(directory: string) {
    this.path = join(directory, "runs.sqlite");
    try {
      mkdirSync(directory, { recursive: true });
    } catch (error) {
      throw fileError(directory, "written", error);
    }
    this.isNew = !existsSync(this.path);
    try {
      this.#database = new Database(this.path, { timeout: BUSY_TIMEOUT });
      this.#prepare();
    } catch (error) {
      throw this.#explained(error);
    }
  }

  /** The rows of a query, each checked. */
  all<Row>(schema: z.ZodType<Row>, sql: string, ...parameters: readonly Parameter[]): Row[] {
    try {
      return this.#database
        .prepare(sql)
        .all(...parameters)
        .map((row) => schema.parse(row));
    } catch (error) {
      throw this.#explained(error);
    }
  }

  /** The first row of a query, or undefined where there is none. */
  get<Row>(schema: z.ZodType<Row>, sql: string, ...parameters: readonly Parameter[]): Row | undefined {
    return this.all(schema, sql, ...parameters)[0];
  }

  /** Does a statement and says how many rows it changed. */
  run(sql: string, ...parameters: readonly Parameter[]): number {
    try {
      return this.#database.prepare(sql).run(...parameters).changes;
    } catch (error) {
      throw this.#explained(error);
    }
  }

  /** Does all of the work or nothing of it, with no other writer in between. */
  transaction<Result>(work: () => Result): Result {
    this.#exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#exec("COMMIT");
      return result;
    } catch (error) {
      if (this.#database.inTransaction) this.#exec("ROLLBACK");
      throw error;
    }
  }

  close(): void {
    this.#database.close();
  }

  #exec(sql: string): void {
    try {
      this.#database.exec(sql);
    } catch (error) {
      throw this.#explained(error);
    }
  }

  #prepare(): void {
    // A write-ahead log: readers do not wait for a writer, and a commit is there as a whole or not at all.
    this.#database.pragma("journal_mode = WAL");
    this.#database.pragma("synchronous = FULL");
    this.#database.pragma("foreign_keys = ON");
    this.transaction(() => {
      this.#database.exec(TABLES);
      this.#database
        .prepare("INSERT OR IGNORE INTO meta (name, value) VALUES ('version', ?)")
        .run(String(STORE_VERSION));
    });
    const found = this.get(
      z.object({ value: z.string() }),
      "SELECT value FROM meta WHERE name = 'version'",
    )?.value;
    if (found === String(STORE_VERSION)) return;
    throw new KitError(
      `a store of version ${found ?? "unknown"}, this kit reads ${STORE_VERSION}`,
      "give another folder with --store, or use the kit that made it",
      { file: this.path },
    );
  }

  #explained(error: unknown): unknown {
    const code = systemErrorCode(error) ?? "";
    if (!code.startsWith("SQLITE_")) return error;
    const [problem, cure] = /^SQLITE_(CORRUPT|NOTADB)/.test(code)
      ? [
          "the database of the store is damaged",
          "move runs.sqlite, runs.sqlite-wal and runs.sqlite-shm away and run the same command again: the finished runs are read from the files in results/",
        ]
      : /^SQLITE_(BUSY|LOCKED)/.test(code)
        ? [
            "another process has held the store for too long",
            "end that process and run the same command again",
          ]
        : /^SQLITE_(FULL|IOERR)/.test(code)
          ? ["the store cannot be written", "free some space on its disk and run the same command again"]
          : /^SQLITE_(CANTOPEN|READONLY|PERM)/.test(code)
            ? ["the store cannot be opened", "change the permissions of its folder, or give another one"]
            : [`the store failed (${code}: ${messageOf(error)})`, "give another folder with --store"];
    return new KitError(problem, cure, { file: this.path }, { cause: error });
  }
}
