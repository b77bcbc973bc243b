// %% [markdown]
// # 01 · Base models: what a model knows before it is told what to do
//
// Everything in these notebooks starts from a model that was trained on plain text and nothing else. There are two classic ways:
//
// - **GPT** (Radford, Narasimhan, Salimans, Sutskever: *Improving language understanding by generative pre-training*, 2018) predicts the **next token** from those before it.
// - **BERT** ([Devlin et al. 2019](https://arxiv.org/abs/1810.04805)) sees the whole text, fills in **masked words** and says whether a **second sentence** follows the first.
//
// **You will learn** how a text becomes training rows for either, what the loss is made of, what a minute of training buys, what
// attention looks at, and what the kit's own two base models know and do not know.
//
// **Run time**: about 4 minutes on two cores, no GPU and no download; `IFT_KIT_FAST=1` makes it a minute.

// %% [markdown]
// ## Parameters
// Both models are trained here from random weights, with the settings of the models that ship with the kit (their plans are read
// from `datasets/checkpoints`), only for a shorter time.

// %%
import { join } from "node:path";
import { baseFolder } from "ift-kit/evaluate/base-checkpoint";
import { type BertPlan, type DecoderPlan, readPretrainPlan } from "ift-kit/experiment/pretrain/plan";
import { fullOrFast } from "ift-kit/notebook/fast-mode";

/** Tokens that each model reads: about a minute of training each. */
const decoderTokens = fullOrFast(400_000, 24_000);
const bertTokens = fullOrFast(800_000, 24_000);
/** Held-out documents that the models are measured on. */
const heldOutCount = fullOrFast(300, 60);

const decoderPlan = readPretrainPlan(join(baseFolder("decoder"), "plan.json")) as DecoderPlan;
const bertPlan = readPretrainPlan(join(baseFolder("bert"), "plan.json")) as BertPlan;
console.log(
  `here ${decoderTokens.toLocaleString("en")} and ${bertTokens.toLocaleString("en")} tokens; the shipped models read ${decoderPlan.training.budget.amount.toLocaleString("en")} and ${bertPlan.training.budget.amount.toLocaleString("en")}`,
);

// %% [markdown]
// ## The text
// The corpus is written by the kit: a small English world of people, towns, books, films and shops, with a consistent set of facts.
// Training and held-out documents are different texts about the same world. Nothing in it is an instruction.

// %%
import { corpusOf } from "ift-kit/data/mini/corpus/documents";
import { heldOutDocuments } from "ift-kit/experiment/pretrain/rows";
import { showTable } from "ift-kit/notebook/display-table";

const worldSeed = decoderPlan.worldSeed;
const sampleStream = corpusOf(worldSeed, "train", decoderPlan.mix);
const firstOfKind = new Map<string, string>();
for (let index = 0; index < 200; index++) {
  const { kind, sentences } = sampleStream.next();
  if (!firstOfKind.has(kind)) firstOfKind.set(kind, sentences.join(" "));
}
showTable(
  ["kind", "a document"],
  [...firstOfKind].map(([kind, text]) => [kind, text.length > 170 ? `${text.slice(0, 170)} …` : text]),
);

// %% [markdown]
// ## Next-token prediction
// A text is its own label: at each position the model says how probable every token of the vocabulary is as the next one, and its
// loss there is −ln of the probability of the one that came. The row below is the sentence, the targets are the same sentence one
// step to the left.

// %%
import { loadBase } from "ift-kit/evaluate/base-checkpoint";
import { documentText } from "ift-kit/experiment/pretrain/rows";

const shipped = await loadBase("decoder");
const { tokenizer } = shipped;
const { bos, eos } = tokenizer.special;
const start = [bos ?? eos];
/** A document that was held out of training. */
const sentence =
  "Scientists from Winterton found an unknown beetle on Wednesday. Many readers of the Fernley Post asked for more.";
const sentenceIds = [...start, ...tokenizer.encode(documentText([sentence])).ids, eos];
const tokenName = (id: number): string =>
  id === eos && id !== bos ? "(end)" : id === bos ? "(start)" : tokenizer.decode([id]).trim();
showTable(
  ["position", "the model has read", "and is to say"],
  sentenceIds.slice(0, -1).map((_, index) => [
    index,
    sentenceIds
      .slice(0, index + 1)
      .map(tokenName)
      .join(" "),
    tokenName(sentenceIds[index + 1]!),
  ]),
);

// %% [markdown]
// ## A decoder, from random weights, live
// The same architecture and settings as the shipped model. The first steps only learn which words are frequent; then which follow
// each other. The stop button ends the run in good order.

