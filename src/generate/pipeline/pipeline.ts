import type { Example } from "../../data/example.js";
import { type Asker, RunStopped, type StopReason } from "../teacher/asker.js";
import type { TeacherReply, TeacherRequest } from "../teacher/teacher.js";
import { type Draft, type Outcome, type Reason, textOfInstance } from "./draft.js";
import { LedgerBook } from "./ledger.js";

/** What a reply to a proposal holds: a task without its number, or something that is none and why. */
export type Proposed =
  | { readonly kind: "draft"; readonly draft: Omit<Draft, "id"> }
  | { readonly kind: "rejected"; readonly reason: Reason; readonly text: string };

/** A question whose reply holds tasks. */
export interface Proposal {
  readonly request: TeacherRequest;
  /** Never throws, whatever the reply is. */
  readonly read: (reply: TeacherReply) => readonly Proposed[];
}

/**
 * A station behind the proposals.
 * - `filter` looks at one draft alone;
 * - `dedupe` remembers what it let pass, in the order of the drafts;
 * - `answer` and `judge` ask the teacher about a draft; without a question they let it pass.
 */
export type Step =
  | {
      readonly kind: "filter" | "dedupe";
      readonly name: string;
      readonly check: (draft: Draft) => Outcome;
    }
  | {
      readonly kind: "answer" | "judge";
      readonly name: string;
      readonly request: (draft: Draft) => TeacherRequest | undefined;
      /** Never throws, whatever the reply is. */
      readonly read: (reply: TeacherReply, draft: Draft) => Outcome;
    };

/** A way of making instruction data. */
export interface Method {
  readonly name: string;
  /** The paper or project that it is from. */
  readonly source: string;
  /** All that decides its questions besides the seeds; it goes into the manifest. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The questions of the next round; undefined when there is nothing more to ask. */
  readonly propose: (round: number) => readonly Proposal[] | undefined;
  readonly steps: readonly Step[];
  /** Is told of the drafts of a round that were kept, in their order. */
  readonly onKept?: (draft: Draft) => void;
  /** Makes rows of what was kept, where they are not simply its instances. */
  readonly rows?: (kept: readonly Draft[]) => Example[];
}

/** When a run ends. */
export interface StopConditions {
  /** Tasks that are wanted. */
  readonly count: number;
  /** Rounds in a row in which nothing is kept, after which the teacher is given up. */
  readonly patience: number;
  /** The most rounds. */
  readonly maxRounds: number;
}

/** Why a pipeline ended: one of its stop conditions, or what stopped it from outside. */
export type PipelineEnd = { readonly kind: "count" | "exhausted" | "patience" | "max-rounds" } | StopReason;

export interface PipelineResult {
  readonly end: PipelineEnd;
  /** Whole rounds. */
  readonly rounds: number;
  readonly kept: readonly Draft[];
  readonly ledger: LedgerBook;
}

/**
 * Runs a method round by round. Within a round all questions of a station are asked together, and their replies are taken in
 * the order of the questions: what comes out does not depend on which reply came first, nor on the concurrency. A run that is
 * stopped gives the rounds before; asked again with the same store, it goes through the same rounds and on.
 */
export async function runPipeline(
  method: Method,
  asker: Pick<Asker, "askAll">,
  stop: StopConditions,
  onRound: (kept: number, round: number) => void = () => undefined,
): Promise<PipelineResult> {
  const kept: Draft[] = [];
  const ledger = new LedgerBook();
  let idle = 0;
  for (let round = 0; ; round++) {
    const end = endBefore(round, kept.length, idle, stop);
    if (end !== undefined) return { end, rounds: round, kept, ledger };
    const proposals = method.propose(round);
    if (proposals === undefined) return { end: { kind: "exhausted" }, rounds: round, kept, ledger };
    // Of a round that is stopped in its middle nothing is booked.
    const book = new LedgerBook();
    let passed: Draft[];
    try {
      passed = await runRound(method, asker, proposals, round, book);
    } catch (error) {
      if (error instanceof RunStopped) return { end: error.reason, rounds: round, kept, ledger };
      throw error;
    }
    const before = kept.length;
    for (const draft of passed) {
      if (kept.length >= stop.count) rejectTask(draft, { step: "count", reason: "not-needed" }, book);
      else {
        book.keep("tasks");
        book.keep("instances", draft.instances.length);
        book.keep("paraphrases", draft.paraphrases.length);
        kept.push(draft);
        method.onKept?.(draft);
      }
    }
    ledger.add(book);
    idle = kept.length > before ? 0 : idle + 1;
    onRound(kept.length, round + 1);
  }
}

