import type { Budget, ScheduleConfig } from "./config.js";

/**
 * The learning rate of a step as a share of the maximum, 0 to 1.
 *
 *     1 |   /‾‾\___           cosine, warmupFraction 0.2, finalFraction 0.2
 *       |  /       \__
 *       | /           ‾‾
 *     0 +-------------------> progress
 *
 * A step is placed at the middle of the share of the budget that it uses, whatever the unit: so the first step does
 * something although the warm-up starts at 0, and so does the last one where the schedule ends at 0.
 * @param used budget used before the step, in its unit
 * @param own budget that the step uses
 */
export function scheduleFactor(schedule: ScheduleConfig, budget: Budget, used: number, own: number): number {
  const progress = Math.min(1, (used + own / 2) / budget.amount);
  const warmup = schedule.warmupFraction ?? schedule.warmupSteps / budget.amount;
  if (progress < warmup) return progress / warmup;
  const fall = (progress - warmup) / (1 - warmup);
  const { kind, finalFraction } = schedule;
  if (kind === "constant") return 1;
  const left = kind === "linear" ? 1 - fall : (1 + Math.cos(Math.PI * fall)) / 2;
  return finalFraction + (1 - finalFraction) * left;
}
