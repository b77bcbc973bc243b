import {
  type BootstrapInterval,
  type BootstrapOptions,
  meanInterval,
  type PairedDifference,
  pairedDifference,
} from "../../evaluate/bootstrap.js";
import { type Claim, percentInterval } from "../claim.js";
import type { RunResult } from "../result.js";
import { type ArmBudget, budgetsOf, REPORT_BOOTSTRAP, scoresOf } from "../scores.js";
import { armName } from "./plan.js";
import type { RewriteArm } from "./settings.js";

/** An arm's exact match on trained rules with new strings, and on held-out rules. */
export interface ArmScores {
  readonly arm: string;
  readonly format: RewriteArm;
  readonly trainingRules: number;
  readonly seen: BootstrapInterval;
  readonly heldOut: BootstrapInterval;
}

/** IFT minus another arm on the held-out rules. */
export interface ArmDifference {
  readonly against: RewriteArm;
  readonly difference: PairedDifference;
}

/** What the experiment says, in numbers. */
export interface RewriteAnalysis {
  /** The arms at the largest number of training instructions. */
  readonly arms: readonly ArmScores[];
  /** IFT over the number of training instructions, ascending. */
  readonly curve: readonly ArmScores[];
  readonly differences: readonly ArmDifference[];
  readonly budgets: readonly ArmBudget[];
  readonly claims: readonly Claim[];
}

const METRIC = "exact-match";
const CONTROLS: readonly RewriteArm[] = ["sft", "sft-tag", "ift-shuffled"];

/**
 * Scores with intervals, paired differences and claims of a finished experiment.
 * @throws KitError when an arm has no results
 */
export function analyseRewrite(
  results: readonly RunResult[],
  trainingRules: readonly number[],
  options: BootstrapOptions = REPORT_BOOTSTRAP,
): RewriteAnalysis {
  const most = Math.max(...trainingRules);
  const scoresIn = (format: RewriteArm, rules: number): ArmScores => ({
    arm: armName(format, rules),
    format,
    trainingRules: rules,
    seen: meanInterval(scoresOf(results, armName(format, rules), "seen", METRIC), options),
    heldOut: meanInterval(scoresOf(results, armName(format, rules), "held-out", METRIC), options),
  });
  const curve = [...trainingRules].sort((a, b) => a - b).map((rules) => scoresIn("ift", rules));
  const ift = curve.at(-1);
  const arms = [...(ift === undefined ? [] : [ift]), ...CONTROLS.map((format) => scoresIn(format, most))];
  const differences = CONTROLS.map((against) => ({
    against,
    difference: pairedDifference(
      {
        a: scoresOf(results, armName("ift", most), "held-out", METRIC),
        b: scoresOf(results, armName(against, most), "held-out", METRIC),
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
  const beaten = differences.map(({ against, difference }): Claim => ({
    statement: `IFT beats ${names[against]} on rules never trained on`,
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
