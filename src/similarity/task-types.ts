import type { Example } from "../data/example.js";
import { groupBy } from "../support/group.js";
import { Random } from "../support/random.js";
import { type TextOf, textOf, type TextPart } from "./example-text.js";
import { groupSimilarity, type MatrixOptions } from "./matrix.js";
import { minHashSignatures } from "./minhash.js";
import { DEFAULT_SHINGLES, type ShingleOptions, shingleTexts } from "./shingles.js";

/** A matrix with names: `values[i][j]` is the similarity of `labels[i]` and `labels[j]`. */
export interface LabelledMatrix {
  readonly labels: readonly string[];
  /** Null where there is nothing to compare: a group of one row with itself. */
  readonly values: readonly (readonly (number | null)[])[];
  readonly device: string;
  readonly why: string;
}

export interface TaskTypeOptions extends MatrixOptions {
  /** Which text of a row is compared. */
  readonly part: TextPart | TextOf;
  /** What a text is cut into; single words (`size` 1) tell topics apart, longer runs find copies. Default: three words. */
  readonly shingles?: ShingleOptions;
  /** Rows of a task type, at most; drawn by the seed where there are more. */
  readonly rowsPerTaskType: number;
  readonly seed: number;
}

/**
 * How alike the rows of each two task types are (mean estimated Jaccard of shingles), and on the diagonal the
 * different rows of one. Rows without text are left out.
 * @throws KitError when no row has a text
 */
export async function taskTypeSimilarity(
  examples: readonly Example[],
  { part, shingles = DEFAULT_SHINGLES, rowsPerTaskType, seed, ...options }: TaskTypeOptions,
): Promise<LabelledMatrix> {
  const text = textOf(part);
  const byType = groupBy(
    examples.filter((example) => text(example).trim() !== ""),
    ({ taskType }) => taskType,
  );
  const labels = [...byType.keys()].sort();
  const sampled = labels.flatMap((label, group) =>
    Random.derive(seed, label)
      .shuffled(byType.get(label) ?? [])
      .slice(0, rowsPerTaskType)
      .map((example) => ({ example, group })),
  );
  const signatures = minHashSignatures(
    shingleTexts(
      sampled.map(({ example }) => text(example)),
      shingles,
    ),
  );
  const groups = sampled.map(({ group }) => group);
  const { size, values, device, why } = await groupSimilarity(signatures, groups, labels.length, options);
  return {
    labels,
    values: labels.map((_, row) =>
      Array.from(values.subarray(row * size, (row + 1) * size), (value) =>
        Number.isNaN(value) ? null : value,
      ),
    ),
    device,
    why,
  };
}
