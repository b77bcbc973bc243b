import type { Example } from "../example.js";
import { joinRequest } from "../read/joined-request.js";
import { MARKS } from "../read/marks.js";

/** The formats that are written. */
export type WriteFormat = "alpaca" | "messages" | "prompt-completion" | "sft-pairs";

/** A field of an example. */
export type ExampleField = keyof Example;

/** An example as a record of a format, and the fields that the record does not hold. */
export interface WrittenRecord {
  readonly record: Readonly<Record<string, unknown>>;
  readonly lost: readonly ExampleField[];
}

/** What a format is. */
export interface RecordFormat {
  /** Columns of a table of such records; undefined where they are no rows of texts. */
  readonly columns: readonly string[] | undefined;
  /** A field without which there is no record, where the example lacks it. */
  readonly missing: (example: Example) => ExampleField | undefined;
  /** @param isTable whether only texts can be held */
  readonly write: (example: Example, isTable: boolean) => WrittenRecord;
}

/** The records of the formats; each also has the marks by which the reader gives the same id, task, type and source. */
export const RECORD_FORMATS: Readonly<Record<WriteFormat, RecordFormat>> = {
  alpaca: {
    columns: ["instruction", "input", "output", ...MARKS],
    missing: (example) => lacksOutput(example) ?? (example.instruction?.trim() ? undefined : "instruction"),
    write(example, isTable) {
      const turns = isTable ? undefined : alpacaTurns(example);
      const { instruction, input, outputs } = example;
      return withMarks(example, { instruction, input, output: outputs[0], ...turns }, [
        "instruction",
        ...(turns === undefined ? [] : (["history"] as const)),
      ]);
    },
  },
  messages: {
    columns: undefined,
    missing: lacksOutput,
    write(example) {
      const { instruction, tools } = example;
      const fields = {
        messages: messagesOf(example),
        ...(instruction === undefined ? {} : { instruction }),
        ...(tools === undefined ? {} : { tools }),
      };
      return withMarks(example, fields, ["instruction", "history", "tools"]);
    },
  },
  "prompt-completion": {
    columns: ["prompt", "completion", ...MARKS],
    missing: lacksOutput,
    write(example, isTable) {
      const { instruction, input, outputs } = example;
      const isMarked = instruction !== undefined && !isTable;
      const fields = {
        prompt: joinRequest(instruction, input),
        completion: outputs[0],
        ...(isMarked ? { instruction } : {}),
      };
      return withMarks(example, fields, isMarked ? ["instruction"] : []);
    },
  },
  "sft-pairs": {
    columns: ["input", "output", ...MARKS],
    missing: lacksOutput,
    write: (example) => withMarks(example, { input: example.input, output: example.outputs[0] }, []),
  },
};

function lacksOutput({ outputs }: Example): ExampleField | undefined {
  return outputs.length === 0 ? "outputs" : undefined;
}

/** Adds the marks, and says what of the example is in none of the fields. */
function withMarks(
  example: Example,
  fields: Readonly<Record<string, unknown>>,
  held: readonly ExampleField[],
): WrittenRecord {
  const { id, task, taskType, source } = example;
  const isHeld = new Set<ExampleField>(["input", ...MARKS, ...held]);
  const lost = (Object.keys(example) as ExampleField[]).filter((field) => {
    const value = example[field];
    if (field === "outputs") return example.outputs.length > 1;
    return !isHeld.has(field) && value !== undefined && !(Array.isArray(value) && value.length === 0);
  });
  return { record: { ...fields, id, task, taskType, source }, lost };
}

/** `system` and `history` of LLaMA-Factory's dialect; undefined for turns that are not pairs of question and answer. */
function alpacaTurns({ history = [] }: Example): { system?: string; history?: string[][] } | undefined {
  const [first] = history;
  const system = first?.role === "system" && first.text !== "" ? first.text : undefined;
  const turns = system === undefined ? history : history.slice(1);
  const isPaired =
    turns.length % 2 === 0 &&
    turns.every(({ role }, index) => role === (index % 2 === 0 ? "user" : "assistant"));
  if (!isPaired) return undefined;
  const pairs = Array.from({ length: turns.length / 2 }, (_, index) =>
    turns.slice(2 * index, 2 * index + 2).map(({ text }) => text),
  );
  return {
    ...(system === undefined ? {} : { system }),
    ...(pairs.length === 0 ? {} : { history: pairs }),
  };
}

/**
 * The conversation of an example. Earlier assistant turns get the weight 0: only the last is this example's. The request is
 * left out where there is none because a tool's result is answered.
 */
function messagesOf({ history = [], instruction, input, outputs }: Example): object[] {
  const request = joinRequest(instruction, input);
  const answersHistory =
    request === "" &&
    history.some(({ role }) => role === "user" || role === "tool") &&
    history.at(-1)?.role !== "user";
  return [
    ...history.map(({ role, text }) => ({
      role,
      content: text,
      ...(role === "assistant" ? { loss_weight: 0 } : {}),
    })),
    ...(answersHistory ? [] : [{ role: "user", content: request }]),
    { role: "assistant", content: outputs[0] },
  ];
}
