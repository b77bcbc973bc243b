import { join } from "node:path";
import type { Tokenizer } from "../../../data/tokenizer.js";
import { Bert } from "../../../model/bert/bert.js";
import { saveBert } from "../../../model/bert/checkpoint.js";
import { type LanguageModel, saveModel } from "../../../model/load.js";
import { mergeAdapter } from "../../../model/lora/merge.js";
import { saveModelAdapter } from "../../../model/lora/save.js";
import type { Objective } from "../../../train/objective.js";
import type { CheckResult } from "../../../train/preflight/check.js";
import type { TrainingRow } from "../../../train/rows.js";

/** A run that is ready to start: what is learned, from which rows, and what becomes of the model. */
export interface ObjectiveRun {
  readonly objective: Objective;
  readonly rows: readonly TrainingRow[];
  /** Rows that are only measured; undefined where the config has none. */
  readonly validation: readonly TrainingRow[] | undefined;
  readonly tokenizer: Tokenizer;
  readonly models: RunModels;
  /** What the config left open, for the record of the run. */
  readonly resolved: Readonly<Record<string, unknown>>;
  /** What became of the rows: goes into ledger.json. */
  readonly ledgers: Readonly<Record<string, unknown>>;
  /** The rows in a line: "480 rows (3 dropped), ...". */
  readonly summary: string;
  /** How rows became text, and from what. */
  readonly made: {
    readonly template: { readonly name: string; readonly hash: string };
    readonly from: unknown;
  };
  /** The checks of a preflight on the rows by themselves. */
  rowChecks(): readonly CheckResult[];
  /** Whether, and how often before its end, the model scores or writes answers. */
  readonly answers?: { readonly everySteps?: number | undefined } | undefined;
  /**
   * The scores that fit the objective, on the rows that are set aside; undefined where there are none, or the signal
   * aborts.
   */
  evaluate(signal: AbortSignal): Promise<RunEvaluation | undefined>;
}

/** Scores during a run, and at its end. */
export interface RunEvaluation {
  /** The main ones, for the curves. */
  readonly curves?: Readonly<Record<string, number>>;
  /** What goes into evaluation.json. */
  readonly scores: Readonly<Record<string, unknown>>;
  /** The same for a terminal. */
  readonly text: string;
}

/** The model of a run. */
export interface RunModels<Model extends LanguageModel | Bert = LanguageModel | Bert> {
  /** What is trained: `base`, or `base` with an adapter or a frozen encoder. */
  readonly model: Model;
  readonly base: Model;
  /** The folder that `base` came from. */
  readonly from?: string;
}

/**
 * Writes `model/` with its tokenizer, and `adapter/` where one was trained, with the head that was trained beside it.
 * @throws KitError when the folder cannot be written
 */
export function saveModels(out: string, { model, base, from }: RunModels, tokenizer: Tokenizer): void {
  const folder = join(out, "model");
  const { special } = tokenizer;
  const save = (whole: LanguageModel | Bert): void => {
    if (whole instanceof Bert) saveBert(folder, whole, { special });
    else saveModel(folder, whole, { special });
  };
  tokenizer.save(folder);
  if (model.adapter === undefined) {
    save(base);
    return;
  }
  saveModelAdapter(join(out, "adapter"), model, from);
  const merged = mergeAdapter(base, model.adapter);
  save(merged);
  merged.dispose();
}

/** Frees the models of a run. */
export function disposeModels({ model, base }: RunModels): void {
  model.dispose();
  if (base !== model) base.dispose();
}

/** "12 rows (1 dropped), 345 supervised of 678 tokens" @param dropped rows, with the reason in words */
export function summaryOf(
  rows: readonly TrainingRow[],
  { supervised, left }: { readonly supervised: string; readonly left: string },
): string {
  const targets = rows.reduce((sum, row) => sum + row.targets.length, 0);
  const tokens = rows.reduce((sum, row) => sum + row.tokens, 0);
  return `${rows.length} rows (${left}), ${targets} ${supervised} of ${tokens} tokens`;
}