// %%
import { Decoder } from "ift-kit/model/decoder";
import { corpusRows } from "ift-kit/experiment/pretrain/rows";
import { interruptSignal } from "ift-kit/notebook/interrupt";
import { trainingPlot } from "ift-kit/notebook/live-figure";
import { train } from "ift-kit/train/train";

const signal = interruptSignal();
const shape = { ...decoderPlan.decoder, vocabularySize: shipped.decoder.config.vocabularySize };
const untrained = Decoder.create(shape, 1);
const minute = Decoder.create(shape, 1);
const decoderRows = corpusRows(
  corpusOf(worldSeed, "train", decoderPlan.mix),
  tokenizer,
  decoderTokens,
  shape.contextLength,
);
const decoderBudget = { unit: "total-tokens", amount: decoderTokens } as const;
const decoderPlot = trainingPlot("Next-token prediction, from random weights");
const decoderRun = await train(
  minute,
  decoderRows.rows,
  {
    ...decoderPlan.training,
    budget: decoderBudget,
    batch: { kind: "bucketed", rowsPerStep: fullOrFast(32, 16) },
  },
  { onStep: decoderPlot.follow("decoder", decoderBudget), signal: signal },
);
await decoderPlot.finish();
console.log(
  `${decoderRows.rows.length.toLocaleString("en")} documents, ${decoderRun.progress.step} steps in ${decoderRun.progress.seconds.toFixed(0)} s; a model that guesses blindly would have ${Math.log(shape.vocabularySize).toFixed(2)} nats`,
);

// %% [markdown]
// ## Where the loss is
// One text, three models: the paler a cell, the less the token surprised. The untrained model is equally surprised by all. A
// minute teaches the frequent words; the shipped model knows the grammar, and is surprised only where the world is free to go on.

// %%
import { tokenLosses } from "ift-kit/evaluate/token-losses";
import { showFigure } from "ift-kit/notebook/display-figure";
import { matrixMap } from "ift-kit/report/figures/matrix-map";

const models = [
  ["untrained", untrained],
  ["trained here", minute],
  ["shipped", shipped.decoder],
] as const;
const sentenceRow = {
  id: "sentence",
  taskType: "",
  ids: sentenceIds,
  supervised: sentenceIds.map((_, index) => index > 0),
  source: sentenceIds.map(() => "response" as const),
  role: sentenceIds.map(() => "assistant" as const),
  promptLength: 1,
};
const sentenceLosses: number[][] = [];
for (const [, model] of models) {
  const [losses] = await tokenLosses(model, [sentenceRow]);
  sentenceLosses.push(losses!.slice(1));
}
await showFigure(
  matrixMap({
    id: "token-losses",
    title: "How much each token surprises",
    subtitle: "−ln of the probability of the token, given those before it",
    rows: models.map(([name]) => name),
    columns: sentenceIds.slice(1).map((id, index) => `${index + 1} ${tokenName(id)}`),
    values: sentenceLosses,
    valueTitle: "loss (nats)",
    digits: 1,
  }),
);

// %% [markdown]
// ## Held-out text, in bits per byte
// A sentence is an anecdote; here are documents that none of the models was trained on. Bits per byte do not depend on how a text is
// cut into tokens. The intervals are over documents.

// %%
import { textBits } from "ift-kit/evaluate/bits-per-byte";
import { type ExampleScore, meanInterval, pairedDifference } from "ift-kit/evaluate/statistics/bootstrap";
import { REPORT_BOOTSTRAP } from "ift-kit/experiment/scores";
import { armsWithIntervals } from "ift-kit/report/figures/arms-with-intervals";

const heldOut = heldOutDocuments(worldSeed, heldOutCount);
const heldOutTexts = heldOut.map(({ sentences }) => documentText(sentences));
const bitScores: ExampleScore[][] = [];
for (const [, model] of models) {
  const measured = await textBits({ decoder: model, tokenizer: tokenizer }, heldOutTexts);
  bitScores.push(
    measured.map(({ bits, bytes }, index) => ({
      seed: 1,
      taskType: heldOut[index]!.kind,
      id: `document ${index}`,
      score: bits / bytes,
    })),
  );
}
const [untrainedBits, minuteBits, shippedBits] = bitScores;
await showFigure(
  armsWithIntervals({
    id: "bits-per-byte",
    title: "Held-out text",
    subtitle: `${heldOutTexts.length} documents; mean over kinds of documents, 95% intervals over documents (bootstrap)`,
    valueTitle: "bits per byte (lower is better)",
    series: [
      {
        name: "bits per byte",
        points: models.map(([name], index) => ({
          row: name,
          ...meanInterval(bitScores[index]!, REPORT_BOOTSTRAP),
        })),
      },
    ],
  }),
);
const minuteGain = pairedDifference({ a: untrainedBits!, b: minuteBits! }, REPORT_BOOTSTRAP);
const shippedGain = pairedDifference({ a: minuteBits!, b: shippedBits! }, REPORT_BOOTSTRAP);

