/**
 * Takes two compiled steps of a model of 8 layers and prints by how many MiB the process grew at most.
 * Arguments: the family, and whether blocks are computed again.
 */
import { startEngine } from "../../src/engine/start.js";
import { Bert } from "../../src/model/bert/bert.js";
import { Decoder } from "../../src/model/decoder.js";
import { T5 } from "../../src/model/t5/t5.js";
import { maskedLanguage } from "../../src/train/objectives/masked-language.js";
import { nextToken } from "../../src/train/objectives/next-token.js";
import { sequenceToSequence } from "../../src/train/objectives/sequence-to-sequence.js";
import type { Objective } from "../../src/train/objective.js";
import { TINY_GPT2 } from "./stand-in.js";
import { measureSteps, type RowsShape } from "./step-memory.js";

const SHAPE = { vocabularySize: 16, width: 64, heads: 2, feedForwardWidth: 256, contextLength: 24 };
const MODELS: Readonly<Record<string, () => readonly [Objective, RowsShape]>> = {
  decoder: () => [
    nextToken(Decoder.create({ ...TINY_GPT2, ...SHAPE, layers: 8 }, 1)),
    { batch: 256, time: 24 },
  ],
  bert: () => [
    maskedLanguage(
      Bert.create(
        {
          ...{ ...SHAPE, layers: 8, tokenTypes: 2, epsilon: 1e-12, dropout: 0.1 },
          activation: "gelu",
          head: { kind: "masked-language" },
        },
        1,
      ),
    ),
    { batch: 256, time: 24 },
  ],
  t5: () => [
    sequenceToSequence(
      T5.create(
        {
          ...{ ...SHAPE, encoderLayers: 4, decoderLayers: 4, headWidth: 32, dropout: 0.1, epsilon: 1e-6 },
          ...{ positionBuckets: 8, farthestPosition: 12, tiedHead: true, scaledHead: true },
          ...{ decoderStart: 0, inputEnd: 1 },
          activation: "geglu",
        },
        1,
      ),
    ),
    { batch: 256, time: 24, decoderTime: 24 },
  ],
};

await startEngine({ backend: "tensorflow", threads: 1 });
const made = MODELS[process.argv[2] ?? ""]?.();
if (made === undefined) throw new Error(`no family ${process.argv[2] ?? ""}`);
const again = process.argv[3] === "true";
const { mebibytes } = measureSteps(...made, { again, fuse: false, steps: 2 });
process.stdout.write(`${Math.round(mebibytes)}\n`);
