import { Command, Option } from "commander";
import { startEngine } from "../../engine/start.js";
import { beamSearch } from "../../evaluate/beam-search.js";
import type { BeamSearch } from "../../evaluate/beams.js";
import { roomAfter } from "../../evaluate/continuation.js";
import { generate, type Generated, type GenerateOptions } from "../../evaluate/generate.js";
import { loadModelFolder } from "../../evaluate/model-folder.js";
import { encodePromptText, readPrompts } from "../../evaluate/requests.js";
import { KitError } from "../../support/errors.js";
import { writeFileAtomic } from "../../support/files.js";
import { progressBar } from "../../support/progress.js";
import { onInterrupt } from "../interrupt.js";
import { finiteNumber, positiveInteger } from "../options.js";
import { samplingOf, type SamplingFlags, withSamplingFlags } from "../sampling-flags.js";

interface GenerateFlags extends SamplingFlags {
  readonly model: string;
  readonly prompts: string;
  readonly out: string;
  readonly maxNewTokens: number;
  readonly batchSize: number;
  readonly beams?: number;
  readonly lengthPenalty?: number;
  readonly earlyStopping?: "true" | "false" | "never";
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
    .option(
      "--beams <number>",
      "follow this many answers at once and take the most probable",
      positiveInteger,
    )
    .option("--length-penalty <number>", "of --beams: above 0 long answers gain (default: 1)", finiteNumber)
    .addOption(
      new Option(
        "--early-stopping <when>",
        "of --beams: end at as many answers as beams (true), when the best beam is behind them (false, the default), or when it cannot come before them (never)",
      ).choices(["true", "false", "never"]),
    )
    .option("--stop <texts...>", "texts that end an answer, besides the end token; they are not in it")
    .addHelpText(
      "after",
      "\nThe prompt begins with the tokenizer's BOS where it has one. An encoder-decoder (T5) reads it, with the end token of its input.",
    )
    .option("--eager", "call TensorFlow's kernels one by one instead of compiling the model")
    .action(generateAnswers);
}

async function generateAnswers(flags: GenerateFlags): Promise<void> {
  const { model, prompts: file, out, maxNewTokens, batchSize } = flags;
  const sampling = samplingOf(flags);
  const search = searchOf(flags);
  const prompts = await readPrompts(file);
  await startEngine();
  const { decoder, tokenizer } = loadModelFolder(model);
  const rows = prompts.map(({ prompt, line }) => {
    const ids = encodePromptText(prompt, tokenizer, { file, line });
    if (roomAfter(decoder, ids) > 0) return ids;
    throw new KitError(
      `the prompt has ${ids.length} tokens, the model's context is ${decoder.config.contextLength}`,
      "shorten the prompt or use a model with a longer context",
      { file, line, field: "prompt" },
    );
  });
  const interrupt = onInterrupt("Stopping; nothing is written.");
  const bar = progressBar("generating");
  try {
    const options = {
      maxNewTokens,
      batchSize,
      eos: tokenizer.special.eos,
      signal: interrupt.signal,
      onProgress: (done: number, total: number) => bar.update(done / total, `${done} of ${total} prompts`),
    };
    const single: Omit<GenerateOptions, keyof typeof options> = {
      ...(flags.eager === true ? { compile: false } : {}),
      ...(sampling === undefined ? {} : { sampling }),
      ...(flags.repetitionPenalty === undefined ? {} : { repetitionPenalty: flags.repetitionPenalty }),
      ...(flags.stop === undefined ? {} : { stop: { texts: flags.stop, tokenizer } }),
    };
    const answers: readonly Answer[] =
      search === undefined
        ? await generate(decoder, rows, { ...options, ...single })
        : (await beamSearch(decoder, rows, search, options)).map(([best]) => best ?? { ids: [] });
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

/** What is written of an answer. */
type Answer = Pick<Generated, "ids" | "text">;

/** The beam search that is asked for. @throws KitError for a flag that would do nothing */
function searchOf(flags: GenerateFlags): BeamSearch | undefined {
  const { beams, lengthPenalty, earlyStopping } = flags;
  if (beams === undefined) {
    const idle = (["lengthPenalty", "earlyStopping"] as const).find((name) => flags[name] !== undefined);
    if (idle === undefined) return undefined;
    throw new KitError("this belongs to a beam search", "add --beams", { field: idle });
  }
  const other = (["temperature", "topK", "topP", "repetitionPenalty", "stop"] as const).find(
    (name) => flags[name] !== undefined,
  );
  if (other !== undefined) {
    throw new KitError(
      "a beam search takes the most probable answers as they are",
      "leave one of the two out",
      {
        field: other,
      },
    );
  }
  return {
    beams,
    lengthPenalty: lengthPenalty ?? 1,
    earlyStopping: earlyStopping === "never" ? "never" : earlyStopping === "true",
  };
}