// %% [markdown]
// ## Completions
// What a base decoder can do for you is go on. The beginnings are of facts of the world, said in words of the corpus; nobody
// *asked* for anything, and that is the point of the notebooks after this one.

// %%
import { createWorld } from "ift-kit/data/mini/world";
import { factsOf } from "ift-kit/data/mini/facts";
import { factPrompts } from "ift-kit/experiment/pretrain/fact-prompts";
import { generateGreedy } from "ift-kit/evaluate/generate";

const prompts = factPrompts(factsOf(createWorld(worldSeed)));
const shownPrompts = [0, 70, 130, 300, 500, 800].flatMap((index) => prompts[index] ?? []);
const completionsOf = async (model: Decoder): Promise<string[]> => {
  const answers = await generateGreedy(
    model,
    shownPrompts.map(({ prompt }) => [...start, ...tokenizer.encode(` ${prompt}`).ids]),
    { maxNewTokens: 10, eos: eos, batchSize: shownPrompts.length },
  );
  return answers.map((ids) => tokenizer.decode(ids).trim().split(".")[0]!);
};
const byMinute = await completionsOf(minute);
const byShipped = await completionsOf(shipped.decoder);
showTable(
  ["beginning", "trained here", "shipped", "the world says"],
  shownPrompts.map(({ prompt, completion }, index) => [
    prompt,
    byMinute[index]!,
    byShipped[index]!,
    completion.trim().replace(/\.$/, ""),
  ]),
);

// %% [markdown]
// ## Masked words
// BERT hides 15% of the words (ours 20%) and fills them in from **both sides**. Of the hidden ones, 8 in 10 are shown as `[MASK]`, 1 in
// 10 as some other word and 1 in 10 as they are, so that the model cannot rely on the mark. Which ones is drawn anew in every epoch.

// %%
import { maskingRule, pairRows } from "ift-kit/experiment/pretrain/bert-rows";

const shippedBert = await loadBase("bert");
const words = shippedBert.tokenizer;
const rule = maskingRule(words, bertPlan.maskedShare);
const pairOptions = {
  maxTokens: bertPlan.bert.contextLength,
  rule: rule,
  seed: bertPlan.training.seed,
};
const pairs = pairRows(corpusOf(worldSeed, "train", bertPlan.mix), words, bertTokens, pairOptions);
const shownPair = pairs.rows.find(({ inputs }) => inputs.length < 40) ?? pairs.rows[0]!;
showTable(
  ["position", "text", "shown", "what was done"],
  [...shownPair.targetOffsets].map((place, index) => {
    const stood = words.tokenText(shownPair.targets[index]!);
    const seen = words.tokenText(shownPair.inputs[place]!);
    const done = seen === stood ? "left as it is" : seen === "[MASK]" ? "masked" : "another word";
    return [place, stood, seen, done];
  }),
);
console.log(`as the model sees it: ${[...shownPair.inputs].map((id) => words.tokenText(id)).join(" ")}`);
console.log(
  shownPair.rowTarget === 0
    ? "the second text follows the first"
    : "the second text is from another document",
);

// %% [markdown]
// ## A BERT, from random weights, live
// Its loss has two terms: nats per masked word, plus nats per pair for *does the second text follow?* (0.69 is a coin).

// %%
import { Bert } from "ift-kit/model/bert/bert";
import { maskedLanguage } from "ift-kit/train/objectives/masked-language";
import { trainObjective } from "ift-kit/train/train";

const untrainedBert = Bert.create(shippedBert.bert.config, 1);
const minuteBert = Bert.create(shippedBert.bert.config, 1);
const bertBudget = { unit: "total-tokens", amount: bertTokens } as const;
const bertPlot = trainingPlot("Masked words + next sentence, from random weights", "both terms of the loss");
const bertRun = await trainObjective(
  maskedLanguage(minuteBert, rule),
  pairs.rows,
  { ...bertPlan.training, budget: bertBudget },
  { onStep: bertPlot.follow("BERT", bertBudget), signal: signal },
);
await bertPlot.finish();
console.log(
  `${pairs.rows.length.toLocaleString("en")} pairs, ${bertRun.progress.step} steps in ${bertRun.progress.seconds.toFixed(0)} s; blind guesses have ${(Math.log(shippedBert.bert.config.vocabularySize) + Math.LN2).toFixed(2)} nats`,
);