function endBefore(
  round: number,
  kept: number,
  idle: number,
  { count, patience, maxRounds }: StopConditions,
): PipelineEnd | undefined {
  if (kept >= count) return { kind: "count" };
  if (idle >= patience) return { kind: "patience" };
  return round >= maxRounds ? { kind: "max-rounds" } : undefined;
}

/** The drafts that came through all steps. */
async function runRound(
  method: Method,
  asker: Pick<Asker, "askAll">,
  proposals: readonly Proposal[],
  round: number,
  book: LedgerBook,
): Promise<Draft[]> {
  const replies = await asker.askAll(proposals.map(({ request }) => request));
  let drafts = proposals.flatMap((proposal, question) => {
    const reply = replies[question];
    const proposed = reply === undefined ? [] : proposal.read(reply);
    return proposed.flatMap((item, place): Draft[] => {
      const id = `${round + 1}-${question + 1}-${place + 1}`;
      book.propose("tasks");
      if (item.kind === "rejected") {
        book.reject({ id, level: "tasks", step: "propose", reason: item.reason, text: item.text });
        return [];
      }
      book.propose("instances", item.draft.instances.length);
      book.propose("paraphrases", item.draft.paraphrases.length);
      return [{ id, ...item.draft }];
    });
  });
  for (const step of method.steps) {
    const outcomes = await outcomesOf(step, drafts, asker);
    drafts = drafts.flatMap((draft, index) => {
      const outcome = outcomes[index];
      return outcome === undefined ? [] : bookOutcome(draft, outcome, step.name, book);
    });
  }
  return drafts;
}

async function outcomesOf(
  step: Step,
  drafts: readonly Draft[],
  asker: Pick<Asker, "askAll">,
): Promise<Outcome[]> {
  if ("check" in step) return drafts.map((draft) => step.check(draft));
  const asked = drafts.map((draft) => step.request(draft));
  const replies = await asker.askAll(asked.flatMap((request) => request ?? []));
  let next = 0;
  return drafts.map((draft, index): Outcome => {
    const reply = asked[index] === undefined ? undefined : replies[next++];
    return reply === undefined ? { kind: "kept", draft } : step.read(reply, draft);
  });
}

function bookOutcome(draft: Draft, outcome: Outcome, step: string, book: LedgerBook): Draft[] {
  const { proposed = {}, rejected = [] } = outcome;
  book.propose("instances", proposed.instances ?? 0);
  book.propose("paraphrases", proposed.paraphrases ?? 0);
  for (const part of rejected) book.reject({ id: draft.id, step, ...part });
  if (outcome.kind === "kept") return [outcome.draft];
  // The parts that the step itself rejected are booked; the others fall with their task.
  const told = new Set(rejected.map(({ text }) => text));
  const instances = draft.instances.filter((instance) => !told.has(textOfInstance(instance)));
  rejectTask({ ...draft, instances }, { step, reason: outcome.reason }, book);
  return [];
}

function rejectTask(
  { id, instruction, instances, paraphrases }: Draft,
  { step, reason }: { readonly step: string; readonly reason: Reason },
  book: LedgerBook,
): void {
  book.reject({ id, level: "tasks", step, reason, text: instruction });
  const fallen = { id, step, reason: "of-a-rejected-task" } as const;
  for (const instance of instances)
    book.reject({ ...fallen, level: "instances", text: textOfInstance(instance) });
  for (const text of paraphrases) book.reject({ ...fallen, level: "paraphrases", text });
}
