/** What a trained model is asked during its run and at the end of it, besides the loss on rows (`validation`). */
export interface TrainingEvaluation {
  /** Steps between evaluations; there is then always one after the last step. Left out: there is one at the end. */
  readonly everySteps?: number;
  /**
   * Whether a decoder scores or generates in it: a compiled step is then recorded with graphs for that, and does it in the
   * session of the training, with the weights that are there. Default: true.
   */
  readonly answers?: boolean;
  /**
   * Asks the model, whose variables have the weights of now. No number of the training depends on it.
   * @returns scores by name, for the trackers; undefined where it was stopped, to be asked again when the run goes on
   */
  readonly evaluate: (moment: EvaluationMoment) => Promise<Scores | undefined>;
}

/** When a model is asked. */
export interface EvaluationMoment {
  /** Steps taken. */
  readonly step: number;
  /** Whether the run is finished, and these are the weights that the model ends with. */
  readonly isFinal: boolean;
}

/** Scores by name. */
export type Scores = Readonly<Record<string, number>>;

/** What an evaluation gave. */
export interface EvaluationRecord {
  /** Steps taken. */
  readonly step: number;
  readonly scores: Scores;
}

/** The evaluations of a run: which are due, and what the earlier ones gave. */
export class EvaluationWatch {
  readonly #evaluation: TrainingEvaluation;
  readonly #records: EvaluationRecord[];
  #isConcluded = false;

  /** @param saved those before a resume */
  constructor(evaluation: TrainingEvaluation, saved: readonly EvaluationRecord[] = []) {
    this.#evaluation = evaluation;
    this.#records = [...saved];
  }

  /** Those so far that are curves: one for each step that was asked for. */
  get records(): readonly EvaluationRecord[] {
    return this.#records;
  }

  /** Whether the weights that the model ends with have been asked. */
  get isConcluded(): boolean {
    return this.#isConcluded;
  }

  /** Whether one is wanted after a step that lacks it. @param isLast whether the run is finished */
  isDue(step: number, isLast: boolean): boolean {
    const { everySteps } = this.#evaluation;
    if (everySteps === undefined || step === 0 || this.#records.at(-1)?.step === step) return false;
    return isLast || step % everySteps === 0;
  }

  /** Asks for the weights of a step. */
  async evaluate(moment: EvaluationMoment): Promise<void> {
    const scores = await this.#evaluation.evaluate(moment);
    if (scores === undefined) return;
    this.#records.push({ step: moment.step, scores });
    this.#isConcluded ||= moment.isFinal;
  }

  /** Asks for the weights that the model ends with. They may be those of an earlier step, so no curve has a point of it. */
  async conclude(step: number): Promise<void> {
    await this.#evaluation.evaluate({ step, isFinal: true });
    this.#isConcluded = true;
  }
}
