// %% [markdown]
// # 06 · Generalization to task types held out of training
//
// Does a model that was trained **with instructions** do tasks that it never saw? And does one that was trained on the
// very same rows **without** them?
//
// **You will learn** how the same labelled rows become SFT and IFT, why "more data" and "more task types" are not the same
// thing, how far from training the effect reaches and where it ends, and how to say with an interval, not with a feeling,
// that one arm beats another.
//
// **Run time**: about 10 minutes on two cores, no GPU and no download; `IFT_KIT_FAST=1` makes it a minute and a half.
//
// The idea is that of [FLAN](https://arxiv.org/abs/2109.01652) (Wei et al. 2021), which held out clusters of tasks, and of
// Zhang, Wang and Charton 2024 ([arXiv 2402.10891](https://arxiv.org/abs/2402.10891)), who asked how many different
// instructions it takes. Here it is done with words, in the kit's mini world, on a model that trains while you read.

// %% [markdown]
// ## Parameters
// Everything that you may want to change is in this cell. Every run starts from the base model that ships with the kit: it
// was trained to predict the next word of the mini world's texts, and never saw an instruction.

// %%
import {
  DEFAULT_MINI_SETTINGS,
  FAST_MINI_SETTINGS,
  type MiniSettings,
} from "ift-kit/experiment/mini/settings";
import { fullOrFast } from "ift-kit/notebook/fast-mode";

const settings: MiniSettings = {
  ...fullOrFast(DEFAULT_MINI_SETTINGS, { ...FAST_MINI_SETTINGS, trainingCells: [90] }),
  // A whole cluster that is left out of training: every task type that asks for the town.
  clusters: fullOrFast([{ over: "selectors", name: "place" }], []),
};
const runsFolder = fullOrFast("runs/mini-default", "runs/notebook-06-fast"); // what `npm start` has done is not done again
const most = Math.max(...settings.trainingCells);
console.log(
  `${settings.trainingCells.join(", ")} training task types; ${settings.supervisedTokens.toLocaleString("en")} supervised tokens a run; seeds ${settings.seeds.join(", ")}`,
);

// %% [markdown]
// ## A task type is a cell
// A row asks for something in a text (*what to find*) and for a way to write it (*what to do with it*). Each pair is a task
// type. Of a held-out type both halves are trained, never together: the model must put them together itself.

// %%
import { FORMATS } from "ift-kit/data/mini/grid/formats";
import { HELD_OUT_CELLS, TRAINING_CELLS } from "ift-kit/data/mini/grid/cells";
import { SELECTORS } from "ift-kit/data/mini/grid/selectors";
import { showTable } from "ift-kit/notebook/display-table";

const trainedNames = new Set(TRAINING_CELLS.map(({ name }) => name));
const heldOutNames = new Set(HELD_OUT_CELLS.map(({ name }) => name));
const mark = (name: string): string =>
  trainedNames.has(name) ? "trained" : heldOutNames.has(name) ? "HELD OUT" : "–";
showTable(
  ["find \\ write", ...FORMATS.map(({ name }) => name)],
  SELECTORS.map((selector) => [
    selector.name,
    ...FORMATS.map((format) => mark(`${selector.name}/${format.name}`)),
  ]),
);
console.log(
  `${trainedNames.size} trained task types, ${heldOutNames.size} held out; two selectors and two formats (–) are in no trained type at all`,
);

// %%
import { drawTests } from "ift-kit/data/mini/grid/rows";
import { drawMiniTraining } from "ift-kit/experiment/mini/rows";

const seed = settings.seeds[0] ?? 1;
const training = drawMiniTraining({ trainingCells: most, settings: settings, seed: seed });
const tests = drawTests(60, seed);
showTable(
  ["rows of", "task type", "instruction", "input", "answer"],
  [
    ...training.slice(0, 4).map((row) => ["training", row, 0] as const),
    ...tests["held-out-cell"].slice(0, 4).map((row) => ["held out", row, 0] as const),
  ].map(([part, row]) => [part, row.taskType, row.instruction ?? "", row.input, row.outputs[0] ?? ""]),
);
const shared = training.filter(({ taskType }) => heldOutNames.has(taskType));
if (shared.length > 0) throw new Error(`${shared.length} training rows are of held-out task types`);
console.log(`${training.length.toLocaleString("en")} training rows, none of a held-out task type`);

