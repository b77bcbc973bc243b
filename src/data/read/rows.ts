import { z } from "zod";
import { KitError, type ErrorLocation } from "../../support/errors.js";
import type { Example } from "../example.js";

/** Why a row of a file was not taken. */
export type ReadDropReason =
  "malformed" | "no-output" | "empty-task" | "duplicate-id" | "unreadable-file" | "over-limit";

/** An example before its references were looked at. */
export interface ExampleDraft {
  readonly example: Omit<Example, "outputs">;
  /** The references as they are in the file. */
  readonly outputs: readonly string[];
}

/** A row that was left out, with the place and what is wrong. */
export interface RowProblem {
  readonly reason: ReadDropReason;
  readonly message: string;
}

/**
 * What became of the rows of a file or folder. `rowsIn` = `kept` + all of `dropped`; a row is one instance or conversation,
 * or the whole task or file where its instances could not be reached.
 */
export interface ReadLedger {
  readonly rowsIn: number;
  readonly kept: number;
  readonly dropped: Readonly<Partial<Record<ReadDropReason, number>>>;
  /** Examples that the kept rows made: a conversation makes one for each assistant turn that is trained. */
  readonly examples: number;
  /** Assistant turns of kept rows that made no example: of loss weight 0, empty, or an answer to nothing. */
  readonly untrainedTurns: number;
  /** References left out of kept rows because the row has the same one already. */
  readonly repeatedReferences: number;
  /** References left out of kept rows because they are empty. */
  readonly emptyReferences: number;
  /** The first problems, at most 20. */
  readonly problems: readonly RowProblem[];
}

export interface CollectorOptions {
  readonly onMalformed: "error" | "skip";
  readonly limitPerTask: number;
  /** Whether ids are looked at for repetitions, which takes memory for each row. */
  readonly checkIds: boolean;
}

const PROBLEMS_KEPT = 20;

/** Keeps the books while a reader goes through its rows: each row is either taken or dropped with a reason. */
export class RowCollector {
  readonly #options: CollectorOptions;
  readonly #ids = new Set<string>();
  readonly #perTask = new Map<string, number>();
  readonly #dropped: Partial<Record<ReadDropReason, number>> = {};
  readonly #problems: RowProblem[] = [];
  #rowsIn = 0;
  #kept = 0;
  #examples = 0;
  #untrainedTurns = 0;
  #repeatedReferences = 0;
  #emptyReferences = 0;

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  /** Takes a row that makes one example; see `takeRow`. */
  take(
    example: Omit<Example, "outputs">,
    outputs: readonly string[],
    location: ErrorLocation,
  ): Example | undefined {
    return this.takeRow({ drafts: [{ example, outputs }] }, location)[0];
  }

