/** A demonstration that a task definition carries, as in Super-NaturalInstructions. */
export interface Demonstration {
  readonly input: string;
  readonly output: string;
  readonly explanation?: string;
}

/** A turn of the conversation before the row's own request. */
export interface Turn {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly text: string;
}

/** A constraint that a program can check in an answer, as in IFEval. */
export interface Constraint {
  /** Such as "length_constraints:number_words". */
  readonly kind: string;
  /** Its arguments by name. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** One labelled row, whatever its file was. */
export interface Example {
  /** Unique within the data set. */
  readonly id: string;
  /** The task the row belongs to, such as "task190_snli_classification" or one rewrite rule. */
  readonly task: string;
  /** The cluster of tasks: the unit that is held out. */
  readonly taskType: string;
  /** What to do, in words; absent in plain SFT data. */
  readonly instruction?: string;
  /** What to do it with; "" where the task has no input. */
  readonly input: string;
  /** The references, the first is the one that training uses. At least one, unless the row is `evaluationOnly`. */
  readonly outputs: readonly string[];
  /** The answers to choose from, for classification. */
  readonly options?: readonly string[];
  /** Demonstrations with right answers that the source gives for the task. */
  readonly positive?: readonly Demonstration[];
  /** Demonstrations with wrong answers that the source gives for the task. */
  readonly negative?: readonly Demonstration[];
  /** The data set that the row comes from: the unit of the leakage check. */
  readonly source: string;
  /** What was said before, oldest first: a system prompt, the earlier turns of a conversation. */
  readonly history?: readonly Turn[];
  /** The functions that the assistant may call, as the source writes them (a JSON text). */
  readonly tools?: string;
  /**
   * Other wordings of the instruction, where the source has them; `instruction` is not among them. Those of unnatural
   * instructions may hold "{INPUT}" where the input goes.
   */
  readonly paraphrases?: readonly string[];
  /** The reasoning that leads to the first reference: a chain of thought. */
  readonly rationale?: string;
  /** What an answer must hold to, for rows that are judged by checks instead of references. */
  readonly constraints?: readonly Constraint[];
  /** The row must never be trained on (a benchmark). */
  readonly evaluationOnly?: true;
  /** Licence of the row, where the source says it. */
  readonly licence?: string;
  /** The raw fields of the row, for templates that are written over them (PromptSource). */
  readonly fields?: Readonly<Record<string, unknown>>;
}
