import { extname } from "node:path";
import { Command } from "commander";
import { readTextFile } from "../../../support/files.js";
import { trainByteLevelBpe } from "../../../tokenizer/byte-level-bpe.js";
import { positiveInteger } from "../../options.js";
import { type ReadFlags, readWithFlags, withReadFlags } from "./shared.js";

interface TokenizerFlags extends ReadFlags {
  readonly vocabularySize: number;
  readonly out: string;
  readonly bos: boolean;
  readonly addedTokens?: readonly string[];
}

/** `ift-kit data tokenizer PATH... --vocabulary-size N --out DIR`: trains a byte-level BPE. */
export function tokenizerCommand(): Command {
  return withReadFlags(new Command("tokenizer"))
    .description("Trains a byte-level BPE on instructions, inputs and outputs, or on plain text (.txt).")
    .argument("<path...>", "files or folders")
    .requiredOption("--vocabulary-size <n>", "number of ids, special tokens included", positiveInteger)
    .requiredOption("--out <folder>", "folder for tokenizer.json and tokenizer_config.json")
    .option(
      "--added-tokens <text...>",
      "further tokens that stand for themselves, such as those of a chat template",
    )
    .option("--no-bos", "no token at the beginning of each row")
    .action(train);
}

async function train(paths: readonly string[], flags: TokenizerFlags): Promise<void> {
  const texts: string[] = [];
  for (const path of paths) texts.push(...(await textsOf(path, flags)));
  const start = performance.now();
  const { vocabularySize, bos, addedTokens = [] } = flags;
  const tokenizer = trainByteLevelBpe(texts, { vocabularySize, bos, addedTokens });
  const seconds = (performance.now() - start) / 1000;
  tokenizer.save(flags.out);
  const characters = texts.reduce((sum, text) => sum + text.length, 0);
  console.log(
    `${flags.out}: ${tokenizer.vocabularySize} tokens from ${characters} characters in ${seconds.toFixed(1)} s`,
  );
  if (tokenizer.vocabularySize < vocabularySize) {
    console.log(
      `no other pair of tokens occurs twice, so there are fewer than the ${vocabularySize} asked for`,
    );
  }
}

/** Each instruction once, however many rows it has; every input and output. */
async function textsOf(path: string, flags: ReadFlags): Promise<string[]> {
  if (extname(path) === ".txt") return [readTextFile(path)];
  const { examples } = await readWithFlags(path, flags);
  return [
    ...new Set(examples.flatMap(({ instruction }) => (instruction === undefined ? [] : [instruction]))),
    ...examples.flatMap(({ input, outputs }) => [input, ...outputs]),
  ].filter((text) => text !== "");
}
