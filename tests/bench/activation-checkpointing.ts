/**
 * What activation checkpointing saves and costs: compiled steps of a BERT (masked words) and a T5 (sequence to sequence) of
 * about 6 million parameters, with dropout, with and without it, as single kernels and with fused regions. Each is a process
 * of its own on one thread, so that its peak memory is its own:
 *
 *     node --import ./src/cli/register.js tests/bench/activation-checkpointing.ts [ROWS] [TIME] [STEPS]
 *
 * MiB are the growth of the process at its most over what it had before the first step (variables of the session, their
 * gradients and moments are in it); seconds are the fastest step's. ROWS, TIME: of a batch; a T5 reads TIME and says TIME / 2.
 */
import { spawnSync } from "node:child_process";
import { startEngine } from "../../src/engine/start.js";
import { Bert } from "../../src/model/bert/bert.js";
import { T5 } from "../../src/model/t5/t5.js";
import type { Objective } from "../../src/train/objective.js";
import { maskedLanguage } from "../../src/train/objectives/masked-language.js";
import { sequenceToSequence } from "../../src/train/objectives/sequence-to-sequence.js";
import { measureSteps, type StepMemory } from "../train/step-memory.js";

const SHAPE = { vocabularySize: 4096, width: 256, contextLength: 512, dropout: 0.1 };
const FAMILIES = ["bert", "t5"] as const;
type Family = (typeof FAMILIES)[number];

function made(family: Family): { readonly objective: Objective; readonly parameterCount: number } {
  if (family === "bert") {
    const model = Bert.create(
      {
        ...{ ...SHAPE, layers: 6, heads: 4, feedForwardWidth: 1024, tokenTypes: 2, epsilon: 1e-12 },
        activation: "gelu",
        head: { kind: "masked-language" },
      },
      1,
    );
    return { objective: maskedLanguage(model), parameterCount: model.parameterCount };
  }
  const model = T5.create(
    {
      ...{ ...SHAPE, encoderLayers: 3, decoderLayers: 3, heads: 4, headWidth: 64, feedForwardWidth: 512 },
      ...{ positionBuckets: 32, farthestPosition: 128, epsilon: 1e-6, tiedHead: true, scaledHead: true },
      ...{ decoderStart: 0, inputEnd: 1 },
      activation: "geglu",
    },
    1,
  );
  return { objective: sequenceToSequence(model), parameterCount: model.parameterCount };
}

interface Line extends StepMemory {
  readonly parameterCount: number;
}

const [rows = "16", time = "128", steps = "4", child, again, fuse] = process.argv.slice(2);
if (child === "bert" || child === "t5") await ownSteps(child);
else compare();

/** Steps of one model, in a process of their own. */
async function ownSteps(family: Family): Promise<void> {
  await startEngine({ backend: "tensorflow", threads: 1 });
  const { objective, parameterCount } = made(family);
  const shape = {
    ...{ batch: Number(rows), time: Number(time) },
    ...(family === "t5" ? { decoderTime: Number(time) / 2 } : {}),
  };
  const choice = { again: again === "true", fuse: fuse === "true", steps: Number(steps) };
  console.log(JSON.stringify({ ...measureSteps(objective, shape, choice), parameterCount } satisfies Line));
}

function compare(): void {
  for (const family of FAMILIES) {
    for (const fused of [false, true]) {
      const [kept, twice] = [false, true].map((checkpointed): Line => {
        const flags = [rows, time, steps, family, String(checkpointed), String(fused)];
        const run = spawnSync(process.execPath, [...process.execArgv, import.meta.filename, ...flags], {
          encoding: "utf8",
        });
        if (run.status !== 0) throw new Error(run.stderr);
        return JSON.parse(run.stdout.trim().split("\n").at(-1) ?? "") as Line;
      });
      if (kept === undefined || twice === undefined) continue;
      const text = ({ mebibytes, secondsPerStep }: Line): string =>
        `${mebibytes.toFixed(0)} MiB, ${secondsPerStep.toFixed(2)} s a step`;
      console.log(
        `${family} of ${(kept.parameterCount / 1e6).toFixed(2)} M parameters, ${rows} x ${time}, ` +
          `${fused ? "fused" : "unfused"}: ${text(kept)}; with checkpointing ${text(twice)}`,
      );
    }
  }
}
