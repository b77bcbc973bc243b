import { CompiledDecoder } from "../model/compiled/compiled-decoder.js";
import { Decoder } from "../model/decoder.js";
import type { LanguageModel } from "../model/load.js";

/** What chooses between compiled graphs and kernels that are called one by one. */
export interface CompileOption {
  /**
   * Whether the decoder is recorded once and run as TensorFlow graphs; the numbers are those of the single kernels up to
   * rounding (1e-5). Default: where the native engine runs and the work is worth the recording, or the decoder is being
   * trained by a step that was recorded with it.
   */
  readonly compile?: boolean;
}

/** Recording takes about as long as so many passes save, and as so many parameter-positions take. */
const WORTH_PASSES = 100;
const WORTH_WORK = 2e10;

/** The work that is asked for, from the requests alone: so that the same requests give the same bits. */
export interface Work {
  /** Forward passes. */
  readonly passes: number;
  /** Tokens in all of them, padding aside. */
  readonly positions: number;
}

/** Whether to compile for some work. */
export function isCompiled(
  model: LanguageModel,
  { compile }: CompileOption,
  { passes, positions }: Work,
): boolean {
  if (compile === false || !(model instanceof Decoder) || !CompiledDecoder.isPossible(model)) return false;
  if (compile === true || CompiledDecoder.isAtHand(model)) return true;
  const parameters = [...model.weights.values()].reduce((sum, { size }) => sum + size, 0);
  return passes >= WORTH_PASSES || positions * parameters >= WORTH_WORK;
}
