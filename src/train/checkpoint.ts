import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { TensorFlow } from "../engine/tensorflow.js";
import { readSafetensors, writeSafetensors, type StoredTensor } from "../model/safetensors.js";
import { KitError, messageOf } from "../support/errors.js";
import { fileError, readJsonFile, writeFileAtomic } from "../support/files.js";
import { hashJson, sha256 } from "../support/hash.js";
import { floatsOf } from "./adam.js";
import { trainConfigSchema } from "./config.js";
import { checkIdentity, type RunIdentity } from "./identity.js";
import type { Slots } from "./optimizers/rule.js";
import type { OrderPosition } from "./order.js";
import type { TrainProgress } from "./progress.js";
import type { EvaluationRecord } from "./evaluation.js";
import type { Validation } from "./validation.js";

/**
 * A checkpoint is a folder `step-00000120` with two files:
 *
 *     tensors.safetensors   parameter/NAME for every parameter, and what the optimizer keeps for it: first/NAME
 *                           and second/NAME for the moments of AdamW, average/NAME for an average of the weights;
 *                           with early stopping best/NAME, the parameters of the best validation
 *     state.json            what run it is, where it is in its data, its history, validations and evaluations, and the hashes of both
 *                           files
 *
 * It is written under another name, flushed and renamed, so that there is a whole one or none. The data order needs
 * no random state: epoch and step with the seed of the config fix it. The newest two are kept: a damaged one is
 * passed over for the one before, from which the same steps lead to the same bits.
 */
const KEPT = 2;
const TENSORS = "tensors.safetensors";
const STATE = "state.json";
const VERSION = 3;

/** Where a run is, besides its tensors. */
export interface RunState {
  readonly identity: RunIdentity;
  readonly position: OrderPosition;
  /** Whether the budget is used up. */
  readonly finished: boolean;
  /** After each step so far. */
  readonly history: readonly TrainProgress[];
  /** All so far. */
  readonly validations: readonly Validation[];
  readonly evaluations: readonly EvaluationRecord[];
}

/** What a run goes on from. */
export interface SavedRun {
  readonly state: RunState;
  /** By name, flat. */
  readonly parameters: ReadonlyMap<string, Float32Array>;
  readonly slots: ReadonlyMap<string, Slots>;
  /** Of the best validation; empty where none is kept. */
  readonly best: ReadonlyMap<string, Float32Array>;
}

/**
 * Writes a checkpoint and removes those that are no longer needed.
 * @throws KitError when the disk is full or the folder cannot be written; earlier checkpoints stay
 */
export function saveCheckpoint(
  directory: string,
  run: {
    readonly state: RunState;
    readonly parameters: ReadonlyMap<string, TensorFlow.Variable>;
    readonly slots: ReadonlyMap<string, Slots>;
    readonly best: ReadonlyMap<string, Float32Array>;
  },
): void {
  const step = run.state.history.length;
  const target = join(directory, `step-${String(step).padStart(8, "0")}`);
  const temporary = `${target}.${process.pid}.part`;
  try {
    mkdirSync(temporary, { recursive: true });
    const tensorsPath = join(temporary, TENSORS);
    writeSafetensors(tensorsPath, tensorsOf(run.parameters, run.slots, run.best));
    const content = {
      version: VERSION,
      ...run.state,
      history: columnsOf(run.state.history),
      tensors: sha256(readFileSync(tensorsPath)),
    };
    const text = JSON.stringify({ ...content, hash: hashJson(content) });
    writeFileAtomic(join(temporary, STATE), text);
    rmSync(target, { recursive: true, force: true });
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw error instanceof KitError ? error : fileError(target, "written", error);
  }
  for (const old of listCheckpoints(directory).slice(KEPT)) {
    rmSync(join(directory, old), { recursive: true, force: true });
  }
  removeUnfinished(directory);
}

/**
 * Makes the folder, so that a run that could not save says so before its first step.
 * @throws KitError when it cannot be made
 */
export function prepareCheckpoints(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
  } catch (error) {
    throw fileError(directory, "written", error);
  }
}

/**
 * The newest whole checkpoint in a folder; a damaged newer one is named on stderr.
 * @param resume whether the caller wants to go on from one
 * @returns undefined where there is none
 * @throws KitError when all are damaged, when it is of another run, or when there is one and `resume` is false
 */
export function loadCheckpoint(
  directory: string,
  identity: RunIdentity,
  resume: boolean,
): SavedRun | undefined {
  const names = listCheckpoints(directory);
  if (names.length === 0) return undefined;
  if (!resume) {
    throw new KitError(
      "the folder already has checkpoints of a run",
      "resume that run, remove the folder, or choose another one",
      { file: directory },
    );
  }
  const damages: DamagedCheckpoint[] = [];
  for (const name of names) {
    try {
      const run = readCheckpoint(join(directory, name));
      checkIdentity(run.state.identity, identity, directory);
      for (const damage of damages) {
        console.error(`ift-kit: ${damage.message} Going on from ${name}, which leads to the same result.`);
        setAside(damage.directory);
      }
      return run;
    } catch (error) {
      if (!(error instanceof DamagedCheckpoint)) throw error;
      damages.push(error);
    }
  }
  throw damages[0] ?? new Error("no checkpoint was read");
}

/** Steps of the whole checkpoints in a folder, newest first; for messages and listings. */
export function checkpointSteps(directory: string): number[] {
  return listCheckpoints(directory).map((name) => Number(name.slice("step-".length)));
}

