import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Example } from "../data/example.js";
import { HeldOutIndex } from "../similarity/held-out.js";
import { KitError } from "../support/errors.js";
import { readJsonFile, writeFileAtomic } from "../support/files.js";
import { hashJson } from "../support/hash.js";
import { methodByName } from "./methods/index.js";
import type { GenerationLedger } from "./pipeline/ledger.js";
import { type Method, type PipelineEnd, runPipeline } from "./pipeline/pipeline.js";
import { rowsOf } from "./rows.js";
import { Asker, type AskCounts, type RetryPolicy } from "./teacher/asker.js";
import { type Budget, type Prices, Spending, type Usage } from "./teacher/budget.js";
import { type Clock, RateLimiter, type RateLimits } from "./teacher/rate-limit.js";
import { readReplies, ReplyStore } from "./teacher/reply-store.js";
import type { Teacher, TeacherReply } from "./teacher/teacher.js";

export interface GenerateDataOptions {
  /** See `METHODS`. */
  readonly method: string;
  readonly seeds: readonly Example[];
  readonly teacher: Teacher;
  /** Where everything goes; a folder of the same run is gone on with. */
  readonly folder: string;
  /** Tasks that are wanted. */
  readonly count: number;
  readonly seed?: number;
  /** Questions that are asked of one state of the pool (5); this decides the result. */
  readonly questionsPerRound?: number;
  /** Rows that must not come out again. */
  readonly heldOut?: readonly Example[];
  /** A judge scores from 1 to 5, and what has fewer points is rejected. */
  readonly leastScore?: number;
  /** The longest answer, in tokens, where the method's own is longer: for teachers with a short context. */
  readonly maxAnswerTokens?: number;
  /** Rounds in a row without anything kept, after which the run ends (10). */
  readonly patience?: number;
  readonly maxRounds?: number;
  readonly budget?: Budget;
  readonly prices?: Prices;
  readonly limits?: RateLimits;
  /** Questions answered at the same time (4); changes the time alone. */
  readonly concurrency?: number;
  readonly retry?: RetryPolicy;
  /** Folders of other runs whose replies are taken where the questions are the same. */
  readonly reuse?: readonly string[];
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  readonly onRound?: (progress: GenerationProgress) => void;
}

export interface GenerationProgress {
  readonly kept: number;
  readonly count: number;
  readonly rounds: number;
  readonly paid: Usage;
}

/** What came out. */
export interface GeneratedData {
  readonly rows: readonly Example[];
  readonly end: PipelineEnd;
  readonly rounds: number;
  readonly ledger: GenerationLedger;
  readonly questions: AskCounts;
  /** Of the whole run, earlier parts of it included. */
  readonly paid: Usage & { readonly money: number };
}

/** Names of the files of a run. */
export const GENERATION_FILES = {
  rows: "instructions.jsonl",
  rejected: "rejected.jsonl",
  replies: "replies.jsonl",
  manifest: "manifest.json",
} as const;

const NEVER = new AbortController().signal;
/** What holds where nothing is said; questions of a round are as in Self-Instruct. */
export const GENERATION_DEFAULTS = { seed: 0, questionsPerRound: 5, patience: 10, concurrency: 4 } as const;

/**
 * Makes instruction data with a teacher, and writes what was kept (as the kit's own rows), what was rejected and why, all replies,
 * and a manifest. Everything is decided by the seeds, the settings and the replies, in the order of the questions; so a run that
 * was stopped in any way, killed included, goes on from its replies and ends in the same rows, and one that is repeated asks
 * nothing.
 * @throws KitError when the folder holds another run, a file of it is damaged, the seeds or an option do not suit the method, or
 *   replies of another teacher are to be reused
 */
export async function generateData(options: GenerateDataOptions): Promise<GeneratedData> {
  const { folder, teacher, count, prices, signal = NEVER, clock } = options;
  const method = methodOf(options);
  const identity = identityOf(options, method);
  mkdirSync(folder, { recursive: true });
  claimFolder(folder, identity);
  const reusable = (options.reuse ?? []).map((path) => repliesOf(path, teacher));
  const store = new ReplyStore(join(folder, GENERATION_FILES.replies));
  try {
    const spending = new Spending(options.budget ?? {}, prices, store.paid);
    const asker = new Asker({
      teacher,
      store,
      reusable,
      spending,
      limiter: new RateLimiter(options.limits ?? {}, clock),
      concurrency: options.concurrency ?? GENERATION_DEFAULTS.concurrency,
      signal,
      ...(options.retry === undefined ? {} : { retry: options.retry }),
      ...(clock === undefined ? {} : { clock }),
    });
    const stop = {
      count,
      patience: options.patience ?? GENERATION_DEFAULTS.patience,
      maxRounds: options.maxRounds ?? Infinity,
    };
    const result = await runPipeline(
      method,
      withShorterAnswers(asker, options.maxAnswerTokens),
      stop,
      (kept, rounds) => options.onRound?.({ kept, count, rounds, paid: spending.paid }),
    );
    const rows = rowsOf(method, result.kept);
    const { end, rounds } = result;
    const ledger = result.ledger.build();
    const data = { rows, end, rounds, ledger, questions: asker.counts, paid: spending.paid };
    writeResult(folder, identity, data, result.ledger.rejections, teacher);
    return data;
  } finally {
    store.close();
  }
}

