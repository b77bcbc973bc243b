// %% [markdown]
// # 05 · SFT against IFT: what the instruction is good for
//
// The same labelled rows can be shown as *input → output* (SFT) or as *instruction, input → output* (IFT). Same rows, same
// answers, same budget: which model is better, at what, and why?
//
// **You will learn** to train both on a matched budget, to tell tasks that the input gives away from those that it does not, to ask
// for task types that were never trained, and to weigh one model for many tasks against a model for each.
//
// **Run time**: about 3 minutes on two cores, no GPU and no download; `IFT_KIT_FAST=1` makes it a minute.

// %% [markdown]
// ## Parameters
// All models start from the kit's base decoder, and all budgets are in supervised tokens: the targets of the loss.

// %%
import { ARTICLE_POLICY, ARTICLE_SETTINGS, articleTraining } from "ift-kit/experiment/article/tune";
import {
  DEFAULT_MINI_SETTINGS,
  FAST_MINI_SETTINGS,
  type MiniSettings,
} from "ift-kit/experiment/mini/settings";
import { fullOrFast } from "ift-kit/notebook/fast-mode";

const seed = 1;
/** Three tasks on the same news, which the input does not tell apart, and two whose input gives them away. */
const SAME_INPUT = ["news-topic", "news-headline", "news-summary"];
const OWN_INPUT = ["film-sentiment", "person-questions"];
const rowsOf = { train: fullOrFast(400, 40), validation: 1, test: fullOrFast(40, 4) };
/** Of all five tasks together. */
const supervisedTokens = fullOrFast(45_000, 3_000);
/** The grid of task types, some of them held out. */
const grid: MiniSettings = {
  ...fullOrFast(DEFAULT_MINI_SETTINGS, FAST_MINI_SETTINGS),
  seeds: fullOrFast([1, 2, 3], [1]),
  supervisedTokens: fullOrFast(25_000, FAST_MINI_SETTINGS.supervisedTokens),
};
console.log(
  `${supervisedTokens.toLocaleString("en")} supervised tokens on ${SAME_INPUT.length + OWN_INPUT.length} tasks, ${grid.supervisedTokens.toLocaleString("en")} on the grid, with ${grid.seeds.length} seeds`,
);

// %% [markdown]
// ## The same rows, twice
// One news article, three tasks. As SFT all three have the *same* prompt with different answers; only the instruction says which is
// wanted.

// %%
import { MINI_IFT, MINI_SFT } from "ift-kit/data/mini/template";
import { MINI_TASKS } from "ift-kit/data/mini/tasks/index";
import { drawTaskRows } from "ift-kit/data/mini/tasks/rows";
import { renderExamples } from "ift-kit/data/render-all";
import { loadBase } from "ift-kit/evaluate/base-checkpoint";
import { lookSideBySide } from "ift-kit/notebook/look";

const base = await loadBase("decoder");
const { tokenizer } = base;
const TASKS = [...SAME_INPUT, ...OWN_INPUT];
const drawn = drawTaskRows(
  rowsOf,
  seed,
  MINI_TASKS.filter(({ name }) => TASKS.includes(name)),
);
for (const name of SAME_INPUT) {
  const row = drawn.train.find(({ task }) => task === `mini-${name}`)!;
  const [sft] = renderExamples([row], MINI_SFT, tokenizer, ARTICLE_POLICY).spans;
  const [ift] = renderExamples([row], MINI_IFT, tokenizer, ARTICLE_POLICY).spans;
  lookSideBySide({ spans: sft!, title: `SFT: ${name}` }, { spans: ift!, title: `IFT: ${name}` }, tokenizer);
}

// %% [markdown]
// ## A matched budget
// Both get the same rows in the same order and the same number of supervised tokens, so each answer is seen equally often. IFT reads more tokens for it:
// that is the price of the instruction.

// %%
import { matchFormats } from "ift-kit/data/compare/index";
import { showTable } from "ift-kit/notebook/display-table";

