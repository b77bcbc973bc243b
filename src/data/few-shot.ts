import { KitError } from "../support/errors.js";
import { hashJson } from "../support/hash.js";
import { Random } from "../support/random.js";
import type { Demonstration, Example } from "./example.js";

/** A demonstration as a few-shot template shows it. */
export interface Shot extends Demonstration {
  /** The answers to choose from, for templates that show them. */
  readonly options?: readonly string[];
}

/** Chooses the demonstrations of a row. The same row gets the same ones, whatever was chosen before. */
export interface ShotChooser {
  /** Everything that decides the choice; goes into the template's hash. */
  readonly key: unknown;
  choose(example: Example): readonly Shot[];
}

/** How a pool's demonstrations are chosen. All of it changes results. */
export interface PoolOptions {
  /** How many; fewer where the pool has no more for the task. */
  readonly count: number;
  readonly seed: number;
  /** In random order, or in the order of the pool. */
  readonly order: "random" | "pool";
  /** "labels" takes the answers in turn, so that each occurs about as often; "none" takes rows as they come. */
  readonly balance: "labels" | "none";
  /** Rows that are never shown, such as a held-out test set: told by their input, whatever its case and white space. */
  readonly never?: readonly Example[];
}

/**
 * An input without what does not make it another: case, white space and Unicode's forms of the same character.
 * Two rows with the same are one question.
 */
export function normalizedInput(input: string): string {
  return input.normalize("NFKC").toLowerCase().replace(/\s+/gu, " ").trim();
}

/**
 * The first demonstrations that the task itself carries (`positive`), as Tk-Instruct takes them, without the row itself:
 * in Super-NaturalInstructions some examples of a task are also among its instances. An example whose answer is one of the
 * row's options has the same options.
 */
export function ownShots(count: number): ShotChooser {
  return {
    key: { from: "task", count },
    choose: (example) =>
      withoutItself(example.positive ?? [], example)
        .slice(0, count)
        .map((shot) =>
          example.options?.includes(shot.output) === true ? { ...shot, options: example.options } : shot,
        ),
  };
}

/** The demonstrations that are not the row: another input, or where neither has one, another answer. */
export function withoutItself(demonstrations: readonly Demonstration[], example: Example): Demonstration[] {
  const own = normalizedInput(example.input);
  const answers = new Set(example.outputs.map(normalizedInput));
  return demonstrations.filter(({ input, output }) => {
    if (normalizedInput(input) !== own) return true;
    return own === "" && !answers.has(normalizedInput(output));
  });
}

/**
 * Demonstrations from labelled rows of the same task, chosen by seed and row id. Never the row itself (by id and by input),
 * never a row of `never`, never an evaluation-only row.
 * @throws KitError when the options cannot be met
 */
export function poolShots(pool: readonly Example[], options: PoolOptions): ShotChooser {
  const { count, seed, order, balance, never = [] } = options;
  if (!Number.isInteger(count) || count < 1) {
    throw new KitError(`${count} demonstrations cannot be shown`, "give a whole number of at least 1", {
      field: "count",
    });
  }
  const forbidden = new Set(never.map(({ task, input }) => keyOf(task, input)));
  const usable = pool.filter(
    ({ task, input, outputs, evaluationOnly }) =>
      evaluationOnly !== true && outputs.length > 0 && !forbidden.has(keyOf(task, input)),
  );
  const byTask = groupedBy(usable, ({ task }) => task);
  return {
    key: {
      from: hashJson(usable.map(({ id, input, outputs }) => [id, input, outputs[0]])),
      count,
      seed,
      order,
      balance,
    },
    choose(example) {
      const own = normalizedInput(example.input);
      const candidates = (byTask.get(example.task) ?? []).filter(
        ({ id, input }) => id !== example.id && (own === "" || normalizedInput(input) !== own),
      );
      const shuffled = Random.derive(seed, `demonstrations of ${example.id}`).shuffled(candidates);
      const chosen = (balance === "labels" ? inTurn(shuffled) : shuffled).slice(0, count);
      return (order === "random" ? chosen : candidates.filter((row) => chosen.includes(row))).map(toShot);
    },
  };
}

/**
 * The demonstrations of a row, for a template that cannot do without.
 * @throws KitError when there is none
 */
export function requireShots(template: string, chooser: ShotChooser, example: Example): readonly Shot[] {
  const shots = chooser.choose(example);
  if (shots.length > 0) return shots;
  throw new KitError(
    `there is no demonstration for example "${example.id}", which template "${template}" needs`,
    "use data whose tasks carry examples, or choose demonstrations from a pool of rows of the same task",
    { field: "positive" },
  );
}

function keyOf(task: string, input: string): string {
  return `${task}\n${normalizedInput(input)}`;
}

/** The rows, one of each answer in turn, in the order in which the answers come up. */
function inTurn(rows: readonly Example[]): Example[] {
  const byAnswer = [...groupedBy(rows, ({ outputs }) => outputs[0]).values()];
  const longest = Math.max(0, ...byAnswer.map(({ length }) => length));
  return Array.from({ length: longest }, (_, round) => round).flatMap((round) =>
    byAnswer.flatMap((group) => group.slice(round, round + 1)),
  );
}

function groupedBy<Key>(rows: readonly Example[], keyOfRow: (row: Example) => Key): Map<Key, Example[]> {
  const groups = new Map<Key, Example[]>();
  for (const row of rows) {
    const key = keyOfRow(row);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return groups;
}

function toShot({ input, outputs, rationale, options }: Example): Shot {
  return {
    input,
    output: outputs[0] ?? "",
    ...(rationale === undefined ? {} : { explanation: rationale }),
    ...(options === undefined ? {} : { options }),
  };
}
