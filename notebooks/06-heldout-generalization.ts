// %% [markdown]
// # 06 · Generalization to task types held out of training
//
// Does a model that was trained **with instructions** do tasks that it never saw? And does one that was trained on the
// very same rows **without** them?
//
// **You will learn** how the same labelled rows become SFT and IFT, why "more data" and "more instructions" are not the
// same thing, and how to say with an interval, not with a feeling, that one arm beats another.
//
// **Run time**: about 8 minutes on two cores, no GPU and no download. A setting `IFT_KIT_FAST=1` makes it a minute.
//
// The experiment is after Zhang, Wang and Charton 2024 ([arXiv 2402.10891](https://arxiv.org/abs/2402.10891)): a task is
// a string-rewrite rule, an instruction states the rule, and the task types held out are rules never trained on.

// %% [markdown]
// ## Parameters
// Everything that you may want to change is in this cell.

// %%
import { DEFAULT_SETTINGS, FAST_SETTINGS } from "ift-kit/experiment/rewrite/settings";
import { fullOrFast } from "ift-kit/notebook/fast-mode";

const settings = fullOrFast(DEFAULT_SETTINGS, FAST_SETTINGS);
const runsFolder = fullOrFast("runs/notebook-06", "runs/notebook-06-fast");
const most = Math.max(...settings.trainingRules);
console.log(
  `alphabet ${settings.language.alphabet}, up to ${most} training rules, seeds ${settings.seeds.join(", ")}`,
);

// %% [markdown]
// ## A task is a rule
// `ab>xyz` says: where `ab` stands, `xyz` takes its place. Each rule is a task type of its own. The held-out rules are
// drawn first, so that they are the same however many rules are trained on.

// %%
import { drawRewriteSuite } from "ift-kit/data/rewrite/suite";
import { showTable } from "ift-kit/notebook/display-table";

const suite = drawRewriteSuite(
  settings.language,
  { ...settings, trainingRules: most },
  settings.seeds[0] ?? 1,
);
const trained = new Set(suite.train.map((example) => example.taskType));
const heldOut = new Set(suite.heldOutTest.map((example) => example.taskType));
showTable(
  ["rows of", "instruction", "input", "output"],
  [
    ...suite.train
      .slice(0, 3)
      .map((row) => ["training rules", row.instruction ?? "", row.input, row.outputs[0] ?? ""]),
    ...suite.heldOutTest
      .slice(0, 3)
      .map((row) => ["held-out rules", row.instruction ?? "", row.input, row.outputs[0] ?? ""]),
  ],
);
const shared = [...heldOut].filter((rule) => trained.has(rule));
if (shared.length > 0) throw new Error(`rules on both sides: ${shared.join(", ")}`);
console.log(`${trained.size} training rules, ${heldOut.size} held-out rules, none on both sides`);

// %% [markdown]
// ## The same row, four ways
// - **SFT** shows the input alone.
// - **SFT + task tag** names the task by one opaque symbol. The model knows *which* task it has, not what it says.
// - **IFT** states the rule.
// - **Shuffled** states the rule of some other row: the negative control. It is asked with the true ones.
//
// The loss is on the answer and its end alone (the bold part); all four have the same supervised tokens.

// %%
import { renderSpans } from "ift-kit/data/render";
import { planRewriteRuns } from "ift-kit/experiment/rewrite/plan";
import { rewriteRows } from "ift-kit/experiment/rewrite/rows";
import { REWRITE_ARM_NAMES } from "ift-kit/report/experiments/rewrite";
import { showMarkdown } from "ift-kit/notebook/display";

const runs = planRewriteRuns(settings).filter(
  (run) => run.trainingRules === most && run.seed === settings.seeds[0],
);
const policy = { maxTokens: settings.decoder.contextLength, overlong: "drop", lossOn: "response" } as const;
const lines = runs.map((run) => {
  const { train, template, tokenizer } = rewriteRows(run);
  const outcome = renderSpans(train[0]!, template, tokenizer, policy);
  if (outcome.kind === "dropped") throw new Error(`the first row was dropped: ${outcome.reason}`);
  const { ids, supervised, promptLength } = outcome.spans;
  const prompt = tokenizer.decode(ids.slice(0, promptLength)).replace(/\p{Co}/gu, "⟨tag⟩");
  const answer = tokenizer.decode(ids.slice(promptLength));
  const targets = supervised.filter((isTarget) => isTarget).length;
  return `| ${REWRITE_ARM_NAMES[run.format]} | \`${prompt.replaceAll("|", "¦")}\`**\`${answer}\`** | ${ids.length} | ${targets} |`;
});
showMarkdown(["| arm | row | tokens | supervised |", "|---|---|---|---|", ...lines].join("\n"));

// %% [markdown]
// ## One model, live
// A short run of the IFT arm in this kernel, to see what training looks like. The stop button ends it in good order.

