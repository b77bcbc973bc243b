import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { showFigure } from "../../src/notebook/display-figure.js";
import { type KernelBridge, installKernelBridge, type MimeBundle } from "../../src/notebook/kernel-bridge.js";
import { liveFigure, trainingPlot } from "../../src/notebook/live-figure.js";
import { learningCurves } from "../../src/report/figures/learning-curves.js";
import type { AnyFigure } from "../../src/report/figure.js";

interface Displayed {
  readonly data: MimeBundle;
  readonly id?: string;
  readonly update?: boolean;
}

let displayed: Displayed[] = [];
const bridge: KernelBridge = {
  display: (data, options) => displayed.push({ data, ...options }),
  interruptSignal: () => new AbortController().signal,
  settle: () => Promise.resolve(),
};

beforeEach(() => {
  displayed = [];
  installKernelBridge(bridge);
});
afterEach(() => {
  Reflect.deleteProperty(globalThis, Symbol.for("ift-kit.notebook-kernel"));
});

/** Outputs that the notebook file keeps: what is shown under an identifier is replaced by its updates. */
const outputs = (): number => displayed.filter(({ update }) => update !== true).length;

const curve = (length: number): AnyFigure =>
  learningCurves({
    id: "loss",
    title: "Loss",
    xTitle: "steps",
    yTitle: "nats",
    curves: [{ name: "run", points: Array.from({ length }, (_, x) => ({ x, y: length - x })) }],
  });

const drawnPoints = ({ data }: Displayed): number => {
  const figure = data["application/vnd.plotly.v1+json"] as Pick<AnyFigure, "data">;
  const [trace] = figure.data;
  return trace?.type === "scatter" ? trace.x.length : 0;
};

test("a figure that changes is one output with a picture, and the last change is drawn", async () => {
  const figure = liveFigure({ everyMilliseconds: 0 });
  for (let length = 2; length < 40; length += 1) {
    figure.update(() => curve(length));
    await pause(5);
  }
  await figure.finish();
  assert.equal(outputs(), 1);
  assert.ok(displayed.length > 1, "it was drawn only once");
  assert.ok(displayed.length < 30, "it was drawn for nearly every update");
  assert.equal(new Set(displayed.map(({ id }) => id)).size, 1);
  const last = displayed.at(-1);
  assert.ok(last !== undefined);
  assert.equal(drawnPoints(last), 39);
  assert.equal(typeof last.data["image/png"], "string");
});

test("control: figures that are shown one by one are as many outputs", async () => {
  await showFigure(curve(3));
  await showFigure(curve(4));
  assert.equal(outputs(), 2);
});

test("a figure that cannot be drawn is an error at the end, and does not stop the work", async () => {
  const figure = liveFigure({ everyMilliseconds: 0 });
  figure.update(() => curve(0));
  await pause(5);
  await assert.rejects(figure.finish());
  assert.equal(displayed.length, 0);
});

test("a plot of several runs keeps a line and a figure, with a curve for each run", async () => {
  const plot = trainingPlot("Two runs");
  const target = { unit: "steps", amount: 20 } as const;
  for (const run of ["seed 1", "seed 2"]) {
    const onStep = plot.follow("IFT", target, run);
    for (let step = 1; step <= 20; step += 1) {
      onStep({ step, loss: 1 / step, supervisedTokens: step, totalTokens: 3 * step, seconds: step });
      await pause(1);
    }
  }
  await plot.finish();
  assert.equal(outputs(), 2);
  const line = displayed.findLast(({ data }) => data["image/png"] === undefined);
  assert.equal(line?.data["text/plain"], "2 runs · 40 steps · 40 s of training");
  const picture = displayed.findLast(({ data }) => data["image/png"] !== undefined);
  const figure = picture?.data["application/vnd.plotly.v1+json"] as Pick<AnyFigure, "data">;
  assert.equal(figure.data.length, 2);
});
