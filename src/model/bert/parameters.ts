import type { ParameterSpec } from "../parameters.js";
import type { BertConfig } from "./config.js";

/** Starts of the names of what is not the encoder: a head that is trained anew on a frozen encoder. */
const HEAD_NAMES = ["pooler.", "masked.", "nextSentence.", "classifier."] as const;

/** Whether a parameter is of the head, the pooler included. */
export function isHeadParameter(name: string): boolean {
  return HEAD_NAMES.some((start) => name.startsWith(start));
}

/**
 * All parameters, in the order of the forward pass. Matrices are `[in, out]`, embeddings `[rows, width]`. The masked-word
 * head has no matrix of its own: it is the token embedding, with a bias.
 */
export function bertParameterSpecs(config: BertConfig): ParameterSpec[] {
  const { width, feedForwardWidth, vocabularySize, contextLength, tokenTypes, layers, head } = config;
  // BERT's 0.02 at its width of 768, and larger the narrower the model, as the decoders' start is.
  const start = { deviation: 0.02 * Math.sqrt(768 / width) };
  const specs: ParameterSpec[] = [
    { name: "embedding.token", shape: [vocabularySize, width], start },
    { name: "embedding.position", shape: [contextLength, width], start },
    { name: "embedding.type", shape: [tokenTypes, width], start },
  ];
  const norm = (name: string): void => {
    specs.push({ name: `${name}.gain`, shape: [width], start: "ones" });
    specs.push({ name: `${name}.bias`, shape: [width], start: "zeros" });
  };
  const matrix = (name: string, from: number, to: number): void => {
    specs.push({ name: `${name}.weight`, shape: [from, to], start });
    specs.push({ name: `${name}.bias`, shape: [to], start: "zeros" });
  };
  norm("embedding.norm");
  for (let layer = 0; layer < layers; layer++) {
    const attention = `layers.${layer}.attention`;
    const feedForward = `layers.${layer}.feedForward`;
    matrix(`${attention}.queryKeyValue`, width, 3 * width);
    matrix(`${attention}.output`, width, width);
    norm(`${attention}.norm`);
    matrix(`${feedForward}.up`, width, feedForwardWidth);
    matrix(`${feedForward}.down`, feedForwardWidth, width);
    norm(`${feedForward}.norm`);
  }
  if (head.kind !== "masked-language") matrix("pooler", width, width);
  if (head.kind === "classification") {
    matrix("classifier", width, head.labels.length);
    return specs;
  }
  matrix("masked.transform", width, width);
  norm("masked.norm");
  specs.push({ name: "masked.bias", shape: [vocabularySize], start: "zeros" });
  if (head.kind === "pre-training") matrix("nextSentence", width, 2);
  return specs;
}
