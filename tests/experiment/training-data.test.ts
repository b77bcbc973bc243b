import assert from "node:assert/strict";
import { test } from "node:test";
import { specifyInstructions } from "../../src/experiment/natural-instructions/plan.js";
import { readInstructionRows } from "../../src/experiment/natural-instructions/rows.js";
import { LEAK_KIND_NAMES } from "../../src/similarity/leakage/leak.js";
import {
  FAST_INSTRUCTION_SETTINGS,
  type InstructionRunSettings,
  runSettingsOf,
} from "../../src/experiment/natural-instructions/settings.js";

const SETTINGS: InstructionRunSettings = runSettingsOf(
  {
    ...FAST_INSTRUCTION_SETTINGS,
    data: "datasets/samples/super-natural-instructions",
    heldOut: { kind: "fraction", fraction: 0.5, seed: 1 },
    // Which held-out rows leak depends on what is trained on; here all stay.
    leakage: { remove: "nothing", allow: [...LEAK_KIND_NAMES] },
  },
  "ift",
);
const OTHER = { ...SETTINGS, trainingData: "datasets/samples/alpaca.json" };

test("other instruction data take the place of the training tasks, and the test is the same", async () => {
  const [own, other] = [await readInstructionRows(SETTINGS), await readInstructionRows(OTHER)];
  assert.ok(other.train.length > 0 && other.train.every(({ task }) => task.includes("alpaca")));
  assert.deepEqual(
    other.heldOutTest.map(({ id }) => id),
    own.heldOutTest.map(({ id }) => id),
  );
  // The control: without them it is the folder's own rows that are trained on.
  assert.ok(own.train.every(({ task }) => !task.includes("alpaca")));
});

test("a run is another one with other training data, and with the same path and other content", () => {
  const [own, other] = [specifyInstructions(SETTINGS), specifyInstructions(OTHER)];
  assert.equal(own.trainingDataHash, undefined);
  assert.match(other.trainingDataHash ?? "", /^[0-9a-f]{64}$/);
  assert.equal(own.dataHash, other.dataHash);
});
