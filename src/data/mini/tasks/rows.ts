import { Random } from "../../../support/random.js";
import { sha256 } from "../../../support/hash.js";
import type { Example } from "../../example.js";
import type { SplitName } from "../partition.js";
import { type Materials, materialsOf } from "./materials.js";
import { ARTICLE_ROWS } from "./article.js";
import { DIFFICULTIES, type Difficulty, type MiniTask } from "./task.js";
import { MINI_TASKS } from "./index.js";

/** What a task row keeps of its making, in `Example.fields`. */
export interface TaskRowFields {
  readonly split: SplitName;
  readonly difficulty: Difficulty;
  /** Whether the instruction is one of those of training. */
  readonly wording: "trained" | "unseen";
}

/** Rows for each split. */
export type SplitRows = Readonly<Record<SplitName, readonly Example[]>>;

/** Rows that are asked for of each task. */
export interface TaskSize {
  readonly train: number;
  readonly validation: number;
  readonly test: number;
}

/** Draws without a new row after which a task has no more to give. */
const MOST_FRUITLESS_DRAWS = 400;
/** Other wordings of the instruction that a row carries. */
const PARAPHRASES = 2;

/**
 * The rows of all tasks. A task whose facts run out has fewer rows than asked for; classes keep their balance. Test and
 * validation rows have in turn an instruction of training and one that training never has.
 */
export function drawTaskRows(
  size: TaskSize,
  seed: number,
  tasks: readonly MiniTask[] = MINI_TASKS,
): SplitRows {
  const materials = materialsOf(seed);
  const rows = (split: SplitName): Example[] =>
    tasks.flatMap((task) => drawSplit(task, size[split], materials[split]));
  return { train: rows("train"), validation: rows("validation"), test: rows("test") };
}

/** The rows of one task in one split. */
function drawSplit(task: MiniTask, count: number, materials: Materials): Example[] {
  const { split, world } = materials;
  const random = Random.derive(world.seed, `task ${task.name} ${split}`);
  const labels = task.options ?? [""];
  let levels = task.difficulties ?? DIFFICULTIES;
  const used = new Set(ARTICLE_ROWS.map(({ input }) => input));
  const rows: Example[] = [];
  for (let round = 0; rows.length < count && levels.length > 0; round++) {
    // A whole round of labels is taken or none, so that the classes stay balanced when the inputs run out.
    const difficulty = levels[round % levels.length] ?? "easy";
    const drawn = labels.flatMap(
      (label) => drawNew(task, { random, materials, difficulty, label }, used) ?? [],
    );
    if (drawn.length < labels.length) levels = levels.filter((level) => level !== difficulty);
    else for (const row of drawn) rows.push(exampleOf(task, row, rows.length, difficulty, materials, random));
  }
  return rows.slice(0, count);
}

type Drawn = ReturnType<MiniTask["draw"]>;

/** A row whose input was not used and belongs to this split, or undefined when none is found. */
function drawNew(
  task: MiniTask,
  draw: Parameters<MiniTask["draw"]>[0],
  used: Set<string>,
): Drawn | undefined {
  for (let tries = 0; tries < MOST_FRUITLESS_DRAWS; tries++) {
    const row = task.draw(draw);
    if (used.has(row.input)) continue;
    if (task.separates === "inputs" && splitOfInput(row.input) !== draw.materials.split) continue;
    used.add(row.input);
    return row;
  }
  return undefined;
}

/** The one split that an input may be in, by its hash: 70, 10 and 20 percent of all inputs that there are. */
export function splitOfInput(input: string): SplitName {
  const bucket = parseInt(sha256(input).slice(0, 8), 16) % 10;
  return bucket < 7 ? "train" : bucket < 8 ? "validation" : "test";
}

/** The instructions of a task: those of training, and those that training never has (about a quarter). */
export function instructionsOf(
  task: MiniTask,
  seed: number,
): Record<TaskRowFields["wording"], readonly string[]> {
  // The first wording is the task's own, as the article or its name has it; it is always trained.
  const [own = "", ...others] = task.instructions;
  const shuffled = Random.derive(seed, `instructions ${task.name}`).shuffled(others);
  const unseen = Math.max(2, Math.floor(task.instructions.length / 4));
  return { trained: [own, ...shuffled.slice(unseen)], unseen: shuffled.slice(0, unseen) };
}

function exampleOf(
  task: MiniTask,
  { input, outputs }: Drawn,
  index: number,
  difficulty: Difficulty,
  { split, world }: Materials,
  random: Random,
): Example {
  const wording = split !== "train" && index % 2 === 1 ? "unseen" : "trained";
  const [instruction = "", ...paraphrases] = random.shuffled(instructionsOf(task, world.seed)[wording]);
  const fields: TaskRowFields = { split, difficulty, wording };
  return {
    id: `mini-${task.name}-${split}-${index + 1}`,
    task: `mini-${task.name}`,
    taskType: task.taskType,
    instruction,
    paraphrases: paraphrases.slice(0, PARAPHRASES),
    input,
    outputs,
    ...(task.options === undefined ? {} : { options: task.options }),
    source: `mini-${task.name}`,
    fields: { ...fields },
  };
}

/** The perfect solver's answer to a row. */
export function solveTaskRow(row: Example, materials: Materials): string {
  const task = MINI_TASKS.find(({ name }) => `mini-${name}` === row.task);
  if (task === undefined) throw new RangeError(`there is no task ${row.task}`);
  return task.solve(row.input, materials);
}