  /**
   * Takes a row, or drops it because an id was there before, it has no output, or its task has enough rows. Repeated and
   * empty references are left out. A row that is for evaluation only may have no references at all.
   * @returns its examples, none when the row was dropped
   */
  takeRow(
    {
      drafts,
      untrainedTurns = 0,
    }: { readonly drafts: readonly ExampleDraft[]; readonly untrainedTurns?: number },
    location: ErrorLocation,
  ): readonly Example[] {
    const examples: Example[] = [];
    let [repeated, empty] = [0, 0];
    for (const { example, outputs } of drafts) {
      const written = outputs.filter((output) => output.trim() !== "");
      if (written.length === 0 && !(example.evaluationOnly === true && outputs.length === 0)) continue;
      const unique = [...new Set(written)];
      empty += outputs.length - written.length;
      repeated += written.length - unique.length;
      examples.push({ ...example, outputs: unique });
    }
    const [first] = examples;
    if (first === undefined) {
      this.drop("no-output", "the row has no output", "give it an output", { field: "output", ...location });
      return [];
    }
    const known = examples.find(({ id }) => this.#ids.has(id));
    if (known !== undefined) {
      const place = location.field === undefined ? location : { ...location, field: "id" };
      this.drop(
        "duplicate-id",
        `the id "${known.id}" was used before`,
        "give each row an id of its own",
        place,
      );
      return [];
    }
    this.#rowsIn++;
    if (!this.#hasRoom(first.task)) return [];
    if (this.#options.checkIds) for (const { id } of examples) this.#ids.add(id);
    this.#emptyReferences += empty;
    this.#repeatedReferences += repeated;
    this.#untrainedTurns += untrainedTurns + drafts.length - examples.length;
    this.#kept++;
    this.#examples += examples.length;
    return examples;
  }

  /** Whether the task may have one more row; counts it. */
  #hasRoom(task: string): boolean {
    const { limitPerTask } = this.#options;
    if (limitPerTask === Infinity) return true;
    const rows = this.#perTask.get(task) ?? 0;
    if (rows >= limitPerTask) {
      this.#dropped["over-limit"] = (this.#dropped["over-limit"] ?? 0) + 1;
      return false;
    }
    this.#perTask.set(task, rows + 1);
    return true;
  }

  /**
   * Drops rows that cannot be taken.
   * @param rows how many rows are lost by it
   * @throws KitError when the caller did not ask for skips
   */
  drop(reason: ReadDropReason, problem: string, cure: string, location: ErrorLocation, rows = 1): void {
    const skip = 'or skip such rows (--skip-malformed, onMalformed: "skip")';
    this.#book(reason, new KitError(problem, `${cure}, ${skip}`, location), rows);
  }

  /**
   * Drops a whole file that cannot be read; it counts as one row.
   * @throws the error when the caller did not ask for skips
   */
  dropFile(error: KitError): void {
    this.#book("unreadable-file", error, 1);
  }

  #book(reason: ReadDropReason, error: KitError, rows: number): void {
    if (this.#options.onMalformed === "error") throw error;
    this.#rowsIn += rows;
    this.#dropped[reason] = (this.#dropped[reason] ?? 0) + rows;
    if (this.#problems.length < PROBLEMS_KEPT) this.#problems.push({ reason, message: error.message });
  }

  /** The books so far. */
  ledger(): ReadLedger {
    return {
      rowsIn: this.#rowsIn,
      kept: this.#kept,
      dropped: { ...this.#dropped },
      examples: this.#examples,
      untrainedTurns: this.#untrainedTurns,
      repeatedReferences: this.#repeatedReferences,
      emptyReferences: this.#emptyReferences,
      problems: [...this.#problems],
    };
  }
}

/** A string of whole characters: half of a surrogate pair (`"\ud83d"` in JSON) cannot be written as UTF-8. */
export const text = z.string().refine((value) => !/\p{Surrogate}/u.test(value), "it holds half a character");

/** A text with something in it besides white space. */
export const writtenText = text.refine((value) => value.trim() !== "", "it is empty");

/** What is wrong with a row: the field as a dotted path, and one clause. */
export interface RowFault {
  readonly field: string;
  readonly problem: string;
}

/** Checks a row. Values are described by their type, never printed: they can be huge or deeply nested. */
export function checkRow<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): { readonly row: z.output<Schema> } | { readonly fault: RowFault } {
  const result = schema.safeParse(value);
  if (result.success) return { row: result.data };
  const issue = deepest(result.error.issues[0]);
  const given = issue.path.reduce<unknown>(
    (at, key) =>
      typeof at === "object" && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined,
    value,
  );
  const field = issue.path.map(String).join(".");
  const name = field === "" ? "the row" : `"${field}"`;
  if (given === undefined) return { fault: { field, problem: `${name} is missing` } };
  const expected = issue.code === "invalid_type" ? `${issue.expected} was expected` : issue.message;
  return { fault: { field, problem: `${name} is ${typeName(given)}: ${expected}` } };
}

/** In a union, the issue of the alternative that got furthest; paths are made absolute. */
function deepest(issue: z.core.$ZodIssue | undefined): z.core.$ZodIssue {
  if (issue === undefined) throw new RangeError("a failed check without an issue");
  if (issue.code !== "invalid_union") return issue;
  const inner = issue.errors
    .flat()
    .map((nested) => ({ ...deepest(nested), path: [...issue.path, ...nested.path] }))
    .sort((a, b) => b.path.length - a.path.length)[0];
  return inner === undefined || inner.path.length === issue.path.length
    ? { ...issue, message: "another type was expected" }
    : inner;
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
