import { KitError } from "../../support/errors.js";

/** Predicted and true labels of the same rows: `[rows]` each. */
export interface Labels {
  readonly predicted: readonly string[];
  readonly wanted: readonly string[];
}

/** Scores of a classification, as scikit-learn 1.9 defines them. */
export interface ClassificationScores {
  /** Share of right labels. */
  readonly accuracy: number;
  /** Mean over the labels that occur on either side of the F measure of each; one that is never met gives 0. */
  readonly macroF1: number;
  /** Matthews' correlation for any number of labels (Gorodkin 2004), from -1 to 1; 0 where one side is constant. */
  readonly matthews: number;
}

/** One label's share in the macro F measure. */
export interface LabelScores {
  readonly label: string;
  /** Rows that have it. */
  readonly rows: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/** @throws KitError for lists of different lengths or no rows */
export function classificationScores(labels: Labels): ClassificationScores {
  const perLabel = scoresPerLabel(labels);
  const rows = labels.wanted.length;
  const right = labels.wanted.filter((label, index) => label === labels.predicted[index]).length;
  return {
    accuracy: right / rows,
    macroF1: perLabel.reduce((sum, { f1 }) => sum + f1, 0) / perLabel.length,
    matthews: matthewsCorrelation(labels, right),
  };
}

/**
 * Precision, recall and F measure of each label that occurs, sorted by name.
 * @throws KitError for lists of different lengths or no rows
 */
export function scoresPerLabel({ predicted, wanted }: Labels): LabelScores[] {
  if (predicted.length !== wanted.length) {
    throw new KitError(
      `${predicted.length} predicted labels for ${wanted.length} rows`,
      "give one predicted label for each row",
    );
  }
  if (wanted.length === 0) throw new KitError("there are no labels to score", "give at least one row");
  const [inPredicted, inWanted] = [tally(predicted), tally(wanted)];
  const right = tally(wanted.filter((label, index) => label === predicted[index]));
  return [...new Set([...wanted, ...predicted])].sort().map((label) => {
    const hits = right.get(label) ?? 0;
    const [asked, rows] = [inPredicted.get(label) ?? 0, inWanted.get(label) ?? 0];
    return {
      label,
      rows,
      precision: asked === 0 ? 0 : hits / asked,
      recall: rows === 0 ? 0 : hits / rows,
      f1: (2 * hits) / (asked + rows),
    };
  });
}

/** The share of answers that are one of their row's labels at all, right or wrong. */
export function labelSpaceValidity(
  rows: readonly { readonly answer: string; readonly labels: readonly string[] }[],
  same: (answer: string, label: string) => boolean = (answer, label) => answer === label,
): number {
  if (rows.length === 0) throw new KitError("there are no answers to check", "give at least one row");
  return (
    rows.filter(({ answer, labels }) => labels.some((label) => same(answer, label))).length / rows.length
  );
}

function matthewsCorrelation({ predicted, wanted }: Labels, right: number): number {
  const [inPredicted, inWanted] = [tally(predicted), tally(wanted)];
  const rows = wanted.length;
  const squares = (counts: ReadonlyMap<string, number>): number =>
    rows ** 2 - [...counts.values()].reduce((sum, count) => sum + count ** 2, 0);
  const chance = [...inWanted].reduce(
    (sum, [label, count]) => sum + count * (inPredicted.get(label) ?? 0),
    0,
  );
  const spread = squares(inPredicted) * squares(inWanted);
  return spread === 0 ? 0 : (right * rows - chance) / Math.sqrt(spread);
}

function tally(labels: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return counts;
}
