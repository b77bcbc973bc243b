import type { BertResult } from "../../experiment/pretrain/files.js";
import { factsTable, millions, minutes, percent, table, whole } from "./card.js";

/** The model card of a base BERT, in Markdown: every number in it is of the result. */
export function bertCard({ plan, parameterCount, corpus, training, quality }: BertResult): string {
  const { bert, tokenizer } = plan;
  const { heldOut, facts, nextSentence, samples } = quality;
  return `# Base BERT of the mini world

A BERT of ${millions(parameterCount)} million parameters (${bert.layers} blocks of width ${bert.width}, rows of ${bert.contextLength} tokens at most;
\`BertForPreTraining\` in \`transformers\`), trained from random weights by ift-kit on masked words and next sentences. It knows
the kit's own small world and nothing else: no text of anybody else was used. Licence: Apache-2.0, as the kit.

\`\`\`ts
import { loadBase } from "ift-kit/evaluate/base-checkpoint";
import { fillMask } from "ift-kit/evaluate/fill-mask";
const [words] = (await fillMask(await loadBase("bert"), ["Mia went to Oakhurst on [MASK]."])) ?? [];
\`\`\`

${table(
  ["", ""],
  [
    [
      "corpus",
      `world ${plan.worldSeed}: ${whole(corpus.documents)} documents, ${whole(corpus.tokens)} tokens, every fact ${corpus.factExposures} times or more`,
    ],
    ["tokenizer", `WordPiece, lower case, at most ${whole(tokenizer.vocabularySize)} ids`],
    [
      "training",
      `${whole(training.tokens)} tokens in ${whole(training.steps)} steps, ${percent(plan.maskedShare)} of them masked, seed ${plan.training.seed}, ${minutes(training.seconds)} by the clock`,
    ],
    [
      "masked words of held-out text",
      `${percent(heldOut.accuracy)} right of ${whole(heldOut.maskedWords)} (the most frequent word: ${percent(heldOut.floor)}), ${percent(heldOut.topFive)} among the first five, ${heldOut.loss.toFixed(3)} nats per word`,
    ],
    [
      "facts filled in right",
      `${percent(facts.recall)} of ${whole(facts.facts)} (the most frequent answer of each relation: ${percent(facts.floor)})`,
    ],
    [
      "next sentence of held-out text",
      `${percent(nextSentence.accuracy)} right of ${whole(nextSentence.pairs)} pairs (always the same answer: ${percent(nextSentence.floor)})`,
    ],
    ["weights", plan.weights],
  ],
)}

![loss](loss-curve.png)

\`plan.json\` makes the model again, \`log.jsonl\` is the training, \`pretrain.json\` has all numbers.

## Facts by relation

In a statement of every fact all pieces of its object are masked at once, so that their number is seen; right is the whole
object. The statement stands alone, where training always showed a pair of texts.
${facts.recall > facts.floor ? "" : "\n**The model has not learned the facts: it is no better than the most frequent answer of each relation.**\n"}
${factsTable(facts)}

## Samples

Rows of held-out text with what the model fills in for masked words in brackets, and what stood there behind a wrong one: the
first ${samples.length}, none left out.

${samples.map((sample) => `- ${sample}`).join("\n")}
`;
}
