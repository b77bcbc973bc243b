// A training run in a process of its own, for kill.test.ts. Arguments: checkpoint folder; optionally the number of the
// file operation in that folder at which the process kills itself, and "half" where half of what is to be written
// comes first. Prints the number of operations, when the run ends.
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const [directory = "", killAt = "Infinity", how = ""] = process.argv.slice(2);

/** The calls by which a checkpoint comes into being and old ones go. */
const OPERATIONS = [
  "mkdirSync",
  "openSync",
  "writeSync",
  "writeFileSync",
  "fsyncSync",
  "renameSync",
  "rmSync",
] as const;
let operations = 0;
let counting = false;
for (const name of OPERATIONS) {
  const original = fs[name] as (...args: unknown[]) => unknown;
  Object.assign(fs, {
    [name]: (...args: unknown[]) => {
      if (counting && ++operations === Number(killAt)) {
        const [file, content] = args;
        if (
          how === "half" &&
          name.startsWith("write") &&
          (typeof content === "string" || content instanceof Uint8Array)
        )
          original(file, content.slice(0, Math.floor(content.length / 2)));
        process.kill(process.pid, "SIGKILL");
      }
      return original(...args);
    },
  });
}
syncBuiltinESMExports();

const { startEngine } = await import("../../src/engine/start.js");
const { train } = await import("../../src/train/train.js");
const { NextTokenModel, waveRows } = await import("./stand-in.js");
const { RESUME_CONFIG, RESUME_VALIDATION } = await import("./resume-config.js");
await startEngine({ threads: 1 });
counting = true;
process.stdout.write("ready\n");
await train(
  new NextTokenModel(),
  waveRows(32),
  { ...RESUME_CONFIG, ...RESUME_VALIDATION.config, checkpoint: { directory, everySteps: 2 } },
  { resume: true, validation: RESUME_VALIDATION.rows },
);
process.stdout.write(`done ${operations}\n`);
