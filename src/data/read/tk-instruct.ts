import { z } from "zod";
import { demonstrationOf, demonstrations, instanceSchema } from "./demonstrations.js";
import { oneExample, readChecked, rowFormat } from "./row-format.js";
import { writtenText } from "./rows.js";

const rowSchema = z.looseObject({
  Task: writtenText,
  Categories: z.array(writtenText).min(1, "it has no entry"),
  Definition: z.union([writtenText, z.array(writtenText).min(1, "it has no entry")]),
  Source: z.array(writtenText).optional(),
  "Positive Examples": demonstrations,
  "Negative Examples": demonstrations,
  Instance: instanceSchema,
});

/** Tk-Instruct's flat form of Super-NaturalInstructions: one instance a record, with its task's definition and examples. */
export const tkInstructFormat = rowFormat({
  name: "tk-instruct",
  looksLike: "{Task, Categories, Definition, Positive Examples, Instance}",
  recognize: (first) =>
    "Definition" in first && "Instance" in first ? "the first row has Definition and Instance" : undefined,
  rows: (record, context) =>
    readChecked(rowSchema, record, context, (row) => {
      const { name, number } = context;
      const { id = `${name}-${number}`, input, output } = row.Instance;
      const source = row.Source ?? [];
      const example = {
        id,
        task: row.Task,
        taskType: row.Categories[0] ?? row.Task,
        instruction: typeof row.Definition === "string" ? row.Definition : (row.Definition[0] ?? ""),
        input,
        positive: row["Positive Examples"].map(demonstrationOf),
        negative: row["Negative Examples"].map(demonstrationOf),
        source: source.length === 0 ? row.Task : source.join(" + "),
      };
      return oneExample(example, typeof output === "string" ? [output] : output, "Instance.output");
    }),
});