// %% [markdown]
// ## What the two BERTs know
// The floors matter. Always saying the most frequent word is right in some cases, and so is always saying *follows*. The facts are
// asked with all words of the answer masked at once.

// %%
import { measureBert } from "ift-kit/experiment/pretrain/bert-quality";

const quality = {
  worldSeed: worldSeed,
  maskedShare: bertPlan.maskedShare,
  quality: { documents: heldOutCount, samples: 3 },
};
const ofMinute = await measureBert({ bert: minuteBert, tokenizer: words }, quality);
const ofShipped = await measureBert(shippedBert, quality);
if (ofMinute === undefined || ofShipped === undefined) throw new Error("the measurement was stopped");
const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;
showTable(
  ["held-out", "number", "floor", "trained here", "shipped"],
  [
    [
      "masked words, right",
      ofShipped.heldOut.maskedWords,
      percent(ofShipped.heldOut.floor),
      percent(ofMinute.heldOut.accuracy),
      percent(ofShipped.heldOut.accuracy),
    ],
    [
      "next sentence, right",
      ofShipped.nextSentence.pairs,
      percent(ofShipped.nextSentence.floor),
      percent(ofMinute.nextSentence.accuracy),
      percent(ofShipped.nextSentence.accuracy),
    ],
    [
      "facts of the world, right",
      ofShipped.facts.facts,
      percent(ofShipped.facts.floor),
      percent(ofMinute.facts.recall),
      percent(ofShipped.facts.recall),
    ],
  ],
);
console.log(ofShipped.samples.join("\n"));

// %% [markdown]
// The shipped BERT fills in two of three words and nearly always knows whether a sentence follows, but its **facts are below their
// floor**: it did not learn them. The shipped *decoder*, with 40% more parameters and 40% more tokens, has all 966
// (`datasets/checkpoints/decoder/pretrain.json`). A masked word is learned from one in five positions, the next token from every one;
// the kit's journal says what else was tried. Asked one word at a time, it knows what kind of word belongs there and
// shows another gap: *but as a whole* should turn the film bad, and it does not. Notebook 02 will meet that gap again.

// %%
import { fillMask } from "ift-kit/evaluate/fill-mask";
import { nextSentenceProbability } from "ift-kit/evaluate/text-pairs";

const masked = [
  "The cupboard is a kind of piece of [MASK].",
  "The first scene was lovely, but as a whole the film was [MASK].",
  "Olga went to Foxley on [MASK]. There she photographed a green tower.",
];
const filled = await fillMask(shippedBert, masked, { top: 4 });
showTable(
  ["text", "the shipped BERT's words"],
  masked.map((text, index) => [
    text,
    filled!
      [index]![0]!.map(({ word, probability }) => `${word} ${(100 * probability).toFixed(0)}%`)
      .join(", "),
  ]),
);
const continuing = heldOut.find(({ sentences }) => sentences.length >= 4)!.sentences;
const foreign = heldOut.filter(({ sentences }) => sentences !== continuing)[5]!.sentences;
const seconds = [
  ["what follows it", continuing.slice(2).join(" ")],
  ["another document", foreign.join(" ")],
] as const;
const follows = await nextSentenceProbability(
  shippedBert,
  seconds.map(([, b]) => ({ a: continuing.slice(0, 2).join(" "), b: b })),
);
showTable(
  ["first text", "second text", "which is", { name: "probability that it follows", digits: 3 }],
  seconds.map(([kind, b], index) => [continuing.slice(0, 2).join(" "), b, kind, follows![index]!]),
);

// %% [markdown]
// ## What attention looks at
// In each layer every token looks at others; each row of a picture is one token, and its weights sum to 1. The decoder may only look
// **back** (the empty triangle), BERT in both directions. Of each model the head is shown that looks most at the neighbour: the token
// before in the decoder, the token after in BERT, which is just what a decoder cannot do.

// %%
import { attentionWeights, type AttentionWeights } from "ift-kit/evaluate/attention-weights";

