import { Command } from "commander";
import { startEngine } from "../../engine/start.js";
import { roomAfter } from "../../evaluate/continuation.js";
import { loadModelFolder } from "../../evaluate/model-folder.js";
import { encodePromptText, encodeTargetText, readScoreRequests } from "../../evaluate/requests.js";
import { scoreTargets } from "../../evaluate/score.js";
import { KitError } from "../../support/errors.js";
import { writeFileAtomic } from "../../support/files.js";
import { progressBar } from "../../support/progress.js";
import { onInterrupt } from "../interrupt.js";
import { positiveInteger } from "../options.js";

interface ScoreFlags {
  readonly model: string;
  readonly requests: string;
  readonly out: string;
  readonly batchTokens: number;
  readonly eager?: true;
}

/** `ift-kit score --model DIR --requests F --out F`: log-probabilities of given answers. */
export function command(): Command {
  return new Command("score")
    .requiredOption("--model <folder>", "folder with config.json, model.safetensors and tokenizer.json")
    .requiredOption("--requests <file>", "JSONL, one object {id, prompt, target} a line")
    .requiredOption(
      "--out <file>",
      "JSONL to write: {id, logprob, tokens, tokenLogprobs}, natural log; tokens is how many the target has",
    )
    .option(
      "--batch-tokens <number>",
      "most tokens in a batch; does not change the scores",
      positiveInteger,
      4096,
    )
    .option("--eager", "call TensorFlow's kernels one by one instead of compiling the model")
    .addHelpText(
      "after",
      "\nThe prompt begins with the tokenizer's BOS where it has one; the target is scored as it is, without an end token. An encoder-decoder (T5) reads the prompt, with the end token of its input.",
    )
    .action(score);
}

async function score({ model, requests: file, out, batchTokens, eager }: ScoreFlags): Promise<void> {
  const requests = await readScoreRequests(file);
  await startEngine();
  const { decoder, tokenizer } = loadModelFolder(model);
  const rows = requests.map(({ prompt, target, line }) => {
    const row = {
      prompt: encodePromptText(prompt, tokenizer, { file, line }),
      target: encodeTargetText(target, tokenizer, { file, line }),
    };
    if (row.target.length > roomAfter(decoder, row.prompt)) {
      throw new KitError(
        `prompt and target have ${row.prompt.length} + ${row.target.length} tokens, the model's context is ${decoder.config.contextLength}`,
        "shorten the prompt or use a model with a longer context",
        { file, line, field: "prompt" },
      );
    }
    return row;
  });
  const interrupt = onInterrupt("Stopping; nothing is written.");
  const bar = progressBar("scoring");
  try {
    const scores = await scoreTargets(decoder, rows, {
      batchTokens,
      ...(eager === true ? { compile: false } : {}),
      signal: interrupt.signal,
      onProgress: (done, total) => bar.update(done / total, `${done} of ${total} rows`),
    });
    if (interrupt.signal.aborted) return;
    const lines = scores.map(({ logprob, tokenLogprobs }, index) =>
      JSON.stringify({ id: requests[index]?.id, logprob, tokens: tokenLogprobs.length, tokenLogprobs }),
    );
    writeFileAtomic(out, `${lines.join("\n")}\n`);
  } finally {
    bar.stop();
    interrupt.release();
  }
}