const budget = { unit: "supervised-tokens", amount: supervisedTokens } as const;
const matched = matchFormats(
  drawn.train,
  { SFT: MINI_SFT, IFT: MINI_IFT },
  tokenizer,
  ARTICLE_POLICY,
  budget,
);
showTable(
  [
    "format",
    "rows",
    "supervised tokens of the rows",
    "total tokens of the rows",
    { name: "epochs", digits: 1 },
  ],
  matched.inputs.map(({ format, spans, supervisedTokens: targets, totalTokens, epochs }) => [
    format,
    spans.length,
    targets,
    totalTokens,
    epochs ?? 0,
  ]),
);

// %% [markdown]
// ## Train both, and a model for each task
// The two models that learn all five tasks, and beside them five models that learn one task each, as SFT: a single-task model
// needs no instruction. Together the five get the budget that the others have, each the share of its task.

// %%
import type { Spans } from "ift-kit/data/spans";
import type { LoadedModel } from "ift-kit/evaluate/model-folder";
import type { Decoder } from "ift-kit/model/decoder";
import { interruptSignal } from "ift-kit/notebook/interrupt";
import { trainingPlot } from "ift-kit/notebook/live-figure";
import { train } from "ift-kit/train/train";
import type { TrainProgress } from "ift-kit/train/progress";

interface Trained {
  readonly model: LoadedModel<Decoder>;
  readonly rows: readonly Spans[];
  readonly used: TrainProgress;
}
const plot = trainingPlot("SFT, IFT and one model a task, from the same base");
const signal = interruptSignal();
async function tune(name: string, rows: readonly Spans[], amount: number, run?: string): Promise<Trained> {
  const model = await loadBase("decoder");
  const own = { unit: "supervised-tokens", amount } as const;
  const training = articleTraining({ ...ARTICLE_SETTINGS, learningRate: 1e-3, seed: seed, rowsPerStep: 16 });
  const result = await train(
    model.decoder,
    rows,
    { ...training, budget: own },
    { onStep: plot.follow(name, own, run), signal },
  );
  return { model, rows, used: result.progress };
}
const spansOf = (format: string): readonly Spans[] =>
  matched.inputs.find((input) => input.format === format)!.spans;
const targetsIn = (rows: readonly Spans[]): number =>
  rows.reduce((total, { supervised }) => total + supervised.filter(Boolean).length, 0);

const sft = await tune("SFT", spansOf("SFT"), supervisedTokens);
const ift = await tune("IFT", spansOf("IFT"), supervisedTokens);
const taskOf = new Map(drawn.train.map(({ id, task }) => [id, task]));
const singles = new Map<string, Trained>();
for (const name of TASKS) {
  const rows = spansOf("SFT").filter(({ id }) => taskOf.get(id) === `mini-${name}`);
  const share = targetsIn(rows) / targetsIn(spansOf("SFT"));
  singles.set(name, await tune("one task each", rows, Math.round(share * supervisedTokens), name));
}
await plot.finish();

// %% [markdown]
// ## In distribution: does the input give the task away?
// Test rows of the five trained tasks. Where the input tells what is asked (a review, a question) SFT can do without the
// instruction. Where it does not, SFT has to guess which of three answers is wanted.

// %%
import type { Template } from "ift-kit/data/template";
import { meanInterval, pairedDifference } from "ift-kit/evaluate/statistics/bootstrap";
import { scoreAnswers, type ScoredAnswer, taskScores } from "ift-kit/experiment/article/score";
import { REPORT_BOOTSTRAP } from "ift-kit/experiment/scores";
import { showFigure } from "ift-kit/notebook/display-figure";
import { armsWithIntervals } from "ift-kit/report/figures/arms-with-intervals";

