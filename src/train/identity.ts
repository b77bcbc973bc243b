import { KitError } from "../support/errors.js";
import { canonicalJson, hashJson, sha256 } from "../support/hash.js";
import { floatsOf } from "./adam.js";
import type { TrainConfig } from "./config.js";
import type { Objective, Trainable } from "./objective.js";
import type { StepKind } from "./step/training-step.js";

/** What must be equal for a run to go on from a checkpoint with the same bits. */
export interface RunIdentity {
  /** The configuration without where and how often to save, and what stops it as a spike. */
  readonly config: Omit<TrainConfig, "checkpoint" | "spike">;
  /** Hash of ids and masks of all rows, in order; of the validation rows too, where there are any. */
  readonly rows: string;
  /** Hash of the names and shapes of the parameters, and of all that is not trained. */
  readonly model: string;
  /** What is learnt; absent for the next token. */
  readonly objective?: string;
  /** Compiled and eager steps round differently. */
  readonly step: StepKind;
}

/** The identity of a run. */
export function runIdentity(
  config: TrainConfig,
  rows: string,
  { name, model }: Objective,
  step: StepKind,
): RunIdentity {
  const { budget, batch, microBatchRows, optimizer, schedule, seed } = config;
  const { loss, activationCheckpointing, weightAverage, precision, validation } = config;
  return {
    config: {
      budget,
      batch,
      ...(microBatchRows === undefined ? {} : { microBatchRows }),
      optimizer,
      schedule,
      ...(loss === undefined ? {} : { loss }),
      ...(activationCheckpointing === undefined ? {} : { activationCheckpointing }),
      ...(weightAverage === undefined ? {} : { weightAverage }),
      ...(precision === undefined || precision === "float32" ? {} : { precision }),
      seed,
      ...(validation === undefined ? {} : { validation }),
    },
    rows,
    model: hashJson(describe(model)),
    ...(name === "next-token" ? {} : { objective: name }),
    step,
  };
}

function describe({ parameters, frozen, settings }: Trainable): unknown {
  const shapes = [...parameters].map(([name, { shape }]) => [name, shape]);
  if (frozen === undefined || frozen.size === 0) return shapes;
  const hashes = [...frozen].map(([name, weight]) => {
    const values = floatsOf(weight);
    return [name, sha256(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))];
  });
  return { shapes, hashes, settings };
}

/**
 * Checks that a checkpoint is of this run.
 * @throws KitError that names what differs
 */
export function checkIdentity(saved: RunIdentity, now: RunIdentity, directory: string): void {
  const cure = "restore it to go on, or choose another checkpoint folder for a new run";
  const fail = (problem: string, field?: string): KitError =>
    new KitError(problem, cure, field === undefined ? { file: directory } : { file: directory, field });
  if (saved.model !== now.model) throw fail("the checkpoint is of a model with other parameters");
  if (saved.objective !== now.objective) throw fail("the checkpoint is of a run that learns something else");
  if (saved.rows !== now.rows) throw fail("the checkpoint is of a run on other rows");
  if (saved.step !== now.step) {
    throw fail(`the checkpoint is of a run with ${saved.step} steps, these would be ${now.step}`);
  }
  const [before, after] = [flatten(saved.config), flatten(now.config)];
  for (const field of new Set([...before.keys(), ...after.keys()])) {
    const [was, is] = [before.get(field) ?? "absent", after.get(field) ?? "absent"];
    if (was !== is) throw fail(`the checkpoint is of a run with ${was} here, now it is ${is}`, field);
  }
}

/** Dotted paths and their values as JSON. */
function flatten(value: unknown, path = ""): Map<string, string> {
  if (value === undefined) return new Map();
  if (value === null || typeof value !== "object") return new Map([[path, canonicalJson(value)]]);
  return new Map(
    Object.entries(value).flatMap(([name, field]) => [
      ...flatten(field, path === "" ? name : `${path}.${name}`),
    ]),
  );
}
