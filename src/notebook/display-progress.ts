import { liveDisplay } from "./display.js";

/** What a training step tells; `TrainProgress` of the trainer has all of it. */
export interface StepReport {
  readonly step: number;
  /** Nats per supervised token. */
  readonly loss: number;
  readonly supervisedTokens: number;
  readonly totalTokens: number;
  readonly seconds: number;
}

/** How far a run is: the unit and amount of the trainer's budget. */
export interface ProgressTarget {
  readonly unit: "supervised-tokens" | "total-tokens" | "steps";
  readonly amount: number;
}

export interface TrainingDisplay {
  /** Give it to the trainer: `train(..., { onStep: display.onStep })`. */
  readonly onStep: (report: StepReport) => void;
  /** Shows the last state; call it when the run is over. */
  readonly finish: () => void;
}

const BAR_WIDTH = 24;

/**
 * One line below the cell that follows a run: bar, share done, step, loss, tokens per second, time left. It is replaced
 * in place, so the notebook keeps one line a run however long the run is.
 * @param label such as the name of the arm
 */
export function trainingDisplay(label: string, target: ProgressTarget): TrainingDisplay {
  const live = liveDisplay();
  return {
    onStep: (report) => live.update({ "text/plain": progressLine(label, report, target) }),
    finish: () => live.finish(),
  };
}

/** The line of `trainingDisplay`. */
export function progressLine(label: string, report: StepReport, target: ProgressTarget): string {
  const done = {
    "supervised-tokens": report.supervisedTokens,
    "total-tokens": report.totalTokens,
    steps: report.step,
  }[target.unit];
  const share = Math.min(1, done / target.amount);
  const filled = Math.round(share * BAR_WIDTH);
  const bar = "█".repeat(filled) + "░".repeat(BAR_WIDTH - filled);
  const rate = report.totalTokens / Math.max(report.seconds, 1e-9);
  const left = share > 0 ? (report.seconds * (1 - share)) / share : 0;
  return [
    `${label} ${bar} ${(100 * share).toFixed(0)} %`,
    `step ${report.step}`,
    `loss ${report.loss.toFixed(4)} nats/token`,
    `${rate.toFixed(0)} tokens/s`,
    share < 1 ? `${duration(left)} left` : `${duration(report.seconds)} in all`,
  ].join(" · ");
}

function duration(seconds: number): string {
  if (seconds < 100) return `${seconds.toFixed(0)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
