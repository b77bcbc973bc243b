import { fitPrompt, renderSpans } from "../../data/render.js";
import { loadDecoderConfig } from "../../model/checkpoint.js";
import type { DecoderConfig } from "../../model/config.js";
import type { LoraConfig } from "../../model/lora/config.js";
import { evenly } from "../../support/evenly.js";
import type { ArmInputs } from "../run-arm.js";
import type { RunBudget } from "../budget.js";
import { forwardFlops, type RowLengths, rowLengths, trainerBudget, trainingFlops } from "./flops.js";

/** How large a run is, before it is done. */
export interface RunSize {
  readonly decoder: DecoderConfig;
  /** Where an adapter alone is trained. */
  readonly lora?: LoraConfig;
  readonly budget: RunBudget;
  /** Rows of an optimizer step, at most. */
  readonly rowsPerStep: number;
  /** Of a sample of the training rows. */
  readonly sample: { readonly rows: number; readonly supervisedTokens: number; readonly lengths: RowLengths };
  /** Of all prompts with the longest answers. */
  readonly asked: { readonly prompts: number; readonly lengths: RowLengths };
}

/** What a run costs, reckoned from its size. Tokens are those of the rows, without padding. */
export interface RunCost {
  readonly steps: number;
  readonly supervisedTokens: number;
  readonly totalTokens: number;
  readonly trainingFlops: number;
  /** At most: as if every answer were as long as it may be. */
  readonly evaluationFlops: number;
}

/** Training rows that are rendered to know their lengths. */
const SAMPLE_ROWS = 256;

/** The size of a run of `runArm`. */
export function sizeOfArm(inputs: ArmInputs): RunSize {
  const { train, tests, template, tokenizer, policy, training, maxNewTokens } = inputs;
  const spans = evenly(train, SAMPLE_ROWS).flatMap((example) => {
    const outcome = renderSpans(example, template, tokenizer, policy);
    return outcome.kind === "rendered" ? [outcome.spans] : [];
  });
  const prompts = tests.flatMap(({ examples }) =>
    examples.flatMap((example) => fitPrompt(example, template, tokenizer, policy, maxNewTokens) ?? []),
  );
  return {
    decoder: decoderOf(inputs),
    ...(inputs.lora === undefined ? {} : { lora: inputs.lora }),
    budget: training.budget,
    rowsPerStep: training.batch.rowsPerStep,
    sample: {
      rows: spans.length,
      supervisedTokens: spans.reduce((sum, { supervised }) => sum + supervised.filter(Boolean).length, 0),
      lengths: rowLengths(spans.map(({ ids }) => ids.length)),
    },
    asked: {
      prompts: prompts.length,
      lengths: rowLengths(prompts.map(({ ids }) => ids.length + maxNewTokens)),
    },
  };
}

function decoderOf({ start, tokenizer }: ArmInputs): DecoderConfig {
  return start.kind === "checkpoint"
    ? loadDecoderConfig(start.folder)
    : { ...start.decoder, vocabularySize: tokenizer.vocabularySize };
}

/** What a run of that size costs. */
export function costOf({ decoder, lora, budget, rowsPerStep, sample, asked }: RunSize): RunCost {
  const { rows, supervisedTokens, lengths } = sample;
  const { unit, amount } = trainerBudget(budget, decoder, lengths, lora);
  const rowsOfStep = {
    steps: rowsPerStep,
    "supervised-tokens": rows / supervisedTokens,
    "total-tokens": rows / lengths.tokens,
  };
  const trained = amount * rowsOfStep[unit];
  const share = trained / rows;
  return {
    steps: Math.ceil(trained / rowsPerStep),
    supervisedTokens: share * supervisedTokens,
    totalTokens: share * lengths.tokens,
    trainingFlops: share * trainingFlops(decoder, lengths, lora),
    evaluationFlops: forwardFlops(decoder, asked.lengths),
  };
}