// %% [markdown]
// ## The same row, four ways
// - **SFT** shows the text alone.
// - **SFT + task tag** names the task type by one opaque symbol, and gives the instruction's own words (which kind, which
//   word). On trained types that tells as much as the instruction; it just does not say it in words.
// - **IFT** shows the instruction.
// - **Shuffled** shows the instruction of some other row: the negative control. It is asked with the true ones.
//
// The loss is on the answer and its end alone (the bold part); all four have the same supervised tokens.

// %%
import { renderSpans } from "ift-kit/data/render";
import { planMiniRuns } from "ift-kit/experiment/mini/plan";
import { miniRows } from "ift-kit/experiment/mini/rows";
import { MAX_TOKENS } from "ift-kit/experiment/mini/settings";
import { MINI_ARM_NAMES } from "ift-kit/report/experiments/mini";
import { showMarkdown } from "ift-kit/notebook/display";

const runs = planMiniRuns(settings).filter(
  (run) => run.trainingCells === most && run.seed === seed && run.without === undefined,
);
const policy = { maxTokens: MAX_TOKENS, overlong: "drop", lossOn: "response" } as const;
const lines = runs.map((run) => {
  const { train: rows, template, tokenizer } = miniRows(run);
  const outcome = renderSpans(rows[0]!, template, tokenizer, policy);
  if (outcome.kind === "dropped") throw new Error(`the first row was dropped: ${outcome.reason}`);
  const { ids, supervised, promptLength } = outcome.spans;
  const shown = (part: number[]): string =>
    tokenizer
      .decode(part)
      .replace(/\p{Co}/gu, "⟨tag⟩")
      .replaceAll("\n", " ⏎");
  const targets = supervised.filter((isTarget) => isTarget).length;
  return `| ${MINI_ARM_NAMES[run.format]} | ${shown(ids.slice(0, promptLength))} **${shown(ids.slice(promptLength)).trim()}** | ${ids.length} | ${targets} |`;
});
showMarkdown(["| arm | row | tokens | supervised |", "|---|---|---|---|", ...lines].join("\n"));

// %% [markdown]
// ## One model, live
// A short run of the IFT arm in this kernel, to see what training looks like. The stop button ends it in good order.

// %%
import { renderExamples } from "ift-kit/data/render-all";
import { startEngine } from "ift-kit/engine/start";
import { trainConfigOf } from "ift-kit/experiment/mini/settings";
import { armStart } from "ift-kit/experiment/mini/start";
import { startDecoder } from "ift-kit/experiment/run-arm";
import { interruptSignal } from "ift-kit/notebook/interrupt";
import { trainingDisplay } from "ift-kit/notebook/display-progress";
import { train } from "ift-kit/train/train";

const engine = await startEngine();
console.log(engine.note);
const ift = miniRows(runs.find((run) => run.format === "ift")!);
const decoder = startDecoder(armStart(settings.start), ift.tokenizer, seed);
const budget = { unit: "supervised-tokens", amount: Math.round(settings.supervisedTokens / 5) } as const;
const display = trainingDisplay("IFT, a fifth of the budget", budget);
await train(
  decoder,
  renderExamples(ift.train, ift.template, ift.tokenizer, policy).spans,
  { ...trainConfigOf(settings, seed), budget },
  { onStep: display.onStep, signal: interruptSignal() },
);
display.finish();

// %% [markdown]
// What does it answer to task types that it never saw, after a fifth of the training?

// %%
import { answerOf } from "ift-kit/data/answer";
import { renderPrompt } from "ift-kit/data/render";
import { generateGreedy } from "ift-kit/evaluate/generate";

