import type { RunSpecification } from "../result.js";
import type { RewriteArm, RewriteSettings } from "./settings.js";

/** One training run of the string-rewrite experiment. */
export interface RewriteRun extends RunSpecification {
  readonly suite: "string-rewrite";
  readonly format: RewriteArm;
  /** Number of training instructions. */
  readonly trainingRules: number;
  /** All that decides the run, without what only other runs use. */
  readonly settings: Omit<RewriteSettings, "seeds" | "trainingRules" | "tagRules">;
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
  const { seeds, trainingRules, tagRules, ...shared } = settings;
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
      format,
      trainingRules: rules,
      settings: shared,
    })),
  );
}
