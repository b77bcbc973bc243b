import type { BootstrapOptions } from "../../evaluate/statistics/bootstrap.js";
import { seedDifference, type SeedInterval, seedMean } from "../../evaluate/statistics/seed-interval.js";
import { type Claim, percentInterval } from "../claim.js";
import type { RunResult } from "../result.js";
import { type ArmBudget, budgetsOf, REPORT_BOOTSTRAP, scoresOf } from "../scores.js";
import { armName } from "./plan.js";
import type { RewriteArm, RewriteSettings } from "./settings.js";

/** An arm's exact match on trained rules with new strings, and on held-out rules. */
export interface ArmScores {
  readonly arm: string;
  readonly format: RewriteArm;
  readonly trainingRules: number;
  readonly seen: SeedInterval;
  readonly heldOut: SeedInterval;
}

/** IFT minus another arm with the same number of training instructions, on the held-out rules. */
export interface ArmDifference {
  readonly against: RewriteArm;
  readonly trainingRules: number;
  readonly difference: SeedInterval;
}

/** What the experiment says, in numbers. */
export interface RewriteAnalysis {
  /** Every control, each with the IFT arm of the same number of training instructions before it; the largest first. */
  readonly arms: readonly ArmScores[];
  /** IFT over the number of training instructions, ascending. */
  readonly curve: readonly ArmScores[];
  readonly differences: readonly ArmDifference[];
  readonly budgets: readonly ArmBudget[];
  readonly claims: readonly Claim[];
}

const METRIC = "exact-match";
interface Control {
  readonly format: RewriteArm;
  readonly rules: number;
}

/** What the controls of an experiment are, and at which number of training instructions. */
function controlsOf({ trainingRules, tagRules }: RewriteDoses): Control[] {
  const most = Math.max(...trainingRules);
  const controls: Control[] = [
    { format: "sft", rules: most },
    ...tagRules.map((rules): Control => ({ format: "sft-tag", rules })),
    { format: "ift-shuffled", rules: most },
  ];
  return controls.sort((a, b) => b.rules - a.rules);
}

/** The numbers of training instructions of an experiment. */
export type RewriteDoses = Pick<RewriteSettings, "trainingRules" | "tagRules">;

/**
 * Scores with intervals, paired differences and claims of a finished experiment.
 * @throws KitError when an arm has no results
 */
export function analyseRewrite(
  results: readonly RunResult[],
  doses: RewriteDoses,
  options: BootstrapOptions = REPORT_BOOTSTRAP,
): RewriteAnalysis {
  const scoresIn = (format: RewriteArm, rules: number): ArmScores => ({
    arm: armName(format, rules),
    format,
    trainingRules: rules,
    seen: seedMean(scoresOf(results, armName(format, rules), { part: "seen" }, METRIC), options),
    heldOut: seedMean(scoresOf(results, armName(format, rules), { part: "held-out" }, METRIC), options),
  });
  const controls = controlsOf(doses);
  const curve = [...doses.trainingRules].sort((a, b) => a - b).map((rules) => scoresIn("ift", rules));
  const arms = [...new Set(controls.map(({ rules }) => rules))].flatMap((rules) => [
    ...curve.filter(({ trainingRules }) => trainingRules === rules),
    ...controls.filter((control) => control.rules === rules).map(({ format }) => scoresIn(format, rules)),
  ]);
  const minus = (a: string, b: string): SeedInterval =>
    seedDifference(
      {
        a: scoresOf(results, a, { part: "held-out" }, METRIC),
        b: scoresOf(results, b, { part: "held-out" }, METRIC),
      },
      options,
    );
  const differences = controls.map(({ format, rules }) => ({
    against: format,
    trainingRules: rules,
    difference: minus(armName("ift", rules), armName(format, rules)),
  }));
  return {
    arms,
    curve,
    differences,
    budgets: budgetsOf(results),
    claims: [...differences.map(beatenClaim), ...doseClaim(curve, minus)],
  };
}

function beatenClaim({ against, trainingRules, difference }: ArmDifference): Claim {
  const names = {
    ift: "IFT",
    sft: "SFT",
    "sft-tag": "SFT with task tags",
    "ift-shuffled": "IFT with shuffled instructions",
  };
  return {
    statement: `IFT beats ${names[against]} on rules never trained on (${trainingRules.toLocaleString("en")} training rules)`,
    holds: difference.low > 0,
    evidence: `difference in exact match ${percentInterval(difference)} points`,
  };
}

/** The claim about the largest and the smallest number of training instructions, where there are two. */
function doseClaim(curve: readonly ArmScores[], minus: (a: string, b: string) => SeedInterval): Claim[] {
  const [fewest, most] = [curve[0], curve.at(-1)];
  if (fewest === undefined || most === undefined || fewest === most) return [];
  const gain = minus(most.arm, fewest.arm);
  return [
    {
      statement: `${most.trainingRules} training instructions generalize better than ${fewest.trainingRules}`,
      holds: gain.low > 0,
      evidence: `difference in held-out exact match ${percentInterval(gain)} points`,
    },
  ];
}
