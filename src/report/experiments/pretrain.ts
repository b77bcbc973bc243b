import { join } from "node:path";
import {
  type BertResult,
  type DecoderResult,
  type LogLine,
  type PretrainResult,
} from "../../experiment/pretrain/files.js";
import { PRETRAIN_FILES } from "../../experiment/pretrain/plan.js";
import { readTextFile, writeFileAtomic } from "../../support/files.js";
import type { Figure } from "../figure.js";
import { learningCurves } from "../figures/learning-curves.js";
import { renderPng } from "../png.js";
import { bertCard } from "./bert-card.js";
import { factsTable, millions, minutes, percent, table, whole } from "./card.js";

/** Loss over the tokens of a pre-training. */
export function pretrainFigure(log: readonly LogLine[], { plan, parameterCount }: PretrainResult): Figure {
  const bert = plan.model === "bert";
  return learningCurves({
    id: "loss-curve",
    title: `${bert ? "Masked words and next sentences" : "Next-token prediction"} on the corpus of the mini world`,
    subtitle: `${bert ? "BERT" : "decoder"} of ${millions(parameterCount)} million parameters; each point is the mean of some steps`,
    xTitle: "training tokens",
    yTitle: bert ? "loss (nats per masked word, plus nats per pair)" : "loss (nats per token)",
    curves: [{ name: "training", points: log.map(({ tokens, loss }) => ({ x: tokens, y: loss })) }],
  });
}

/**
 * Writes the loss curve (PNG and plotly's JSON) and the model card into the folder of a pre-training.
 * @returns what was written
 * @throws KitError when the log is missing or a file cannot be written
 */
export async function writePretrainReport(folder: string, result: PretrainResult): Promise<string[]> {
  const log = readTextFile(join(folder, PRETRAIN_FILES.log))
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as LogLine);
  const figure = pretrainFigure(log, result);
  const files: readonly (readonly [string, string | Uint8Array])[] = [
    ["loss-curve.png", await renderPng(figure)],
    ["loss-curve.json", `${JSON.stringify(figure)}\n`],
    ["README.md", isBert(result) ? bertCard(result) : modelCard(result)],
  ];
  for (const [name, content] of files) writeFileAtomic(join(folder, name), content);
  return files.map(([name]) => join(folder, name));
}

function isBert(result: PretrainResult): result is BertResult {
  return result.plan.model === "bert";
}

/** The model card of a base decoder, in Markdown: every number in it is of the result. */
export function modelCard(result: DecoderResult): string {
  const { plan, parameterCount, corpus, training, quality } = result;
  const { decoder, tokenizer } = plan;
  const { heldOut, facts, selections, samples } = quality;
  return `# Base decoder of the mini world

A decoder of ${millions(parameterCount)} million parameters (${decoder.layers} blocks of width ${decoder.width}, rotary positions; Llama's
family in \`transformers\`), trained from random weights by ift-kit on next-token prediction. It knows the kit's own small
world and nothing else: no text of anybody else was used, and it has seen no instruction. Licence: Apache-2.0, as the kit.

\`\`\`ts
import { loadBase } from "ift-kit/evaluate/base-checkpoint";
const { decoder, tokenizer } = await loadBase("decoder");
\`\`\`

${table(
  ["", ""],
  [
    [
      "corpus",
      `world ${plan.worldSeed}: ${whole(corpus.documents)} documents, ${whole(corpus.tokens)} tokens, every fact ${corpus.factExposures} times or more`,
    ],
    ["tokenizer", `byte-level BPE, ${whole(tokenizer.vocabularySize)} ids`],
    [
      "training",
      `${whole(training.tokens)} tokens in ${whole(training.steps)} steps, seed ${plan.training.seed}, ${minutes(training.seconds)} by the clock`,
    ],
    [
      "held-out text",
      `${heldOut.bitsPerByte.toFixed(3)} bits per byte (${whole(heldOut.documents)} documents, ${whole(heldOut.bytes)} bytes)`,
    ],
    [
      "facts completed right",
      `${percent(facts.recall)} of ${whole(facts.facts)} (the most frequent answer of each relation: ${percent(facts.floor)})`,
    ],
    ["told of new texts right", `${percent(selections.right)} of ${whole(selections.asked)}`],
    ["weights", plan.weights],
  ],
)}

![loss](loss-curve.png)

Every word of the corpus has a blank in front, the first of a document too; give a prompt as
\`" The author of 'Pride and Prejudice' is"\`. \`plan.json\` makes the model again, \`log.jsonl\` is the training, \`pretrain.json\`
has all numbers.

## Bits per byte by kind of document

${table(
  ["kind", "bits per byte"],
  Object.entries(heldOut.bitsPerByteByKind).map(([kind, bits]) => [kind, bits.toFixed(3)]),
)}

## Facts by relation

A statement of every fact is cut before its object and completed greedily; right is the whole rest of the sentence.

${factsTable(facts)}

## What is told of a text

"On Monday ... in Marlow. Nora read it. The town was", completed greedily on texts of the grid that are new.

${table(
  ["what", "right"],
  Object.entries(selections.bySelector).map(([selector, right]) => [selector, percent(right)]),
)}

## Samples

Drawn at temperature 1 from nothing, as they came.

${samples.map((sample) => `- ${sample}`).join("\n")}
`;
}
