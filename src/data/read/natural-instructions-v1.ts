import { z } from "zod";
import type { Example } from "../example.js";
import { demonstrationOf, demonstrations } from "./demonstrations.js";
import { type Format, memberNames, type ReadRequest } from "./format.js";
import { checkRow, text, writtenText } from "./rows.js";
import { readTaskFile, type TaskReading } from "./task-file.js";

const taskSchema = z.looseObject({
  Title: text.optional(),
  Prompt: text.optional(),
  Definition: writtenText,
  "Things to Avoid": text.optional(),
  "Emphasis & Caution": text.optional(),
  Categories: z.array(writtenText).optional(),
  Source: z.array(writtenText).optional(),
  Examples: z.looseObject({ "Positive Examples": demonstrations, "Negative Examples": demonstrations }),
});

/**
 * Natural Instructions v1 (Mishra et al. 2022): one JSON object a task, with Definition, Prompt, "Things to Avoid",
 * "Emphasis & Caution", Examples and Instances. The instruction is all four, each under its name except the definition; a
 * part that is "-" or empty is left out. Without Categories the task is a type of its own.
 */
export const naturalInstructionsV1Format: Format = {
  name: "natural-instructions-v1",
  looksLike: "a JSON object with Definition, Examples and Instances",
  recognize(sample) {
    const names = memberNames(sample);
    const fits = ["Definition", "Examples", "Instances"].every((name) => names.includes(name));
    return fits ? "a JSON object with Definition, Examples and Instances" : undefined;
  },
  async *read({ path, name, collector, wantsTask }: ReadRequest): AsyncGenerator<Example> {
    if (wantsTask(name)) yield* readTaskFile(path, name, collector, (members) => readTask(members, name));
  },
};

function readTask(members: Readonly<Record<string, unknown>>, task: string): TaskReading {
  const checked = checkRow(taskSchema, members);
  if ("fault" in checked) return checked;
  const { Definition, Examples, Categories = [], Source = [], ...rest } = checked.row;
  const parts = (["Emphasis & Caution", "Things to Avoid", "Prompt"] as const).flatMap((name) => {
    const part = rest[name]?.trim() ?? "";
    return ["", "-"].includes(part) ? [] : [`${name}: ${part}`];
  });
  return {
    ofTask: {
      task,
      taskType: Categories[0] ?? task,
      source: Source.length > 0 ? Source.join(" + ") : task,
      instruction: [Definition.trim(), ...parts].join("\n"),
      positive: Examples["Positive Examples"].map(demonstrationOf),
      negative: Examples["Negative Examples"].map(demonstrationOf),
    },
  };
}
