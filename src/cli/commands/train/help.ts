/** What `ift-kit train --help` says of the part "train" of the file, with the usual values of each optimizer. */
export const TRAIN_FIELDS = `
What is learned, "objective" (left out: "next-token" of a decoder, "sequence-to-sequence" of a T5), and its fields;
datasets/train/train-OBJECTIVE.json has a file for each:
  next-token           data, template, tokenizer, render, decoder, evaluation
  sequence-to-sequence the same with t5 instead of decoder; the loss is on the response
  classification       data (also taskTypes), template: what it shows is the text, the answer is the label; labels (left
                       out: those of the rows), pairAt: where the text is cut in two; bert, tokenizer, maxTokens,
                       overlong: "drop" | "cut-end", tune: "all" | "head" (frozen encoder)
  masked-language      data: plain text, blank lines between documents; bert, tokenizer, maxTokens, maskedShare (0.15)
  masked-language-next-sentence  the same; rows are pairs of texts
  span-corruption      data: plain text; t5, tokenizer (with <extra_id_0> ...), maxTokens,
                       corruption: { share: 0.15, meanSpan: 3 }
  decoder, t5, bert    the shape of a new model, or {"from": FOLDER}; a BERT of any head is given the head that is needed;
                       {"from": "base"} is the decoder or the BERT that ships
  lora                 for any; the head of a BERT is trained beside the updates, and is in adapter/ too
  data.validation      { by: "row" | "task type", share } of rows, { share } of documents; with train.validation. On these
                       the model is scored at the end: labels, masked words and pairs, spans, and answers where
                       "evaluation": { rows, maxNewTokens } or { rows, answers: "ranked" } (the most probable option)
                       asks for it; with everySteps: 50 also during the run, as curves

The part "train" of the file:
  budget     { unit: "supervised-tokens" | "total-tokens" | "steps", amount }
  batch      { kind: "bucketed", rowsPerStep } or { kind: "packed", tokensPerRow, rowsPerStep }
  optimizer  weightDecay (matrices only) and clipNorm (or "off") for each; with its usual values:
             AdamW      { learningRate: 1e-3, beta1: 0.9, beta2: 0.95, epsilon: 1e-8 }
             Adafactor  { kind: "adafactor", learningRate: 1e-3, scaleParameter: false, epsilonSquare: 1e-30,
                          epsilonScale: 1e-3, clipThreshold: 1, decayRate: 0.8, beta1: "off" }
                        or learningRate "relative" | "relative-warmup", scaleParameter: true, schedule "constant"
             SGD        { kind: "sgd", learningRate: 0.1, momentum: 0.9, nesterov: false }
             Lion       { kind: "lion", learningRate: 1e-4, beta1: 0.9, beta2: 0.99 }
  schedule   { kind: "cosine" | "linear" | "constant", warmupFraction (or warmupSteps), finalFraction }
             or { kind: "warmup-stable-decay", warmupFraction, decayFraction (or decaySteps),
                  decayShape: "linear" | "cosine" | "1-sqrt", finalFraction }
  seed       decides the order of the rows and the start values
  optional:
  microBatchRows          rows of one pass; saves memory, changes nothing but rounding and what dropout draws
  loss                    { labelSmoothing: 0.1, zLoss: 1e-4 }, either or both; of a decoder or a T5
  weightAverage           { decay: 0.999, use: "average" | "latest" }: which weights end in model/
  activationCheckpointing true: each block (of a decoder, a BERT, a T5) is computed again in the backward pass, with the
                          same dropout: less memory, the same losses, a third to four fifths more time
  precision               "float32" or "bfloat16"
`;
