import { Command } from "commander";
import { startEngine } from "../../engine/start.js";
import { generate } from "../../evaluate/generate.js";
import { loadModelFolder } from "../../evaluate/model-folder.js";
import { encodePromptText, readPrompts } from "../../evaluate/requests.js";
import { KitError } from "../../support/errors.js";
import { writeFileAtomic } from "../../support/files.js";
import { progressBar } from "../../support/progress.js";
import { onInterrupt } from "../interrupt.js";
import { positiveInteger } from "../options.js";
import { samplingOf, type SamplingFlags, withSamplingFlags } from "../sampling-flags.js";

interface GenerateFlags extends SamplingFlags {
  readonly model: string;
  readonly prompts: string;
  readonly out: string;
  readonly maxNewTokens: number;
  readonly batchSize: number;
  readonly stop?: readonly string[];
  readonly eager?: true;
}

/** `ift-kit generate --model DIR --prompts F --out F`: answers, greedy or sampled. */
export function command(): Command {
  return withSamplingFlags(new Command("generate"))
    .requiredOption("--model <folder>", "folder with config.json, model.safetensors and tokenizer.json")
    .requiredOption("--prompts <file>", "JSONL, one object {id, prompt} a line")
    .requiredOption("--out <file>", "JSONL to write: {id, text}")
    .option("--max-new-tokens <number>", "longest answer in tokens", positiveInteger, 128)
    .option(
      "--batch-size <number>",
      "prompts answered together; does not change the answers",
      positiveInteger,
      32,
    )
    .option("--stop <texts...>", "texts that end an answer, besides the end token; they are not in it")
    .addHelpText("after", "\nThe prompt begins with the tokenizer's BOS where it has one.")
    .option("--eager", "call TensorFlow's kernels one by one instead of compiling the model")
    .action(generateAnswers);
}

async function generateAnswers(flags: GenerateFlags): Promise<void> {
  const { model, prompts: file, out, maxNewTokens, batchSize } = flags;
  const sampling = samplingOf(flags);
  const prompts = await readPrompts(file);
  await startEngine();
  const { decoder, tokenizer } = loadModelFolder(model);
  const { contextLength } = decoder.config;
  const rows = prompts.map(({ prompt, line }) => {
    const ids = encodePromptText(prompt, tokenizer, { file, line });
    if (ids.length <= contextLength) return ids;
    throw new KitError(
      `the prompt has ${ids.length} tokens, the model's context is ${contextLength}`,
      "shorten the prompt or use a model with a longer context",
      { file, line, field: "prompt" },
    );
  });
  const interrupt = onInterrupt("Stopping; nothing is written.");
  const bar = progressBar("generating");
  try {
    const answers = await generate(decoder, rows, {
      maxNewTokens,
      batchSize,
      eos: tokenizer.special.eos,
      ...(flags.eager === true ? { compile: false } : {}),
      signal: interrupt.signal,
      onProgress: (done, total) => bar.update(done / total, `${done} of ${total} prompts`),
      ...(sampling === undefined ? {} : { sampling }),
      ...(flags.repetitionPenalty === undefined ? {} : { repetitionPenalty: flags.repetitionPenalty }),
      ...(flags.stop === undefined ? {} : { stop: { texts: flags.stop, tokenizer } }),
    });
    if (interrupt.signal.aborted) return;
    const lines = answers.map(({ ids, text }, index) =>
      JSON.stringify({ id: prompts[index]?.id, text: text ?? tokenizer.decode(ids) }),
    );
    writeFileAtomic(out, `${lines.join("\n")}\n`);
  } finally {
    bar.stop();
    interrupt.release();
  }
}
