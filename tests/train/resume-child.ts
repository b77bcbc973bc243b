// Run by resume.test.ts in a process of its own, which is killed. Arguments: checkpoint folder.
import { startEngine } from "../../src/engine/start.js";
import { hashJson } from "../../src/support/hash.js";
import { train } from "../../src/train/train.js";
import { NextTokenModel, waveRows } from "./stand-in.js";
import { RESUME_CONFIG } from "./resume-config.js";

const directory = process.argv[2] ?? "";
await startEngine({ threads: 1 });
const model = new NextTokenModel();
const config = { ...RESUME_CONFIG, checkpoint: { directory, everySteps: 3 } };
const { history } = await train(model, waveRows(40), config, {
  resume: true,
  onStep: ({ step }) => process.stdout.write(`step ${step}\n`),
});
const losses = history.map(({ loss }) => loss);
process.stdout.write(`done ${hashJson([losses, [...model.values()]])}\n`);