// %%
import { renderExamples } from "ift-kit/data/render-all";
import { startEngine } from "ift-kit/engine/start";
import { Decoder } from "ift-kit/model/decoder";
import { trainConfigOf } from "ift-kit/experiment/rewrite/settings";
import { interruptSignal } from "ift-kit/notebook/interrupt";
import { trainingDisplay } from "ift-kit/notebook/display-progress";
import { train } from "ift-kit/train/train";

const engine = await startEngine();
console.log(engine.note);
const iftRun = runs.find((run) => run.format === "ift")!;
const ift = rewriteRows(iftRun);
const decoder = Decoder.create({ ...settings.decoder, vocabularySize: ift.tokenizer.vocabularySize }, 1);
const budget = { unit: "supervised-tokens", amount: Math.round(settings.supervisedTokens / 4) } as const;
const display = trainingDisplay("IFT, a quarter of the budget", budget);
const short = await train(
  decoder,
  renderExamples(ift.train, ift.template, ift.tokenizer, policy).spans,
  { ...trainConfigOf(settings, 1), budget },
  { onStep: display.onStep, signal: interruptSignal() },
);
display.finish();

// %% [markdown]
// What does it answer to rules that it never saw, after a quarter of the training?

// %%
import { renderPrompt } from "ift-kit/data/render";
import { generateGreedy } from "ift-kit/evaluate/generate";

const asked = ift.heldOutTest.slice(0, 6);
const answers = await generateGreedy(
  decoder,
  asked.map((example) => renderPrompt(example, ift.template, ift.tokenizer, policy)),
  { maxNewTokens: 12, eos: ift.tokenizer.special.eos, batchSize: 6 },
);
showTable(
  ["instruction", "input", "reference", "answer", "right"],
  asked.map((example, index) => {
    const answer = ift.tokenizer.decode(answers[index] ?? []);
    const reference = example.outputs[0] ?? "";
    return [example.instruction ?? "", example.input, reference, answer, answer === reference ? "yes" : "no"];
  }),
);
decoder.dispose();

// %% [markdown]
// ## All arms, all seeds
// Now the whole experiment: IFT at several numbers of training instructions and the three other arms at the largest one,
// each with every seed and **the same budget of supervised tokens**. The runs are done in worker processes, one a core,
// and kept in a folder: if you stop here and run the cell again, it goes on.

// %%
import { runRewriteExperiment } from "ift-kit/experiment/rewrite/experiment";
import { liveDisplay } from "ift-kit/notebook/display";

const live = liveDisplay();
const experiment = await runRewriteExperiment(settings, runsFolder, {
  signal: interruptSignal(),
  onProgress: ({ finished, total, fraction, tokensPerSecond }) =>
    live.update({
      "text/plain": `${finished} of ${total} runs · ${(100 * fraction).toFixed(0)} % · ${tokensPerSecond.toFixed(0)} tokens/s`,
    }),
});
live.finish();
const { analysis, results } = experiment;

// %% [markdown]
// ## More instructions, not more rows
// Every run has the same number of rows and steps. What changes along the axis is how many *different* instructions they
// come from. The training rules are learned everywhere; rules never seen are done only when there were many.

// %%
import { showFigure } from "ift-kit/notebook/display-figure";
import { instructionCurve } from "ift-kit/report/experiments/rewrite";

await showFigure(instructionCurve(analysis));

// %% [markdown]
// ## SFT against IFT
// The task tag is the control that matters. A tag must be learned from its own task's rows; where there are enough of them
// (the smaller number of rules) the tagged model does as well on trained rules as the instructed one. On rules never
// trained on a tag says nothing, however well the rest was learned.

// %%
import { armFigure, differenceFigure } from "ift-kit/report/experiments/rewrite";

await showFigure(armFigure(analysis));
await showFigure(differenceFigure(analysis));

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
// IFT beats SFT, tagged SFT and shuffled instructions on rules never trained on, and many instructions beat few: each
// with an interval that excludes 0. If one of them does not hold, this cell fails, and with it the test of this notebook.

// %%
for (const { statement, holds, evidence } of analysis.claims)
  console.log(`${holds ? "yes" : "NO "}  ${statement}: ${evidence}`);
const refuted = analysis.claims.filter((claim) => !claim.holds);
if (refuted.length > 0) throw new Error(`not shown: ${refuted.map((claim) => claim.statement).join("; ")}`);

// %% [markdown]
// ## Exercises
// 1. Give the tagged arm the held-out tags in training (with their own rows). What does the difference become, and why is
//    that not generalization?
// 2. Set `trainingRules` to `[most]` and halve `supervisedTokens`. Which falls first, seen or held-out?
// 3. Make the strings longer at test time than in training.
//
// ## What next
// The same line on real tasks: `npm start -- --data <folder of Super-NaturalInstructions tasks>` trains on task types,
// holds out others and prints the floors (majority label, copy the input, copy a demonstration) beside every score.