/** The head whose mean weight on the token at a distance is largest. */
function headLookingAt(weights: AttentionWeights, distance: number) {
  const heads = weights.flatMap((layer, at) =>
    layer.map((matrix, head) => ({ layer: at, head: head, matrix: matrix })),
  );
  const share = (matrix: readonly (readonly number[])[]): number =>
    matrix.reduce((total, row, query) => total + (row[query + distance] ?? 0), 0) / matrix.length;
  return heads.reduce((best, one) => (share(one.matrix) > share(best.matrix) ? one : best));
}
const decoderHead = headLookingAt(attentionWeights(shipped.decoder, { ids: sentenceIds }), -1);
const decoderNames = sentenceIds.map((id, index) => `${index} ${tokenName(id)}`);
await showFigure(
  matrixMap({
    id: "decoder-attention",
    title: "A decoder looks back",
    subtitle: `layer ${decoderHead.layer + 1}, head ${decoderHead.head + 1} of the shipped decoder`,
    rows: decoderNames,
    columns: decoderNames,
    values: decoderHead.matrix.map((row, query) => row.map((value, key) => (key > query ? null : value))),
    valueTitle: "attention weight (0 to 1)",
    rowTitle: "the token that looks",
    columnTitle: "the token looked at",
    range: [0, 1],
  }),
);
const bertIds = [words.marks.first, ...words.encode(sentence).ids, words.marks.separator];
const bertHead = headLookingAt(attentionWeights(shippedBert.bert, { ids: bertIds }), 1);
const bertNames = bertIds.map((id, index) => `${index} ${words.tokenText(id)}`);
await showFigure(
  matrixMap({
    id: "bert-attention",
    title: "BERT looks both ways",
    subtitle: `layer ${bertHead.layer + 1}, head ${bertHead.head + 1} of the shipped BERT`,
    rows: bertNames,
    columns: bertNames,
    values: bertHead.matrix,
    valueTitle: "attention weight (0 to 1)",
    rowTitle: "the token that looks",
    columnTitle: "the token looked at",
    range: [0, 1],
  }),
);

// %% [markdown]
// ## The claim, checked
// *Training on plain text teaches a model its language: a minute of it beats none, and the shipped models, which read more, beat the
// minute, on texts that none of them has read; each with an interval that excludes 0.* For BERT the loss of held-out pairs is compared,
// row by row.

// %%
import { layOut } from "ift-kit/train/batch";
import { meanLoss } from "ift-kit/train/loss";

const heldOutPairs = pairRows(
  corpusOf(worldSeed, "validation"),
  words,
  fullOrFast(12_000, 4_000),
  pairOptions,
).rows;
const pairScores = [untrainedBert, minuteBert, shippedBert.bert].map((bert) => {
  const objective = maskedLanguage(bert, rule);
  return heldOutPairs.map((row, index) => ({
    seed: 1,
    taskType: "pairs",
    id: `${index} ${row.id}`,
    score: meanLoss(objective, [layOut(heldOutPairs, [[index]], "bucketed", objective.needs)]),
  }));
});
const bertMinuteGain = pairedDifference({ a: pairScores[0]!, b: pairScores[1]! }, REPORT_BOOTSTRAP);
const bertShippedGain = pairedDifference({ a: pairScores[1]!, b: pairScores[2]! }, REPORT_BOOTSTRAP);
const claims = [
  ["decoder, untrained minus trained here, bits per byte", minuteGain],
  ["decoder, trained here minus shipped, bits per byte", shippedGain],
  [`BERT, untrained minus trained here, nats a pair (${heldOutPairs.length} pairs)`, bertMinuteGain],
  ["BERT, trained here minus shipped, nats a pair", bertShippedGain],
] as const;
for (const [statement, { mean, low, high }] of claims) {
  console.log(
    `${low > 0 ? "yes" : "NO "}  ${statement}: ${mean.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`,
  );
}
const refuted = claims.filter(([, { low }]) => low <= 0);
if (refuted.length > 0) throw new Error(`not shown: ${refuted.map(([statement]) => statement).join("; ")}`);

// %%
for (const model of [untrained, minute, shipped.decoder, untrainedBert, minuteBert, shippedBert.bert])
  model.dispose();

// %% [markdown]
// ## Exercises
// 1. Give `decoderTokens` four times the number. Which token of the sentence gets cheaper first, which last?
// 2. Set BERT's `maskedShare` to 0.5. Is there a best share? ([Wettig et al. 2023](https://arxiv.org/abs/2202.08005) found 40% for large models.)
// 3. Look for a head of the decoder that looks at the first token. Why would a head look where nothing is said?
// 4. Complete *Classify the sentiment of the following review.* with the shipped decoder. What does it do with an instruction?
//
// ## What next
// Notebook 02 gives the base BERT a few labelled examples; notebook 04 tunes the base decoder on instructions. How the shipped models
// were made: `npx ift-kit experiment pretrain --help`.
