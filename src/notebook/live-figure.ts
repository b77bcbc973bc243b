import type { AnyFigure } from "../report/figure.js";
import { learningCurves } from "../report/figures/learning-curves.js";
import { liveDisplay } from "./display.js";
import { figureBundle } from "./display-figure.js";
import { progressLine, type ProgressTarget, type StepReport } from "./display-progress.js";

/** A figure on the page that is drawn again in place, so that the notebook file does not grow. */
export interface LiveFigure {
  /** Draws what `make` gives, unless a drawing is under way or was just done: then the next update has it. */
  readonly update: (make: () => AnyFigure) => void;
  /**
   * Draws the last update; call it when the figure is complete.
   * @throws KitError when plotly could not draw the figure, now or before
   */
  readonly finish: () => Promise<void>;
}

/** Drawing takes at most this share of the time: the work that is drawn must not wait for its picture. */
const DRAWING_SHARE = 0.1;

/**
 * Opens a place below the running cell for a figure that changes. It appears with the first update.
 * @param options.everyMilliseconds least time between two drawings, 2,000 by default
 */
export function liveFigure(options: { readonly everyMilliseconds?: number } = {}): LiveFigure {
  const { everyMilliseconds = 2000 } = options;
  const live = liveDisplay({ everyMilliseconds: 0 });
  let waiting: (() => AnyFigure) | undefined;
  let drawing: Promise<void> | undefined;
  let failure: { readonly error: unknown } | undefined;
  let notBefore = 0;
  const draw = async (): Promise<void> => {
    const make = waiting;
    if (make === undefined) return;
    waiting = undefined;
    const start = Date.now();
    try {
      live.update(await figureBundle(make()));
    } catch (error) {
      failure ??= { error };
    }
    const end = Date.now();
    notBefore = end + Math.max(everyMilliseconds, (end - start) * (1 / DRAWING_SHARE - 1));
    drawing = undefined;
  };
  return {
    update: (make) => {
      waiting = make;
      if (drawing === undefined && Date.now() >= notBefore) drawing = draw();
    },
    finish: async () => {
      await drawing;
      await draw();
      live.finish();
      if (failure !== undefined) throw failure.error;
    },
  };
}

/** The losses of one or several runs, drawn while they are trained. */
export interface TrainingPlot {
  /**
   * Follows one more run: give the result to the trainer, `train(..., { onStep: plot.follow("IFT", budget) })`.
   * @param name of the curve; runs of the same name share its colour
   * @param run what tells runs of the same name apart, such as "seed 2"
   */
  readonly follow: (name: string, target: ProgressTarget, run?: string) => (report: StepReport) => void;
  /** Draws the last state; call it when all runs are over. */
  readonly finish: () => Promise<void>;
}

/**
 * A line that follows the run at work, and below it the training losses of all runs so far, both replaced in place.
 * @param title of the figure
 */
export function trainingPlot(title: string, subtitle = "loss of each optimizer step"): TrainingPlot {
  const line = liveDisplay();
  const figure = liveFigure();
  const curves: { name: string; run?: string; points: { x: number; y: number }[] }[] = [];
  const seconds: number[] = [];
  const make = (): AnyFigure =>
    learningCurves({
      id: "training",
      title,
      subtitle,
      xTitle: "optimizer steps (number)",
      yTitle: "loss (nats per supervised token)",
      curves: curves.filter(({ points }) => points.length > 0),
    });
  return {
    follow: (name, target, run) => {
      const place = curves.length;
      const points: { x: number; y: number }[] = [];
      curves.push({ name, ...(run === undefined ? {} : { run }), points });
      const label = run === undefined ? name : `${name}, ${run}`;
      return (report) => {
        points.push({ x: report.step, y: report.loss });
        seconds[place] = report.seconds;
        line.update({ "text/plain": progressLine(label, report, target) });
        figure.update(make);
      };
    },
    finish: async () => {
      const steps = curves.reduce((sum, { points }) => sum + points.length, 0);
      const time = seconds.reduce((sum, one) => sum + one, 0);
      if (curves.length > 1) {
        line.update({
          "text/plain": `${curves.length} runs · ${steps.toLocaleString("en")} steps · ${time.toFixed(0)} s of training`,
        });
      }
      line.finish();
      await figure.finish();
    },
  };
}