const testsOf = (name: string) => drawn.test.filter(({ task }) => task === `mini-${name}`);
async function answersOf(of: (name: string) => Trained, template: Template): Promise<ScoredAnswer[]> {
  const answers: ScoredAnswer[] = [];
  for (const name of TASKS) answers.push(...(await scoreAnswers(of(name).model, testsOf(name), template)));
  return answers;
}
const answers = {
  IFT: await answersOf(() => ift, MINI_IFT),
  SFT: await answersOf(() => sft, MINI_SFT),
  "one task each": await answersOf((name) => singles.get(name)!, MINI_SFT),
};
type Arm = keyof typeof answers;
const scores = (arm: Arm, names: readonly string[] = TASKS) =>
  taskScores(answers[arm], seed).filter(({ taskType }) => names.some((name) => taskType === `mini-${name}`));
await showFigure(
  armsWithIntervals({
    id: "in-distribution",
    title: "The five trained tasks, new texts",
    subtitle: `${rowsOf.test} rows a task; one run each; 95% intervals over rows (bootstrap)`,
    valueTitle: "exact match (share of rows)",
    series: (Object.keys(answers) as Arm[]).map((name) => ({
      name,
      points: TASKS.map((row) => ({ row, ...meanInterval(scores(name, [row]), REPORT_BOOTSTRAP) })),
    })),
  }),
);

// %% [markdown]
// The differences, paired on the same rows.

// %%
import { pairedDifferences } from "ift-kit/report/figures/paired-differences";

const minus = (a: Arm, b: Arm, names: readonly string[]) =>
  // The tasks are the ones that are meant, not a draw from many: the interval is over their rows.
  pairedDifference(
    {
      a: scores(a, names).map((row) => ({ ...row, taskType: "the tasks" })),
      b: scores(b, names).map((row) => ({ ...row, taskType: "the tasks" })),
    },
    REPORT_BOOTSTRAP,
  );
const onSameInput = minus("IFT", "SFT", SAME_INPUT);
const onOwnInput = minus("IFT", "SFT", OWN_INPUT);
const overSingles = minus("IFT", "one task each", TASKS);
await showFigure(
  pairedDifferences({
    id: "in-distribution-differences",
    title: "What the instruction adds on trained tasks",
    subtitle: "95% intervals over rows (paired bootstrap), one run each",
    valueTitle: "difference in exact match",
    rows: [
      { label: "IFT − SFT, three tasks on the same news", ...onSameInput },
      { label: "IFT − SFT, input gives the task away", ...onOwnInput },
      { label: "IFT − one model a task, all five", ...overSingles },
    ],
  }),
);

// %% [markdown]
// Read it with the floors in mind. In the run that is stored here film sentiment is at chance (0.5) in every arm: its answers are
// a tenth of the supervised tokens, which is too little training to learn it (notebook 04 has more, and reaches 1.00). So of the two tasks whose
// input gives them away only the questions say something, and there SFT is not worse.

// %% [markdown]
// ## One model for many tasks, or one for each
// Score, parameters to keep, and compute. The five single-task models had together the supervised tokens of the one.

// %%
import { rowLengths, trainingFlops } from "ift-kit/experiment/cost/flops";

/** Of training: what a token of these rows costs, times the tokens that were used. */
const flops = ({ model, rows, used }: Trained): number => {
  const lengths = rowLengths(rows.map(({ ids }) => ids.length));
  return (trainingFlops(model.decoder.config, lengths) / lengths.tokens) * used.totalTokens;
};
const line = (name: Arm, models: readonly Trained[]) => {
  const total = (of: (one: Trained) => number): number => models.reduce((sum, one) => sum + of(one), 0);
  return [
    name,
    models.length,
    total(({ model }) => model.decoder.parameterCount).toLocaleString("en"),
    total(({ used }) => used.supervisedTokens).toLocaleString("en"),
    total(({ used }) => used.totalTokens).toLocaleString("en"),
    (total(flops) / 1e12).toFixed(2),
    total(({ used }) => used.seconds).toFixed(0),
    minus(name, name, TASKS).a.mean.toFixed(3),
  ];
};
showTable(
  [
    "arm",
    "models",
    "parameters",
    "supervised tokens",
    "total tokens",
    { name: "training", unit: "TFLOP" },
    { name: "training", unit: "s" },
    "exact match, five tasks",
  ],
  [line("IFT", [ift]), line("SFT", [sft]), line("one task each", [...singles.values()])],
);