const asked = tests["held-out-cell"].slice(0, 8);
const answers = await generateGreedy(
  decoder,
  asked.map((example) => renderPrompt(example, ift.template, ift.tokenizer, policy)),
  { maxNewTokens: 12, eos: ift.tokenizer.special.eos, batchSize: asked.length },
);
showTable(
  ["instruction", "input", "reference", "answer", "right"],
  asked.map((example, index) => {
    const answer = answerOf(ift.template, ift.tokenizer.decode(answers[index] ?? []));
    const reference = example.outputs[0] ?? "";
    return [example.instruction ?? "", example.input, reference, answer, answer === reference ? "yes" : "no"];
  }),
);
decoder.dispose();

// %% [markdown]
// ## All arms
// Now the whole experiment: IFT at several numbers of training task types, the three other arms at the largest one, and IFT
// without the cluster, each with every seed and **the same budget of supervised tokens**. The runs are done in worker
// processes, one a core, and kept in a folder: if you stop here and run the cell again, it goes on.

// %%
import { runMiniExperiment } from "ift-kit/experiment/mini/experiment";
import { liveDisplay } from "ift-kit/notebook/display";

const live = liveDisplay();
const { analysis } = await runMiniExperiment(settings, runsFolder, {
  signal: interruptSignal(),
  onProgress: ({ finished, total, fraction, tokensPerSecond }) =>
    live.update({
      "text/plain": `${finished} of ${total} runs · ${(100 * fraction).toFixed(0)} % · ${tokensPerSecond.toFixed(0)} tokens/s`,
    }),
});
live.finish();

// %% [markdown]
// ## More task types, not more rows
// Every run has as many rows and as large a budget. What changes along the axis is how many task types they come from. With a
// few of them the model learns just these; with many it learns that an instruction has parts.

// %%
import { showFigure } from "ift-kit/notebook/display-figure";
import { taskTypeCurve } from "ift-kit/report/experiments/mini";

await showFigure(taskTypeCurve(analysis));

// %% [markdown]
// ## SFT against IFT
// SFT alone cannot know what is asked, so it fails on trained types too. That is why the task tag is the control that matters:
// it knows the task type, and on types never trained on that is worth nothing. The shuffled arm saw the same instruction
// texts as IFT, so it is not their words that help, but that they belong to the rows.

// %%
import { miniArmFigure, miniDifferenceFigure } from "ift-kit/report/experiments/mini";

await showFigure(miniArmFigure(analysis));
await showFigure(miniDifferenceFigure(analysis));

// %% [markdown]
// ## How far it reaches
// From the nearest to the farthest. What this small model does *not* do is as much a result: a way to find or to write that no
// training row had stays where guessing is.

// %%
import { gridFigure, levelFigure, levelTable } from "ift-kit/report/experiments/mini";

await showFigure(levelFigure(analysis));
const table = levelTable(analysis);
showTable(
  table.columns.map(({ name, unit }) => (unit === undefined ? name : `${name} (${unit})`)),
  table.rows,
);
await showFigure(gridFigure(analysis, "held-out"));

// %% [markdown]
// ## Leave one cluster out
// FLAN's own test: *all* task types of a cluster are left out of training, and then asked. In FLAN
// instruction tuning helped on held-out clusters only at 68 and 137 billion parameters; at 8 billion and fewer it hurt. Ours
// has about one million, and it is no surprise that what it never did in any combination it does not do.

// %%
import { clusterFigure } from "ift-kit/report/experiments/mini";

const cluster = clusterFigure(analysis);
if (cluster === undefined) console.log("not done in the fast mode");
else await showFigure(cluster);

// %% [markdown]
// ## The transition, with rules in place of words
// In string rewriting every rule is a task type of its own, so there can be thousands of them, and the model is tiny. The same
// four arms; the more *different* rules, the better it does rules that it never saw. This is the short version; the whole one
// is `npm start -- --suite rewrite`.

// %%
import { runRewriteExperiment } from "ift-kit/experiment/rewrite/experiment";
import { FAST_SETTINGS } from "ift-kit/experiment/rewrite/settings";
import { instructionCurve } from "ift-kit/report/experiments/rewrite";

