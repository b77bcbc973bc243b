import { KitError } from "../../support/errors.js";
import type { Random } from "../../support/random.js";
import type { TrainingRow } from "../rows.js";

/** How words are masked. */
export interface MaskingRule {
  readonly vocabularySize: number;
  /** Id of `[MASK]`. */
  readonly mask: number;
  /** Ids that are never masked and never drawn: `[CLS]`, `[SEP]`, `[PAD]`, `[MASK]`, `[UNK]`. */
  readonly special: ReadonlySet<number>;
  /** Share of the other tokens that are targets; default as published: 0.15. */
  readonly share?: number;
}

/** Of the targets, so many are shown as `[MASK]`, and so many as any token; the rest as they are (Devlin et al. 2019). */
const MASKED = 0.8;
const REPLACED = 0.1;

/**
 * A row with other words masked: 15 % of the tokens that are not special, at least one, are targets; of these 80 % are
 * shown as `[MASK]`, 10 % as a token drawn from the vocabulary, and 10 % as they are. The number of targets is the same
 * whatever is drawn.
 * @param row masked before or not: what stands at its targets is put back first
 * @throws KitError when the row has no token that can be masked
 */
export function maskRow(row: TrainingRow, rule: MaskingRule, random: Random): TrainingRow {
  const { vocabularySize, mask, special, share = 0.15 } = rule;
  const inputs = row.inputs.slice();
  row.targetOffsets.forEach((offset, index) => (inputs[offset] = row.targets[index] ?? 0));
  const maskable = [...inputs.keys()].filter((place) => !special.has(inputs[place] ?? 0));
  if (maskable.length === 0) {
    throw new KitError(`the row "${row.id}" has special tokens only`, "leave it out");
  }
  const count = Math.max(1, Math.round(share * maskable.length));
  const targetOffsets = Int32Array.from(random.shuffled(maskable).slice(0, count)).sort();
  const targets = targetOffsets.map((offset) => inputs[offset] ?? 0);
  for (const offset of targetOffsets) {
    const draw = random.next();
    if (draw < MASKED) inputs[offset] = mask;
    else if (draw < MASKED + REPLACED) inputs[offset] = drawToken(vocabularySize, special, random);
  }
  return { ...row, inputs, targetOffsets, targets };
}

function drawToken(vocabularySize: number, special: ReadonlySet<number>, random: Random): number {
  if (special.size >= vocabularySize) throw new RangeError("every token is special");
  for (;;) {
    const id = random.integer(vocabularySize);
    if (!special.has(id)) return id;
  }
}
