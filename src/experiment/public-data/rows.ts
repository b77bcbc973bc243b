import type { Example } from "../../data/example.js";
import { readExamples, readOfficialSplit } from "../../data/read/index.js";
import { withTaskLabels } from "../../evaluate/rank-classification.js";
import { findLeaks } from "../../similarity/leakage/report.js";
import { KitError } from "../../support/errors.js";
import { evenly } from "../../support/evenly.js";
import { groupBy } from "../../support/group.js";
import { Random } from "../../support/random.js";
import type { AnswerKind, PublicDataSettings } from "./settings.js";

/** Test rows of one kind. */
export interface PublicTest {
  readonly part: "seen" | "held-out";
  /** How far from training, or the benchmark's name. */
  readonly level: string;
  readonly answers: AnswerKind;
  readonly examples: readonly Example[];
}

/** What is trained on and what is asked. */
export interface PublicRows {
  readonly train: readonly Example[];
  readonly tests: readonly PublicTest[];
  /** Training rows that were left out because a test row has their input, nearly or word for word. */
  readonly leaking: number;
}

/** Tasks with more different answers are no classification. */
const MOST_LABELS = 20;
/** Decides which rows of a trained task are asked; the same in all runs. */
const SEEN_SEED = 1;

/** The levels of the rows of the training data, from near to far. */
export const TRAINED_LEVEL = "new rows of trained tasks";
export const HELD_OUT_DATA_SET_LEVEL = "held-out data sets of trained clusters";
export const HELD_OUT_CLUSTER_LEVEL = "held-out clusters";

/** Whether a level is of rows of the training data, not a benchmark's. */
export function isLevelOfTrainingData(level: string): boolean {
  return [TRAINED_LEVEL, HELD_OUT_DATA_SET_LEVEL, HELD_OUT_CLUSTER_LEVEL].includes(level);
}

/**
 * Reads the data and puts every row on its side. In the test the task type of a row of the training data is its data set, so that
 * means and intervals are over data sets. Training rows that leak into any test row are left out.
 * @throws KitError for files that cannot be read, and for a held-out name that no row has
 */
export async function readPublicRows(
  settings: Pick<PublicDataSettings, "training" | "split" | "evaluation">,
): Promise<PublicRows> {
  const { training, split, evaluation } = settings;
  const all = await readTraining(training);
  const isHeldOut = heldOutSide(all, split.heldOut, training.data);
  const kept = all.filter((row) => !isHeldOut(row));
  const { train, seen } = withSeenRows(kept, split.seenRowsPerTask, evaluation.answers);
  const clusters = new Set(kept.map(({ taskType }) => taskType));
  const heldOut = perTask(
    answerable(all.filter(isHeldOut), evaluation.answers),
    evaluation.heldOutRowsPerTask,
  );
  const [sameCluster, otherCluster] = [true, false].map((isTrained) =>
    heldOut.filter(({ taskType }) => clusters.has(taskType) === isTrained).map(byDataSet),
  );
  const { answers } = evaluation;
  const tests: PublicTest[] = [
    { part: "held-out", level: HELD_OUT_CLUSTER_LEVEL, answers, examples: otherCluster ?? [] },
    { part: "held-out", level: HELD_OUT_DATA_SET_LEVEL, answers, examples: sameCluster ?? [] },
    ...(await Promise.all(evaluation.benchmarks.map(readBenchmark))),
    { part: "seen", level: TRAINED_LEVEL, answers, examples: seen.map(byDataSet) },
  ];
  const asked = tests.filter(({ examples }) => examples.length > 0);
  const leaks = findLeaks(
    train,
    asked.flatMap(({ examples }) => examples),
  );
  const leaking = new Set([...leaks.rows.values()].flatMap((rows) => [...rows.train]));
  const clean = train.filter(({ id }) => !leaking.has(id));
  return { train: perTask(clean, training.rowsPerTask), tests: asked, leaking: train.length - clean.length };
}

async function readTraining({ data, officialTrack }: PublicDataSettings["training"]): Promise<Example[]> {
  const sideOf = officialTrack === undefined ? undefined : readOfficialSplit(data, officialTrack);
  const { examples } = await readExamples(data, {
    onMalformed: "skip",
    ...(sideOf === undefined ? {} : { wantsTask: (task: string): boolean => sideOf(task) === "train" }),
  });
  return examples.filter(({ outputs }) => outputs.some((output) => output.trim() !== ""));
}

/** Whether a row is held out. @throws KitError for a name that no row has */
function heldOutSide(
  rows: readonly Example[],
  names: readonly string[],
  file: string,
): (row: Example) => boolean {
  const wanted = new Set(names);
  const namesOf = ({ task, taskType, source }: Example): string[] => [task, taskType, source];
  const known = new Set(rows.flatMap(namesOf));
  const missing = names.find((name) => !known.has(name));
  if (missing !== undefined) {
    throw new KitError(
      `no row is of "${missing}"`,
      `give tasks, data sets or task types, such as ${[...new Set(rows.map(({ taskType }) => taskType))].slice(0, 8).join(", ")}`,
      { file, field: "split.heldOut" },
    );
  }
  return (row) => namesOf(row).some((name) => wanted.has(name));
}

/** Takes rows of each trained task out of training, where they can be answered. */
function withSeenRows(
  rows: readonly Example[],
  count: number,
  answers: AnswerKind,
): { readonly train: readonly Example[]; readonly seen: readonly Example[] } {
  if (count === 0) return { train: rows, seen: [] };
  const seen = [...groupBy(answerable(rows, answers), ({ task }) => task)].flatMap(([task, own]) =>
    own.length <= 2 * count ? [] : Random.derive(SEEN_SEED, task).shuffled(own).slice(0, count),
  );
  const taken = new Set(seen.map(({ id }) => id));
  return { train: rows.filter(({ id }) => !taken.has(id)), seen };
}

/** The rows that can be answered so, with their options where these are ranked. */
function answerable(rows: readonly Example[], answers: AnswerKind): Example[] {
  if (answers === "generated") return [...rows];
  return withTaskLabels(rows, MOST_LABELS).filter(
    ({ options = [], outputs }) => options.length > 1 && outputs.some((output) => options.includes(output)),
  );
}

async function readBenchmark(
  benchmark: PublicDataSettings["evaluation"]["benchmarks"][number],
): Promise<PublicTest> {
  const { name, data, answers, rowsPerTask } = benchmark;
  const { examples } = await readExamples(data);
  return {
    part: "held-out",
    level: name,
    answers,
    // Two benchmarks may have the same rows, answered in two ways.
    examples: perTask(answerable(examples, answers), rowsPerTask).map((row) => ({
      ...row,
      id: `${name}/${row.id}`,
    })),
  };
}

function byDataSet(row: Example): Example {
  return { ...row, taskType: row.source };
}

/** At most so many rows of each task, evenly over the task. */
function perTask(rows: readonly Example[], count: number): Example[] {
  return [...groupBy(rows, ({ task }) => task).values()].flatMap((own) => evenly(own, count));
}
