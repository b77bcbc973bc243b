import { Command } from "commander";
import type { Example } from "../../../data/example.js";
import { positiveInteger } from "../../options.js";
import { describeReadLedger, type ReadFlags, readWithFlags, textTable, withReadFlags } from "./shared.js";

/** `ift-kit data inspect PATH`: format, counts, ledger, first rows. */
export function inspectCommand(): Command {
  return withReadFlags(new Command("inspect"))
    .description("Tells the format of data and why, counts its rows, shows the first of them.")
    .argument("<path>", "file or folder")
    .option("--rows <n>", "how many rows to show", positiveInteger, 3)
    .option("--json", "print the findings as JSON")
    .action(inspect);
}

async function inspect(
  path: string,
  flags: ReadFlags & { readonly rows: number; readonly json?: true },
): Promise<void> {
  const { examples, format, why, ledger } = await readWithFlags(path, flags);
  const taskTypes = countByTaskType(examples);
  const first = examples.slice(0, flags.rows);
  if (flags.json === true) {
    console.log(JSON.stringify({ path, format, why, ledger, taskTypes, first }, undefined, 2));
    return;
  }
  console.log(`${path}: ${format}, because it is ${why}`);
  console.log(describeReadLedger(ledger));
  for (const { message } of ledger.problems.slice(0, 5)) console.log(`  ${message}`);
  const { repeatedReferences, emptyReferences } = ledger;
  if (repeatedReferences + emptyReferences > 0) {
    console.log(`references left out: ${repeatedReferences} repeated, ${emptyReferences} empty`);
  }
  console.log("");
  console.log(
    textTable(
      ["task type", "tasks", "rows", "inputs empty"],
      taskTypes.map(({ taskType, tasks, rows, emptyInputs }) => [taskType, tasks, rows, emptyInputs]),
    ),
  );
  for (const example of first) console.log(`\n${describeExample(example)}`);
}

interface TaskTypeCount {
  readonly taskType: string;
  readonly tasks: number;
  readonly rows: number;
  readonly emptyInputs: number;
}

function countByTaskType(examples: readonly Example[]): TaskTypeCount[] {
  const groups = new Map<string, Example[]>();
  for (const example of examples) {
    const group = groups.get(example.taskType);
    if (group === undefined) groups.set(example.taskType, [example]);
    else group.push(example);
  }
  return [...groups]
    .map(([taskType, rows]) => ({
      taskType,
      tasks: new Set(rows.map(({ task }) => task)).size,
      rows: rows.length,
      emptyInputs: rows.filter(({ input }) => input === "").length,
    }))
    .sort((a, b) => b.rows - a.rows || (a.taskType < b.taskType ? -1 : 1));
}

function describeExample({ id, task, instruction, input, outputs }: Example): string {
  const shorten = (text: string): string => {
    const line = text.replace(/\s+/g, " ").trim();
    return line.length > 160 ? `${line.slice(0, 160)}...` : line;
  };
  return [
    `${id} (${task})`,
    `  instruction  ${instruction === undefined ? "(none)" : shorten(instruction)}`,
    `  input        ${input === "" ? "(empty)" : shorten(input)}`,
    `  output       ${shorten(outputs[0] ?? "")}${outputs.length > 1 ? ` (and ${outputs.length - 1} other references)` : ""}`,
  ].join("\n");
}