const rewriteSettings = {
  ...FAST_SETTINGS,
  trainingRules: fullOrFast([8, 30, 80, 200], [8, 200]),
  supervisedTokens: fullOrFast(FAST_SETTINGS.supervisedTokens, 6_000),
};
const rewriteLive = liveDisplay();
const rewrite = await runRewriteExperiment(rewriteSettings, `${runsFolder}-rewrite`, {
  signal: interruptSignal(),
  onProgress: ({ finished, total, fraction }) =>
    rewriteLive.update({ "text/plain": `${finished} of ${total} runs · ${(100 * fraction).toFixed(0)} %` }),
});
rewriteLive.finish();
await showFigure(instructionCurve(rewrite.analysis));

// %% [markdown]
// ## The same on real tasks
// A folder of [Super-NaturalInstructions](https://arxiv.org/abs/2204.07705) tasks goes through the same line: its own split of
// task types, the leakage gate, the arms, and the floors beside every score. Give the folder here (or on the command line:
// `npm start -- --data FOLDER`). Trained from random weights on a laptop the answer is sobering, and that is the point of
// the floors.

// %%
import { existsSync } from "node:fs";

const superNi = "../shared/datasets/natural-instructions/tasks"; // your folder
const wanted = fullOrFast(existsSync(superNi), false);
console.log(
  wanted ? `tasks of ${superNi}` : `not done here: ${superNi} is not there, or this is the fast mode`,
);

// %%
import { runInstructionExperiment } from "ift-kit/experiment/natural-instructions/experiment";
import { FAST_INSTRUCTION_SETTINGS, OFFICIAL_LEAKS } from "ift-kit/experiment/natural-instructions/settings";
import { taskTypeFigure } from "ift-kit/report/experiments/natural-instructions";

if (wanted) {
  const natural = await runInstructionExperiment(
    {
      ...FAST_INSTRUCTION_SETTINGS, // DEFAULT_INSTRUCTION_SETTINGS takes 20 minutes
      data: superNi,
      heldOut: { kind: "official", track: "default" },
      leakage: { remove: "held-out", allow: OFFICIAL_LEAKS },
    },
    `${runsFolder}-super-ni`,
    { signal: interruptSignal() },
  );
  await showFigure(taskTypeFigure(natural, "rouge-l"));
}

// %% [markdown]
// ## What that cost
// Arms are matched on supervised tokens. Instructions are not free: IFT reads more tokens for the same targets.

// %%
showTable(
  ["arm", "runs", "supervised tokens", "total tokens", "steps", "parameters", "training time (s)"],
  analysis.budgets.map((arm) => [
    arm.arm,
    arm.runs,
    Math.round(arm.supervisedTokens),
    Math.round(arm.totalTokens),
    Math.round(arm.steps),
    Math.round(arm.parameters),
    Math.round(arm.seconds),
  ]),
);

// %% [markdown]
// ## The claim, checked
// IFT beats SFT, tagged SFT and shuffled instructions on task types never trained on, many task types beat few, and the
// answers are better than a guess in the right format: each with an interval that excludes 0. If one of them does not hold,
// this cell fails, and with it the test of this notebook.

// %%
for (const { statement, holds, evidence } of analysis.claims)
  console.log(`${holds ? "yes" : "NO "}  ${statement}: ${evidence}`);
// With the one seed and the few steps of the fast mode only the arms are far enough apart.
const needed = analysis.claims.slice(0, fullOrFast(analysis.claims.length, 3));
const refuted = needed.filter((claim) => !claim.holds);
if (refuted.length > 0) throw new Error(`not shown: ${refuted.map((claim) => claim.statement).join("; ")}`);

// %% [markdown]
// ## Exercises
// 1. Set `start` to `RANDOM_START` (`ift-kit/experiment/mini/settings`): the same budget without pre-training. What does the
//    base model's knowledge of words save?
// 2. Double `supervisedTokens` and set `trainingCells` to `[10]`. Does more training on few task types replace many?
// 3. Leave out another cluster. Is one of them easier than the others, and what do its wordings share with trained ones?
// 4. Give the tagged arm some rows of held-out types in training. What does the difference become, and why is that not
//    generalization?
//
// ## What next
// `npm start` does this with three seeds and writes a page; `npm start -- --leave-out selectors` leaves every selector out
// in turn; `npm start -- --full` takes hours and draws the curve in seven points. All of it is resumable.
