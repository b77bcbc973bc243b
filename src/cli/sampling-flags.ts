import type { Command } from "commander";
import { checkSampling, type Sampling } from "../evaluate/sampling.js";
import { finiteNumber, positiveInteger } from "./options.js";

/** How the tokens of an answer are chosen. */
export interface SamplingFlags {
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly seed: number;
  readonly repetitionPenalty?: number;
}

/** Adds the options of `SamplingFlags`. */
export function withSamplingFlags(command: Command): Command {
  return command
    .option(
      "--temperature <number>",
      "draw tokens with this temperature (default, and 0: take the most probable)",
      finiteNumber,
    )
    .option("--top-k <number>", "draw among this many tokens only (implies temperature 1)", positiveInteger)
    .option(
      "--top-p <number>",
      "draw among the tokens that make up this probability (implies temperature 1)",
      finiteNumber,
    )
    .option("--seed <number>", "of the drawing", finiteNumber, 0)
    .option(
      "--repetition-penalty <number>",
      "above 1: tokens of the prompt and of the answer so far become less probable",
      finiteNumber,
    );
}

/**
 * How to draw; undefined where nothing is drawn. Temperature 0, as is usual, takes the most probable token.
 * @throws KitError for a value out of range
 */
export function samplingOf({ temperature, topK, topP, seed }: SamplingFlags): Sampling | undefined {
  if (temperature === 0 || (temperature === undefined && topK === undefined && topP === undefined))
    return undefined;
  const sampling: Sampling = {
    temperature: temperature ?? 1,
    seed,
    ...(topK === undefined ? {} : { topK }),
    ...(topP === undefined ? {} : { topP }),
  };
  checkSampling(sampling);
  return sampling;
}
