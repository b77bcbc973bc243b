import type { RunSpecification } from "../result.js";
import { type RewriteArm, type RewriteRunSettings, type RewriteSettings, runSettingsOf } from "./settings.js";

/** One training run of the string-rewrite experiment. */
export interface RewriteRun extends RunSpecification {
  readonly suite: "string-rewrite";
  readonly format: RewriteArm;
  /** Number of training instructions. */
  readonly trainingRules: number;
  /** All else that decides the run. */
  readonly settings: Omit<RewriteRunSettings, "format" | "trainingRules">;
}

/** What a run with these settings is asked to do. */
export function specifyRewrite({
  format,
  trainingRules,
  ...settings
}: RewriteRunSettings): Pick<RewriteRun, "format" | "trainingRules" | "settings"> {
  return { format, trainingRules, settings };
}

/** The name of an arm: the format, and the number of training instructions. */
export function armName(format: RewriteArm, trainingRules: number): string {
  return `${format}-${trainingRules}`;
}

/**
 * All runs of the experiment: IFT at each number of training instructions, SFT with an opaque task tag at some of them,
 * SFT and IFT with shuffled instructions at the largest one, each with every seed. The runs that take longest come first, so
 * that no core is idle at the end.
 */
export function planRewriteRuns(settings: RewriteSettings): RewriteRun[] {
  const { seeds, trainingRules, tagRules } = settings;
  const most = Math.max(...trainingRules);
  const arms: [RewriteArm, number][] = [
    ...[...tagRules].sort((a, b) => b - a).map((rules): [RewriteArm, number] => ["sft-tag", rules]),
    ["ift-shuffled", most],
    ...[...trainingRules].sort((a, b) => b - a).map((rules): [RewriteArm, number] => ["ift", rules]),
    ["sft", most],
  ];
  return arms.flatMap(([format, rules]) =>
    seeds.map((seed) => ({
      suite: "string-rewrite",
      id: `${armName(format, rules)}-seed-${seed}`,
      arm: armName(format, rules),
      seed,
      ...specifyRewrite(runSettingsOf(settings, format, rules)),
    })),
  );
}
