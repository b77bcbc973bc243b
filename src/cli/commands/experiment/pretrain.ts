import { join } from "node:path";
import { Command } from "commander";
import type { PretrainResult } from "../../../experiment/pretrain/files.js";
import { readPretrainPlan } from "../../../experiment/pretrain/plan.js";
import { pretrain } from "../../../experiment/pretrain/pretrain.js";
import { writePretrainReport } from "../../../report/experiments/pretrain.js";
import { onInterrupt } from "../../interrupt.js";

interface PretrainFlags {
  readonly out: string;
  readonly json?: true;
}

const DESCRIPTION =
  "Makes a base model of the mini world as a plan says, and writes into a folder: the model and its tokenizer (Hugging Face's " +
  "files), the plan, the log of the training, its loss curve, and a README with what the model knows. Stopped with Ctrl-C and " +
  "started again, it goes on. The plans of the shipped models are datasets/checkpoints/decoder/plan.json and bert/plan.json.";

/** `ift-kit experiment pretrain PLAN`: trains a base model from its plan. */
export function pretrainCommand(): Command {
  return new Command("pretrain")
    .description(DESCRIPTION)
    .argument("<plan>", "JSON file of the plan")
    .requiredOption("--out <folder>", "folder of the model")
    .option("--json", "print the result as JSON")
    .action(runPretrain);
}

async function runPretrain(file: string, { out, json }: PretrainFlags): Promise<void> {
  const plan = readPretrainPlan(file);
  const interrupt = onInterrupt("Stopping after this step, with a checkpoint (again to stop at once).");
  try {
    const result = await pretrain(plan, out, {
      signal: interrupt.signal,
      progress: true,
      workFolder: join(out, "work"),
    });
    if (result === undefined) {
      console.log(`stopped; to go on: ift-kit experiment pretrain ${file} --out ${out}`);
      return;
    }
    await writePretrainReport(out, result);
    console.log(json === true ? JSON.stringify(result, undefined, 2) : `${out}: ${summary(result)}`);
  } finally {
    interrupt.release();
  }
}

function summary({ parameterCount, plan, quality }: PretrainResult): string {
  const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;
  const { facts, heldOut } = quality;
  const told =
    "bitsPerByte" in heldOut
      ? `${heldOut.bitsPerByte.toFixed(3)} bits per byte`
      : `${percent(heldOut.accuracy)} of masked words right`;
  return `${plan.model} of ${parameterCount.toLocaleString("en")} parameters, ${told}, ${percent(facts.recall)} of ${facts.facts} facts completed right`;
}
