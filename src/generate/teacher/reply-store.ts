import { closeSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { fileError } from "../../support/files.js";
import { KitError, systemErrorCode } from "../../support/errors.js";
import { hashJson } from "../../support/hash.js";
import type { Usage } from "./budget.js";
import type { TeacherReply, TeacherRequest } from "./teacher.js";

const storedSchema = z.object({
  key: z.string().regex(/^[0-9a-f]{64}$/),
  reply: z.object({
    text: z.string(),
    ending: z.enum(["stop", "length", "refused", "not-taken"]),
    promptTokens: z.int().min(0),
    answerTokens: z.int().min(0),
    estimated: z.literal(true).optional(),
  }),
  /** It came from the store of another run, and cost nothing in this one. */
  reused: z.literal(true).optional(),
});

type StoredReply = z.infer<typeof storedSchema>;

/** The content address of a question to a teacher: equal questions to the same one have one answer. */
export function requestKey(teacher: string, request: TeacherRequest): string {
  return hashJson({ teacher, request });
}

/**
 * The replies of a run, by the address of their question: a file of JSON lines that only grows. A line is on the disk before
 * its reply is used, so a run that is killed goes on from what was answered, and a repeated one asks nothing. What a kill left
 * of the last line is cut off when the file is opened again; any other damage is an error.
 */
export class ReplyStore {
  readonly path: string;
  readonly #replies = new Map<string, StoredReply>();
  readonly #descriptor: number;

  /** @throws KitError when the file cannot be read or written, or a line before the last is damaged */
  constructor(path: string) {
    this.path = path;
    const whole = readLines(path, (stored) => this.#replies.set(stored.key, stored));
    try {
      mkdirSync(dirname(path), { recursive: true });
      this.#descriptor = openSync(path, "a");
      ftruncateSync(this.#descriptor, whole);
    } catch (error) {
      throw fileError(path, "written", error);
    }
  }

  /** How many replies there are. */
  get size(): number {
    return this.#replies.size;
  }

  get(key: string): TeacherReply | undefined {
    return this.#replies.get(key)?.reply;
  }

  /** What was paid for in this run, replies that were reused left out. */
  get paid(): Usage {
    const replies = [...this.#replies.values()].filter(({ reused }) => reused === undefined);
    return {
      promptTokens: replies.reduce((sum, { reply }) => sum + reply.promptTokens, 0),
      answerTokens: replies.reduce((sum, { reply }) => sum + reply.answerTokens, 0),
    };
  }

  /** Keeps a reply, on the disk before it returns. @throws KitError when the disk is full */
  add(key: string, reply: TeacherReply, { reused = false } = {}): void {
    const stored: StoredReply = { key, reply: { ...reply }, ...(reused ? { reused } : {}) };
    const bytes = Buffer.from(`${JSON.stringify(stored)}\n`);
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(this.#descriptor, bytes, at);
      fsyncSync(this.#descriptor);
    } catch (error) {
      throw fileError(this.path, "written", error);
    }
    this.#replies.set(key, stored);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** The replies of another run, to be reused. @throws KitError when the file is missing or damaged */
export function readReplies(path: string): ReadonlyMap<string, TeacherReply> {
  const replies = new Map<string, TeacherReply>();
  if (readLines(path, ({ key, reply }) => replies.set(key, reply)) === 0)
    throw new KitError("there are no replies here", "give the folder of an earlier run", { file: path });
  return replies;
}

/** Reads whole lines; returns the number of bytes that they take. A last line without an end is left out. */
function readLines(path: string, take: (stored: StoredReply) => void): number {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return 0;
    throw fileError(path, "read", error);
  }
  const whole = bytes.lastIndexOf("\n") + 1;
  let start = 0;
  for (let line = 1; start < whole; line++) {
    const end = bytes.indexOf("\n", start);
    const stored = parseLine(bytes.toString("utf8", start, end));
    if (stored === undefined) {
      throw new KitError("this is not a reply of a teacher", "remove the line; its question is asked again", {
        file: path,
        line,
      });
    }
    take(stored);
    start = end + 1;
  }
  return whole;
}

function parseLine(text: string): StoredReply | undefined {
  try {
    return storedSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
