import {
  type BootstrapInterval,
  type BootstrapOptions,
  meanInterval,
  type PairedDifference,
  pairedDifference,
} from "../../evaluate/statistics/bootstrap.js";
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
  readonly seen: BootstrapInterval;
  readonly heldOut: BootstrapInterval;
}

/** IFT minus another arm with the same number of training instructions, on the held-out rules. */
export interface ArmDifference {
  readonly against: RewriteArm;
  readonly trainingRules: number;
  readonly difference: PairedDifference;
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
    seen: meanInterval(scoresOf(results, armName(format, rules), "seen", METRIC), options),
    heldOut: meanInterval(scoresOf(results, armName(format, rules), "held-out", METRIC), options),
  });
  const controls = controlsOf(doses);
  const curve = [...doses.trainingRules].sort((a, b) => a - b).map((rules) => scoresIn("ift", rules));
  const arms = [...new Set(controls.map(({ rules }) => rules))].flatMap((rules) => [
    ...curve.filter(({ trainingRules }) => trainingRules === rules),
    ...controls.filter((control) => control.rules === rules).map(({ format }) => scoresIn(format, rules)),
  ]);
  const differences = controls.map(({ format, rules }) => ({
    against: format,
    trainingRules: rules,
    difference: pairedDifference(
      {
        a: scoresOf(results, armName("ift", rules), "held-out", METRIC),
        b: scoresOf(results, armName(format, rules), "held-out", METRIC),
      },
      options,
    ),
  }));
  return { arms, curve, differences, budgets: budgetsOf(results), claims: claimsOf(differences, curve) };
}

function claimsOf(differences: readonly ArmDifference[], curve: readonly ArmScores[]): Claim[] {
  const names = {
    ift: "IFT",
    sft: "SFT",
    "sft-tag": "SFT with task tags",
    "ift-shuffled": "IFT with shuffled instructions",
  };
  const beaten = differences.map(({ against, trainingRules, difference }): Claim => ({
    statement: `IFT beats ${names[against]} on rules never trained on (${trainingRules.toLocaleString("en")} training rules)`,
    holds: difference.low > 0,
    evidence: `difference in exact match ${percentInterval(difference)} points`,
  }));
  const [fewest, most] = [curve[0], curve.at(-1)];
  if (fewest === undefined || most === undefined || fewest === most) return beaten;
  return [
    ...beaten,
    {
      statement: `${most.trainingRules} training instructions generalize better than ${fewest.trainingRules}`,
      holds: most.heldOut.low > fewest.heldOut.high,
      evidence: `held-out exact match ${percentInterval(most.heldOut)} % against ${percentInterval(fewest.heldOut)} %`,
    },
  ];
}
