import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { readTextFile } from "../../support/files.js";
import type { Demonstration, Example } from "../example.js";
import { type Format, memberNames, type ReadRequest } from "./format.js";
import { readObjectRows } from "./object-rows.js";
import { checkRow, text, writtenText } from "./rows.js";

const rowSchema = z.looseObject({ input: writtenText, target: text });

/**
 * BIG-Bench Hard (Suzgun et al. 2022): `{canary, examples: [{input, target}]}`, one file a task. Instruction and three
 * demonstrations with their reasoning come from `cot-prompts/<task>.txt` where it stands beside the folder. The variants of
 * a task with three, five and seven objects are one type. Options that the input lists are the row's options. For evaluation
 * only, as the canary asks.
 */
export const bigBenchHardFormat: Format = {
  name: "big-bench-hard",
  looksLike: "a JSON object with canary and examples [{input, target}]",
  recognize(sample) {
    const names = memberNames(sample);
    return names.includes("canary") && names.includes("examples")
      ? "a JSON object with canary and examples"
      : undefined;
  },
  read: readTask,
};

async function* readTask({ path, name, collector, wantsTask }: ReadRequest): AsyncGenerator<Example> {
  if (!wantsTask(name)) return;
  const ofTask = {
    task: name,
    taskType: name.replace(/_(three|five|seven)_objects$/, ""),
    source: name,
    ...readPrompt(path),
    evaluationOnly: true,
  } as const;
  yield* readObjectRows(path, "examples", collector, (value, number) => {
    const checked = checkRow(rowSchema, value);
    if ("fault" in checked) return checked;
    const { input, target } = checked.row;
    const options = optionsIn(input);
    const row = { id: `${name}-${number}`, input, ...ofTask };
    const example = options.includes(target) ? { ...row, options } : row;
    return { draft: { example, outputs: [target] }, field: "target" };
  });
}

/** What an answer may be, from a list such as "Options:", "(A) yes", "(B) no" (the letters) or "- Yes", "- No". */
function optionsIn(input: string): string[] {
  const [, list] = input.split(/\nOptions:\s*\n/);
  return (list ?? "").split("\n").flatMap((line) => {
    const [, letter, item] = /^\s*(?:(\([A-Z]\))\s|- (.*\S))/.exec(line) ?? [];
    return letter === undefined ? (item === undefined ? [] : [item]) : [letter];
  });
}

/** Instruction and demonstrations of a prompt file: a canary line, "-----", the instruction, then "Q: ..." and "A: ...". */
function readPrompt(path: string): { instruction?: string; positive?: readonly Demonstration[] } {
  const folder = dirname(path);
  const task = basename(path).replace(/\.json(\.gz)?$/, "");
  const file = [folder, dirname(folder)]
    .map((place) => join(place, "cot-prompts", `${task}.txt`))
    .find(existsSync);
  if (file === undefined) return {};
  const [instruction = "", ...items] = readTextFile(file)
    .replace(/^.*canary.*\n-+\n/i, "")
    .split(/\n\s*\nQ: /);
  const positive = items.flatMap((item): Demonstration[] => {
    const [input, answer] = item.split(/\nA: /);
    const output = /So the answer is (.*?)\.?\s*$/s.exec(answer ?? "")?.[1];
    return input === undefined || answer === undefined || output === undefined
      ? []
      : [{ input, output, explanation: answer.trim() }];
  });
  return { instruction: instruction.trim(), ...(positive.length === 0 ? {} : { positive }) };
}
