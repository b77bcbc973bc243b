import { KitError } from "../../support/errors.js";
import type { RunSpecification } from "../result.js";
import type { Suite } from "../suite.js";
import { suiteByName } from "../suites.js";
import { type CheckedPlan, type FactorLevel, levelName, type LevelChoice } from "./plan.js";

/** A run of a plan. */
export interface PlannedRun {
  readonly specification: RunSpecification;
  /** Names of levels by factor. */
  readonly levels: Readonly<Record<string, string>>;
  /** All settings of the run, for its size. */
  readonly settings: unknown;
}

type Settings = Readonly<Record<string, unknown>>;

/** An arm of a plan: what it sets over the fixed settings. */
interface PlannedArm {
  readonly levels: Readonly<Record<string, string>>;
  readonly set: Settings;
}

/**
 * All runs of a plan, arms in the order of the factors, each with every seed.
 * @param file of the plan, for messages
 * @throws KitError that names a setting that the suite lacks, or a value that it may not have
 */
export async function planRuns(plan: CheckedPlan, file?: string): Promise<PlannedRun[]> {
  const suite = suiteByName(plan.suite);
  const at = file === undefined ? {} : { file };
  for (const { metric } of plan.hypotheses) {
    if (suite.metrics.includes(metric)) continue;
    throw new KitError(
      `the suite "${suite.name}" has no metric "${metric}"`,
      `use one of ${suite.metrics.join(", ")}`,
      { ...at, field: "hypotheses" },
    );
  }
  const fixed = withSettings(suite.defaults, { ...plan.settings, budget: plan.budget });
  const parts: Settings = { ...prefixed("split", plan.split), ...prefixed("evaluation", plan.evaluation) };
  const base = withSettings(
    { ...fixed, split: fixed.split ?? {}, evaluation: fixed.evaluation ?? {} },
    parts,
  );
  const runs: PlannedRun[] = [];
  for (const { levels, set } of armsOf(plan, suite)) {
    const settings = withSettings(base, set);
    const fields = await suite.specify(settings, at);
    const arm = describeLevels(levels);
    for (const seed of plan.seeds) {
      const names = { suite: suite.name, id: `${arm}, seed ${seed}`, arm, seed };
      runs.push({ specification: { ...fields, ...names }, levels, settings });
    }
  }
  return runs;
}

/** The name of an arm: "format sft, trainingRules 100"; of a listed run its own. */
export function describeLevels(levels: Readonly<Record<string, string>>): string {
  const entries = Object.entries(levels);
  if (levels.arm !== undefined && entries.length === 1) return levels.arm;
  return entries.map(([factor, level]) => `${factor} ${level}`).join(", ");
}

/** Whether a run has all levels of a choice. */
export function hasLevels(levels: Readonly<Record<string, string>>, choice: LevelChoice): boolean {
  return Object.entries(choice).every(([factor, level]) => levels[factor] === String(level));
}

function armsOf({ factors, runs, leaveOut = [] }: CheckedPlan, suite: Suite): PlannedArm[] {
  if (factors === undefined) return (runs ?? []).map(({ arm, set }) => ({ levels: { arm }, set }));
  const all = Object.entries(factors).reduce<PlannedArm[]>(
    (arms, [factor, levels]) =>
      arms.flatMap((arm) =>
        levels.map((level) => ({
          levels: { ...arm.levels, [factor]: levelName(level) },
          set: { ...arm.set, ...settingsOfLevel(factor, level, suite) },
        })),
      ),
    [{ levels: {}, set: {} }],
  );
  return all.filter(({ levels }) => !leaveOut.some((choice) => hasLevels(levels, choice)));
}

function settingsOfLevel(factor: string, level: FactorLevel, suite: Suite): Settings {
  if (typeof level === "object") return level.set;
  const [first = ""] = factor.split(".");
  if (suite.settings.includes(first)) return { [factor]: level };
  throw new KitError(
    `the suite "${suite.name}" has no setting "${factor}"`,
    `use one of ${suite.settings.join(", ")}, or give levels that say what they set: { "name": ..., "set": { ... } }`,
    { field: `factors.${factor}` },
  );
}

function prefixed(prefix: string, settings: Settings): Settings {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [`${prefix}.${name}`, value]));
}

/** Settings with others put in by dotted names; what is on the way is copied, not changed. */
function withSettings(settings: Settings, set: Settings): Settings {
  return Object.entries(set).reduce(
    (all, [name, value]) => withSetting(all, name.split("."), value),
    settings,
  );
}

function withSetting(settings: Settings, [first = "", ...rest]: readonly string[], value: unknown): Settings {
  if (rest.length === 0) return { ...settings, [first]: value };
  const inner = settings[first];
  const isObject = typeof inner === "object" && inner !== null && !Array.isArray(inner);
  return { ...settings, [first]: withSetting(isObject ? (inner as Settings) : {}, rest, value) };
}
