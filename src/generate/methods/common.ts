import type { Example } from "../../data/example.js";
import type { HeldOutIndex } from "../../similarity/held-out.js";
import { KitError } from "../../support/errors.js";
import { Random } from "../../support/random.js";
import type { Draft } from "../pipeline/draft.js";
import type { TeacherReply, TeacherRequest } from "../teacher/teacher.js";
import type { Proposal, Proposed } from "../pipeline/pipeline.js";
import { rejected, wholeReplyProblem } from "../pipeline/reply-text.js";

/** What all methods are given. */
export interface MethodOptions {
  /** Rows to begin with; what they must have depends on the method. */
  readonly seeds: readonly Example[];
  /** Of all that is drawn: seeds shown, operations, the teacher's own seeds. */
  readonly seed: number;
  /** Questions of a round; they are asked of one state of the pool, so this decides the result (and concurrency does not). */
  readonly questionsPerRound: number;
  /** Rows that must not come out again. */
  readonly heldOut?: HeldOutIndex;
  /** A judge scores what is left from 1 to 5, and what has fewer points is rejected. */
  readonly leastScore?: number;
}

/** A seed with an instruction. */
export type Seed = Example & { readonly instruction: string };

/** The questions of a round that could go on for ever. @param make from what tells the question from all others */
export function questionsOf(
  { questionsPerRound }: MethodOptions,
  round: number,
  make: (label: string) => Proposal,
): Proposal[] {
  return Array.from({ length: questionsPerRound }, (_, question) => make(`${round}/${question}`));
}

/** The items that a round asks about, each once; undefined when all have had their turn. */
export function turnOf<Item>(
  items: readonly Item[],
  { questionsPerRound }: MethodOptions,
  round: number,
): Item[] | undefined {
  const turn = items.slice(round * questionsPerRound, (round + 1) * questionsPerRound);
  return turn.length === 0 ? undefined : turn;
}

/** A question of one message. */
export function ask(content: string, settings: Omit<TeacherRequest, "messages">): TeacherRequest {
  return { messages: [{ role: "user", content }], ...settings };
}

/** How answers are given where they must be right rather than different. */
export const EXACTLY = { temperature: 0, seed: 0 } as const;

/** A seed for the teacher, of one question of a run. */
export function teacherSeed(seed: number, label: string): number {
  return Random.derive(seed, `teacher/${label}`).integer(2 ** 31);
}

/** A draft with defaults for what a method does not speak of. */
export function draftWith(fields: Partial<Draft> & Pick<Draft, "instruction">): Omit<Draft, "id"> {
  return { instances: [], paraphrases: [], constraints: "", parents: [], ...fields };
}

/** Reads a reply that is one task as a whole, or says what is wrong with it. */
export function readWhole(
  reply: TeacherReply,
  read: (text: string) => Omit<Draft, "id"> | undefined,
): readonly Proposed[] {
  const problem = wholeReplyProblem(reply);
  if (problem !== undefined) return [rejected(problem, reply.text)];
  const draft = read(reply.text);
  return draft === undefined ? [rejected("malformed", reply.text)] : [{ kind: "draft", draft }];
}

/** Seeds with an instruction. @throws KitError when there are fewer than are needed */
export function seedsWithInstruction(seeds: readonly Example[], least: number, method: string): Seed[] {
  const found = seeds.flatMap((row) =>
    row.instruction === undefined || row.instruction.trim() === ""
      ? []
      : [{ ...row, instruction: row.instruction }],
  );
  requireSeeds(found.length, least, method, "an instruction");
  return found;
}

/** @throws KitError when there are too few */
export function requireSeeds(found: number, least: number, method: string, has: string): void {
  if (found >= least) return;
  throw new KitError(
    `${method} needs ${least} seeds with ${has}, and there are ${found}`,
    "give a file with more of them",
    { field: "seeds" },
  );
}