// %% [markdown]
// In the stored run the five are better than the one, for five times the parameters: at this size tasks compete for room and for steps.
//
// At larger sizes: [Raffel et al. 2020](https://arxiv.org/abs/1910.10683) (T5, 220 million parameters) found training on all tasks at once
// worse than fine-tuning on each, and multi-task pre-training followed by fine-tuning about as good.
// [Wei et al. 2022](https://arxiv.org/abs/2109.01652) (FLAN) saw instruction tuning help held-out tasks at 68 and 137 billion parameters and hurt at
// 8 billion and fewer: there the many tasks fill the whole model.

// %% [markdown]
// ## Held-out task types
// Trained tasks are half of the question. Here a task type is a pair of *what to find* in a text and *how to write* it; 90 pairs
// are trained, 30 others are asked, whose halves were trained apart (notebook 06 has more: doses, levels, a task tag, shuffled instructions). SFT sees the text alone. The runs are
// done in worker processes and kept: the cell goes on where it was stopped.

// %%
import { planMiniRuns } from "ift-kit/experiment/mini/plan";
import { doRuns, requireAll } from "ift-kit/experiment/pool";
import { RunStore } from "ift-kit/experiment/store";
import { liveDisplay } from "ift-kit/notebook/display";

const most = Math.max(...grid.trainingCells);
const runs = planMiniRuns(grid).filter(
  ({ format, trainingCells }) => trainingCells === most && (format === "sft" || format === "ift"),
);
const live = liveDisplay();
const results = requireAll(
  await doRuns(runs, new RunStore(fullOrFast("runs/notebook-05", "runs/notebook-05-fast")), {
    signal: interruptSignal(),
    onProgress: ({ finished, total, fraction, tokensPerSecond }) =>
      live.update({
        "text/plain": `${finished} of ${total} runs · ${(100 * fraction).toFixed(0)} % · ${tokensPerSecond.toFixed(0)} tokens/s`,
      }),
  }),
);
live.finish();

// %%
import { seedDifference, seedMean } from "ift-kit/evaluate/statistics/seed-interval";
import { miniArmName } from "ift-kit/experiment/mini/plan";
import { miniFloors } from "ift-kit/experiment/mini/floors";
import { scoresOf } from "ift-kit/experiment/scores";

const gridScores = (arm: "sft" | "ift", level: string) =>
  scoresOf(results, miniArmName(arm, most), { level }, "exact-match");
const LEVELS = { seen: "trained task types, new texts", "held-out-cell": "task types never trained on" };
const gridDifference = (level: keyof typeof LEVELS) =>
  seedDifference({ a: gridScores("ift", level), b: gridScores("sft", level) }, REPORT_BOOTSTRAP);
const floor = miniFloors(grid).find(({ level }) => level === "held-out-cell")!.randomWord;
const heldOut = gridDifference("held-out-cell");
const seen = gridDifference("seen");
await showFigure(
  armsWithIntervals({
    id: "held-out",
    title: "SFT and IFT on trained and on held-out task types",
    subtitle: heldOut.basis,
    valueTitle: "exact match (share of rows)",
    series: (["ift", "sft"] as const).map((arm) => ({
      name: arm.toUpperCase(),
      points: (Object.keys(LEVELS) as (keyof typeof LEVELS)[]).map((level) => ({
        row: LEVELS[level],
        ...seedMean(gridScores(arm, level), REPORT_BOOTSTRAP),
      })),
    })),
    floors: [{ name: "floor: random word, right format", value: floor }],
  }),
);