/** Asks for answers of a length that the teacher has room for. */
function withShorterAnswers(asker: Pick<Asker, "askAll">, most = Infinity): Pick<Asker, "askAll"> {
  return {
    askAll: (requests) =>
      asker.askAll(requests.map((each) => ({ ...each, maxTokens: Math.min(each.maxTokens, most) }))),
  };
}

function methodOf({
  method,
  seeds,
  seed = GENERATION_DEFAULTS.seed,
  questionsPerRound = GENERATION_DEFAULTS.questionsPerRound,
  heldOut = [],
  leastScore,
}: GenerateDataOptions): Method {
  return methodByName(method, {
    seeds,
    seed,
    questionsPerRound,
    ...(heldOut.length === 0 ? {} : { heldOut: new HeldOutIndex(heldOut) }),
    ...(leastScore === undefined ? {} : { leastScore }),
  });
}

const manifestSchema = z.looseObject({ identity: z.record(z.string(), z.unknown()) });
type Identity = z.infer<typeof manifestSchema>["identity"];

/** All that decides the rows, the number that is wanted and the replies left aside. */
function identityOf(
  {
    seeds,
    seed = GENERATION_DEFAULTS.seed,
    questionsPerRound = GENERATION_DEFAULTS.questionsPerRound,
    heldOut = [],
    leastScore,
    maxAnswerTokens,
    teacher,
  }: GenerateDataOptions,
  { name, source, settings }: Method,
): Identity {
  return {
    method: name,
    source,
    // A setting may hold whatever was given to the method: as JSON it compares with what was stored.
    settings: JSON.parse(JSON.stringify(settings)) as unknown,
    teacher: teacher.name,
    seed,
    questionsPerRound,
    leastScore: leastScore ?? null,
    ...(maxAnswerTokens === undefined ? {} : { maxAnswerTokens }),
    seeds: { rows: seeds.length, hash: hashJson(seeds) },
    heldOut: { rows: heldOut.length, hash: hashJson(heldOut) },
  };
}

/** The replies of another run. @throws KitError for one of another teacher: none of its questions would be the same */
function repliesOf(folder: string, { name }: Teacher): ReadonlyMap<string, TeacherReply> {
  const path = join(folder, GENERATION_FILES.manifest);
  const teacher = existsSync(path)
    ? manifestSchema.safeParse(readJsonFile(path)).data?.identity.teacher
    : undefined;
  if (teacher !== undefined && teacher !== name) {
    throw new KitError(
      `the replies here are of the teacher ${JSON.stringify(teacher)}, and ${JSON.stringify(name)} is asked`,
      "reuse a run of the same teacher (its name is set by --teacher), or leave --reuse out",
      { file: path, field: "reuse" },
    );
  }
  return readReplies(join(folder, GENERATION_FILES.replies));
}

/** Writes down which run this is before anything is asked. @throws KitError when the folder is of another */
function claimFolder(folder: string, identity: Identity): void {
  const path = join(folder, GENERATION_FILES.manifest);
  if (!existsSync(path)) {
    if (existsSync(join(folder, GENERATION_FILES.replies)))
      throw new KitError("there are replies here without a manifest", "give another folder", { file: path });
    writeFileAtomic(path, `${JSON.stringify({ identity }, undefined, 2)}\n`);
    return;
  }
  const known = manifestSchema.safeParse(readJsonFile(path)).data?.identity;
  if (known === undefined)
    throw new KitError("this is no manifest of generated data", "give another folder", { file: path });
  const field = Object.keys({ ...known, ...identity }).find(
    (key) => hashJson(known[key] ?? null) !== hashJson(identity[key] ?? null),
  );
  if (field === undefined) return;
  throw new KitError(
    "the folder holds a run with another value of this field",
    "give another folder, or the same settings; the budget, the limits, the concurrency and --count may change",
    { file: path, field },
  );
}

function writeResult(
  folder: string,
  identity: Identity,
  { rows, ...told }: GeneratedData,
  rejections: readonly object[],
  { withoutSecrets = (text: string): string => text }: Teacher,
): void {
  const write = (name: string, text: string): void =>
    writeFileAtomic(join(folder, name), withoutSecrets(text));
  const lines = (items: readonly object[]): string =>
    items.map((item) => `${JSON.stringify(item)}\n`).join("");
  write(GENERATION_FILES.rows, lines(rows));
  write(GENERATION_FILES.rejected, lines(rejections));
  const manifest = { identity, ...told, rows: { count: rows.length, hash: hashJson(rows) } };
  write(GENERATION_FILES.manifest, `${JSON.stringify(manifest, undefined, 2)}\n`);
}
