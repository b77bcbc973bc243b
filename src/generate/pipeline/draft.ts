/** An input with its answer. */
export interface Instance {
  readonly input: string;
  readonly output: string;
}

/** A task in the making. */
export interface Draft {
  /** Round, question and place in its reply, such as "3-2-1": it does not depend on when the reply came. */
  readonly id: string;
  readonly instruction: string;
  readonly instances: readonly Instance[];
  /** Other wordings of the instruction. */
  readonly paraphrases: readonly string[];
  /** What the answer must hold to, in words; "" where nothing is said. */
  readonly constraints: string;
  readonly isClassification?: boolean;
  /** The answers to choose from. */
  readonly options?: readonly string[];
  /** Ids of the rows and drafts that it was made from. */
  readonly parents: readonly string[];
  /** What was done to make it, such as an operation of Evol-Instruct. */
  readonly operation?: string;
  /** What the judge gave it, 1 to 5. */
  readonly score?: number;
  /** Which place of a method's own pool it stands for. */
  readonly slot?: number;
}

/** Why something was rejected, in words. */
export const REASONS = {
  "not-taken":
    "the teacher does not take the question: too long for its context, or a setting that it does not know",
  refused: "the teacher refuses to answer",
  "empty-reply": "the reply is empty",
  truncated: "the reply was cut off at its longest length",
  malformed: "the reply has not the parts that were asked for",
  "not-json": "the reply has no JSON in it",
  "too-short": "the instruction has too few words",
  "too-long": "the instruction has too many words",
  keyword: "the instruction asks for what a text model cannot do",
  "asks-for-program": 'the instruction begins with "Write a program"',
  "odd-beginning": "the instruction begins with a punctuation mark or a letter beyond ASCII",
  duplicate: "the same text was there before",
  similar: "the instruction is too similar to one of the pool (ROUGE-L)",
  contaminated: "a held-out row is in it, or nearly so",
  "no-output": "there is no output",
  "output-is-input": "the output repeats the input",
  "unfinished-output": "the input or the output ends in a colon: something is missing",
  "contradictory-outputs": "one input has different outputs",
  "no-instance": "no instance is left",
  "unknown-label": "the output is none of the answers to choose from",
  "labels-missing": "the wording does not name all answers to choose from",
  "words-of-the-prompt": "the instruction has words of the prompt that asked for it",
  "not-evolved": "the judge finds that it asks for nothing new",
  "empty-words": "the output has nothing but punctuation and stop words",
  "low-score": "the judge gives it too few points",
  "no-verdict": "the judge gives no verdict that can be read",
  "no-place-for-input": "the wording does not have {INPUT} exactly once",
  "of-a-rejected-task": "its task was rejected",
  "not-needed": "enough was kept before",
} as const satisfies Record<string, string>;

export type Reason = keyof typeof REASONS;

/** What is counted: tasks, their instances, and other wordings of their instructions. */
export type Level = "tasks" | "instances" | "paraphrases";

/** A rejected part of a task. */
export interface RejectedPart {
  readonly level: Exclude<Level, "tasks">;
  readonly reason: Reason;
  readonly text: string;
}

/** What a step makes of a draft. */
export type Outcome =
  | {
      readonly kind: "kept";
      readonly draft: Draft;
      /** Parts that are new, those that were rejected at once as well. */
      readonly proposed?: Partial<Record<RejectedPart["level"], number>>;
      readonly rejected?: readonly RejectedPart[];
    }
  | {
      readonly kind: "rejected";
      readonly reason: Reason;
      readonly proposed?: Partial<Record<RejectedPart["level"], number>>;
      readonly rejected?: readonly RejectedPart[];
    };

/** A draft that goes on as it is, or as another. */
export function keep(draft: Draft): Outcome {
  return { kind: "kept", draft };
}

/** A draft that ends here. */
export function reject(reason: Reason): Outcome {
  return { kind: "rejected", reason };
}

/** A draft whose instances are those that pass; without any left it is rejected by the reason of the last. */
export function keepInstances(draft: Draft, problemOf: (instance: Instance) => Reason | undefined): Outcome {
  const problems = draft.instances.map(problemOf);
  const instances = draft.instances.filter((_, index) => problems[index] === undefined);
  const rejected = draft.instances.flatMap((instance, index): RejectedPart[] => {
    const reason = problems[index];
    return reason === undefined ? [] : [{ level: "instances", reason, text: textOfInstance(instance) }];
  });
  if (instances.length > 0) return { kind: "kept", draft: { ...draft, instances }, rejected };
  return {
    kind: "rejected",
    reason: problems.findLast((reason) => reason !== undefined) ?? "no-instance",
    rejected,
  };
}

/** An instance as one text, for the list of what was rejected. */
export function textOfInstance({ input, output }: Instance): string {
  return input === "" ? output : `${input}\n→ ${output}`;
}