// %% [markdown]
// ## A conversation
// The base model, the SFT model and the IFT model of the five tasks get the same requests. Nobody here has a memory: each request
// stands for itself, as in training. Watch the news: one text, three requests. The last two are beyond what was trained:
// a whole-sentence request, and a task of another kind.

// %%
import { showConversation } from "ift-kit/notebook/side-by-side";

const [news] = testsOf("news-summary");
const [question] = testsOf("person-questions");
const said = await showConversation(
  [
    { name: "base", model: base, template: MINI_IFT },
    { name: "SFT", model: sft.model, template: MINI_SFT },
    { name: "IFT", model: ift.model, template: MINI_IFT },
  ],
  [
    { instruction: "What is the topic of this article?", input: news!.input },
    { instruction: "Write a headline for the following article.", input: news!.input },
    { instruction: "Summarize the following article.", input: news!.input },
    { instruction: "Classify the sentiment of the following review.", input: "The movie was fantastic!" },
    { instruction: "Answer the following question.", input: question!.input },
    { instruction: "Classify the sentiment of 'The movie was boring.'" },
    { instruction: "Translate the sentence into French.", input: "The movie was fantastic!" },
  ],
);
const onNews = (speaker: number): number => new Set(said.slice(0, 3).map((turn) => turn[speaker])).size;
console.log(`different answers to the three requests on one text: SFT ${onNews(1)}, IFT ${onNews(2)}`);

// %% [markdown]
// ## The claim, checked
// *On task types never trained on, and on tasks that the input does not give away, IFT beats SFT on the same rows and budget, with
// intervals that exclude 0.* That it costs or gains nothing where the input gives the task away, and how one model compares with five, is
// reported as it came out. If a claim does not hold, this cell fails, and with it the test of this notebook.

// %%
interface Difference {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}
const points = ({ mean, low, high }: Difference): string =>
  `${(100 * mean).toFixed(1)} [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}] points of exact match`;
const claims = [
  [`held-out task types, IFT minus SFT: ${points(heldOut)}`, heldOut.low > 0],
  [`three tasks on the same news, IFT minus SFT: ${points(onSameInput)}`, onSameInput.low > 0],
  [`trained types of the grid, IFT minus SFT: ${points(seen)}`, seen.low > 0],
  [`SFT gives one answer to three requests on one text, IFT ${onNews(2)}`, onNews(1) === 1 && onNews(2) > 1],
] as const;
for (const [statement, holds] of claims) console.log(`${holds ? "yes" : "NO "}  ${statement}`);
const told = (difference: Difference, better: string, worse: string): string =>
  difference.low > 0 ? better : difference.high < 0 ? worse : "no difference is shown";
console.log(
  `where the input gives the task away: ${told(onOwnInput, "IFT is better", "SFT is better")}: ${points(onOwnInput)}`,
);
console.log(
  `one model against five: ${told(overSingles, "the one is better", "the five are better")}: ${points(overSingles)}`,
);
// With the few steps of the fast mode only the first is far enough from 0.
const needed = claims.slice(0, fullOrFast(claims.length, 1));
const refuted = needed.filter(([, holds]) => !holds);
if (refuted.length > 0) throw new Error(`not shown: ${refuted.map(([statement]) => statement).join("; ")}`);
if (onNews(1) !== 1) throw new Error("an SFT model was shown the same text and gave different answers");

// %%
for (const { decoder } of [base, sft.model, ift.model, ...[...singles.values()].map(({ model }) => model)])
  decoder.dispose();

// %% [markdown]
// ## Exercises
// 1. Match the two arms on total tokens (`unit: "total-tokens"`). What does the price of the instruction change?
// 2. Add `"market-summary"` to the tasks with the same input, and look for the words of its summaries in those of other news.
// 3. Give each single-task model the whole budget. When are five models the better choice?
// 4. Give SFT a task tag in place of the instruction (`format === "sft-tag"` in the grid's plan). What does it then do on trained task
//    types, and what on held-out ones?
//
// ## What next
// Notebook 06: how many task types it takes, how far from training it reaches, and where it ends.
