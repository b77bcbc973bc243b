/** A demonstration that a task definition carries, as in Super-NaturalInstructions. */
export interface Demonstration {
  readonly input: string;
  readonly output: string;
  readonly explanation?: string;
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
  /** The references, at least one; the first is the one that training uses. */
  readonly outputs: readonly string[];
  /** The answers to choose from, for classification. */
  readonly options?: readonly string[];
  /** Demonstrations with right answers that the source gives for the task. */
  readonly positive?: readonly Demonstration[];
  /** Demonstrations with wrong answers that the source gives for the task. */
  readonly negative?: readonly Demonstration[];
  /** The data set that the row comes from: the unit of the leakage check. */
  readonly source: string;
}
