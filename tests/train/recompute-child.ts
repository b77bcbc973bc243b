/** Takes two compiled steps of a model of 8 layers and prints by how many MiB the process grew at most. Argument: whether blocks are computed again. */
import { startEngine } from "../../src/engine/start.js";
import { Decoder } from "../../src/model/decoder.js";
import { nextToken } from "../../src/train/objectives/next-token.js";
import { CompiledStep } from "../../src/train/step/compiled-step.js";
import { TINY_GPT2 } from "./stand-in.js";

const [BATCH, TIME] = [256, 24];
const optimizer = {
  ...{ learningRate: 0.005, beta1: 0.9, beta2: 0.98, epsilon: 1e-8 },
  ...{ weightDecay: 0.1, clipNorm: 1 },
} as const;

await startEngine({ backend: "tensorflow", threads: 1 });
const model = Decoder.create({ ...TINY_GPT2, layers: 8, width: 64, feedForwardWidth: 256 }, 1);
const config = { optimizer, activationCheckpointing: process.argv[2] === "true" };
const plan = { longestRow: TIME, packed: false, timeUnit: 1, fuse: false };
const step = new CompiledStep(nextToken(model), config, plan);
const fill = (below: number): Int32Array =>
  Int32Array.from({ length: BATCH * TIME }, (_, place) => (place * 7) % below);
const batch = {
  ...{ batch: BATCH, time: TIME },
  ...{ ids: fill(16), targets: fill(11), targetPositions: fill(BATCH * TIME) },
};
const before = process.memoryUsage.rss() / 2 ** 20;
for (let count = 0; count < 2; count++) step.update(0.001, step.measure([batch]).gradientNorm);
const most = process.resourceUsage().maxRSS / 2 ** 10;
process.stdout.write(`${Math.round(most - before)}\n`);
