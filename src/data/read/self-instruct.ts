import { basename, extname } from "node:path";
import { z } from "zod";
import type { Example } from "../example.js";
import type { Format, ReadRequest } from "./format.js";
import { readJsonLines } from "./lines.js";
import { checkRow, text, writtenText } from "./rows.js";

const rowSchema = z.looseObject({
  id: writtenText,
  name: text.optional(),
  instruction: writtenText,
  is_classification: z.boolean().optional(),
  motivation_app: writtenText.optional(),
  instances: z.array(z.unknown()),
});

const instanceSchema = z.looseObject({ input: text, output: text });

/**
 * Self-Instruct: JSONL with one task a line, `{id, instruction, instances: [{input, output}], ...}`. Each instance is an
 * example. The task type is the application of the user-oriented tasks (`motivation_app`), else whether the task is a
 * classification: the one difference that Self-Instruct itself makes between its seed tasks.
 */
export const selfInstructFormat: Format = {
  name: "self-instruct",
  looksLike: "JSONL of {id, instruction, instances: [{input, output}]}",
  recognize(sample) {
    if (sample.kind !== "lines" && sample.kind !== "object") return undefined;
    const fits = "instruction" in sample.first && "instances" in sample.first;
    return fits ? "one JSON object a line, the first with instruction and instances" : undefined;
  },
  read: readSelfInstruct,
};

async function* readSelfInstruct({ path, collector, wantsTask }: ReadRequest): AsyncGenerator<Example> {
  const source = basename(path, extname(path));
  for await (const item of readJsonLines(path)) {
    const place = { file: path, line: item.line };
    if ("problem" in item) {
      collector.drop("malformed", item.problem, "correct the line", place);
      continue;
    }
    const checked = checkRow(rowSchema, item.value);
    if ("fault" in checked) {
      const { field, problem: fault } = checked.fault;
      collector.drop("malformed", fault, "correct the line", field === "" ? place : { ...place, field });
      continue;
    }
    const {
      id,
      instruction,
      instances,
      is_classification: classification,
      motivation_app: app,
    } = checked.row;
    if (!wantsTask(id)) continue;
    if (instances.length === 0) {
      collector.drop("empty-task", `task "${id}" has no instances`, "give it an instance", {
        ...place,
        field: "instances",
      });
      continue;
    }
    const taskType = app ?? (classification === true ? "classification" : "generation");
    for (const [index, value] of instances.entries()) {
      const instance = checkRow(instanceSchema, value);
      if ("fault" in instance) {
        const { field, problem: fault } = instance.fault;
        const path = `instances.${index}${field === "" ? "" : `.${field}`}`;
        collector.drop("malformed", fault, "correct the line", { ...place, field: path });
        continue;
      }
      const { input, output } = instance.row;
      const example = collector.take(
        {
          id: instances.length === 1 ? id : `${id}-${index + 1}`,
          task: id,
          taskType,
          instruction,
          input,
          source,
        },
        [output],
        { ...place, field: `instances.${index}.output` },
      );
      if (example !== undefined) yield example;
    }
  }
}