/** A damaged checkpoint is no longer counted among those to fall back to. */
function setAside(directory: string): void {
  rmSync(`${directory}.damaged`, { recursive: true, force: true });
  renameSync(directory, `${directory}.damaged`);
}

class DamagedCheckpoint extends KitError {
  /** The folder of the checkpoint. */
  readonly directory: string;

  constructor(file: string, problem: string) {
    super(
      `the checkpoint is damaged (${problem})`,
      "remove this folder; the run goes on from the one before or starts anew",
      {
        file,
      },
    );
    this.directory = dirname(file);
  }
}

/** Numbers of a history as columns: a third of the size of rows. */
const columnsSchema = z.record(z.string(), z.array(z.number()));
const lossSchema = z.strictObject({
  loss: z.number(),
  supervisedTokens: z.number(),
  rows: z.number(),
  bitsPerByte: z.number().optional(),
});
const validationSchema = lossSchema.extend({
  step: z.int(),
  taskTypeMean: z.number(),
  byTaskType: z.record(z.string(), lossSchema),
});
const stateSchema = z.strictObject({
  version: z.literal(VERSION),
  identity: z.strictObject({
    config: trainConfigSchema.omit({ checkpoint: true, spike: true }),
    rows: z.string(),
    model: z.string(),
    objective: z.string().optional(),
    step: z.enum(["compiled", "eager"]),
  }),
  position: z.strictObject({ epoch: z.int().min(0), step: z.int().min(0) }),
  finished: z.boolean(),
  history: columnsSchema,
  validations: z.array(validationSchema),
  evaluations: z
    .array(z.strictObject({ step: z.int(), scores: z.record(z.string(), z.number()) }))
    .optional(),
  tensors: z.string(),
  hash: z.string(),
});

/** @throws DamagedCheckpoint when a file is missing, is cut off, or is not what the hashes say */
function readCheckpoint(directory: string): SavedRun {
  const statePath = join(directory, STATE);
  const tensorsPath = join(directory, TENSORS);
  const parsed = stateSchema.safeParse(orDamaged(statePath, () => readJsonFile(statePath)));
  if (!parsed.success) throw new DamagedCheckpoint(statePath, "it lacks fields");
  const { hash, ...content } = parsed.data;
  if (hashJson(content) !== hash) throw new DamagedCheckpoint(statePath, "its hash is another");
  const bytes = orDamaged(tensorsPath, () => readFileSync(tensorsPath));
  if (sha256(bytes) !== content.tensors) throw new DamagedCheckpoint(tensorsPath, "its hash is another");
  const { tensors } = orDamaged(tensorsPath, () => readSafetensors(tensorsPath));
  const parameters = new Map<string, Float32Array>();
  const slots = new Map<string, Record<string, Float32Array>>();
  const best = new Map<string, Float32Array>();
  for (const [path, { data }] of tensors) {
    const [kind, parameter] = splitPath(path);
    if (kind === "parameter") parameters.set(parameter, floats(data));
    else if (kind === "best") best.set(parameter, floats(data));
    else slots.set(parameter, { ...slots.get(parameter), [kind]: floats(data) });
  }
  const state: RunState = {
    identity: content.identity as RunIdentity,
    position: content.position,
    finished: content.finished,
    history: rowsOf(content.history),
    validations: content.validations,
    evaluations: content.evaluations ?? [],
  };
  return { state, parameters, slots, best };
}

function orDamaged<Value>(file: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw new DamagedCheckpoint(file, error instanceof KitError ? "it cannot be read" : messageOf(error));
  }
}

function floats(data: unknown): Float32Array {
  if (data instanceof Float32Array) return data;
  throw new Error("a checkpoint whose hash is right lacks a tensor");
}

function tensorsOf(
  parameters: ReadonlyMap<string, TensorFlow.Variable>,
  slots: ReadonlyMap<string, Slots>,
  best: ReadonlyMap<string, Float32Array>,
): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  for (const [name, variable] of parameters) {
    const { shape, size } = variable;
    tensors.set(`parameter/${name}`, { dtype: "F32", shape, data: floatsOf(variable) });
    for (const [slot, data] of Object.entries(slots.get(name) ?? {})) {
      const own = data.length === size ? shape : [data.length];
      tensors.set(`${slot}/${name}`, { dtype: "F32", shape: own, data });
    }
    const kept = best.get(name);
    if (kept !== undefined) tensors.set(`best/${name}`, { dtype: "F32", shape, data: kept });
  }
  return tensors;
}

/** "first/layers.0.weight" -> what it is, and of which parameter. */
function splitPath(path: string): [kind: string, parameter: string] {
  const place = path.indexOf("/");
  return [path.slice(0, place), path.slice(place + 1)];
}

function columnsOf(history: readonly TrainProgress[]): Record<string, number[]> {
  const names = Object.keys(history[0] ?? {}) as (keyof TrainProgress)[];
  return Object.fromEntries(names.map((name) => [name, history.map((progress) => progress[name])]));
}

function rowsOf(columns: Readonly<Record<string, readonly number[]>>): TrainProgress[] {
  const names = Object.keys(columns);
  const length = columns.step?.length ?? 0;
  return Array.from(
    { length },
    (_, index) =>
      Object.fromEntries(names.map((name) => [name, columns[name]?.[index]])) as unknown as TrainProgress,
  );
}

function listCheckpoints(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => /^step-\d{8}$/.test(name))
    .sort()
    .reverse();
}

/** Folders that a killed process left half-written. */
function removeUnfinished(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (/^step-\d{8}\.\d+\.part$/.test(name)) rmSync(join(directory, name), { recursive: true, force: true });
  }
}
