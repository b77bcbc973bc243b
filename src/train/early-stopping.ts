import { KitError } from "../support/errors.js";
import { floatsOf } from "./adam.js";
import type { EarlyStopping, ValidationConfig } from "./config.js";
import type { Trainable } from "./objective.js";
import type { LossSums, Validation, Validator } from "./validation.js";

/** Where a run stands by its validations. */
export interface ValidationVerdict {
  /** The lowest loss so far; undefined before the first validation. */
  readonly best: Validation | undefined;
  /** As many validations in a row as the patience allows were no better than the best. */
  readonly exhausted: boolean;
}

/**
 * Judges the validations of a run, oldest first. One is better when it is lower than the best before by more than
 * `minimumImprovement`. It depends on the validations alone, so that a resumed run is judged as an unbroken one.
 */
export function judgeValidations(validations: readonly Validation[], rule: EarlyStopping): ValidationVerdict {
  const lossOf = ({ loss, taskTypeMean }: Validation): number =>
    rule.on === "all-tokens" ? loss : taskTypeMean;
  let best: Validation | undefined;
  let since = 0;
  for (const validation of validations) {
    const better = best === undefined || lossOf(validation) < lossOf(best) - rule.minimumImprovement;
    if (better) best = validation;
    since = better ? 0 : since + 1;
  }
  return { best, exhausted: since >= rule.patience };
}

/** What of the validations goes into a checkpoint. */
export interface SavedValidations {
  readonly validations: readonly Validation[];
  /** The parameters of the best validation, by name; empty without early stopping. */
  readonly best: ReadonlyMap<string, Float32Array>;
}

/** The validations of a run, with the weights of the best one where there is early stopping. */
export class ValidationWatch {
  readonly #model: Trainable;
  readonly #validator: Validator;
  readonly #config: ValidationConfig;
  readonly #validations: Validation[];
  #best: ReadonlyMap<string, Float32Array>;

  constructor(
    model: Trainable,
    validator: Validator,
    config: ValidationConfig,
    saved: SavedValidations | undefined,
  ) {
    this.#model = model;
    this.#validator = validator;
    this.#config = config;
    this.#validations = [...(saved?.validations ?? [])];
    this.#best = saved?.best ?? new Map();
  }

  get saved(): SavedValidations {
    return { validations: this.#validations, best: this.#best };
  }

  /** @param step the steps taken @param isLast whether the budget is used */
  isDue(step: number, isLast: boolean): boolean {
    return isLast || step % this.#config.everySteps === 0;
  }

  /** Whether the loss no longer falls. */
  get exhausted(): boolean {
    return this.#verdict?.exhausted === true;
  }

  /** The best validation, where there is early stopping. */
  get best(): Validation | undefined {
    return this.#verdict?.best;
  }

  /**
   * Measures the model as it is now.
   * @param lossSums of a batch, with the weights of now
   * @throws KitError when the loss is not finite
   */
  measure(step: number, lossSums: LossSums): Validation {
    const validation = this.#validator.measure(step, lossSums);
    const [broken] =
      Object.entries(validation.byTaskType).find(([, { loss }]) => !Number.isFinite(loss)) ?? [];
    if (broken !== undefined) {
      throw new KitError(
        `the validation loss of the task type "${broken}" is not finite after step ${step}`,
        "look at its validation rows; the last checkpoint is untouched",
      );
    }
    this.#validations.push(validation);
    if (this.best === validation) {
      this.#best = new Map(
        [...this.#model.parameters].map(([name, variable]) => [name, floatsOf(variable).slice()]),
      );
    }
    return validation;
  }

  get #verdict(): ValidationVerdict | undefined {
    const { earlyStopping } = this.#config;
    return earlyStopping && judgeValidations(this.#validations, earlyStopping);
  }
}
