// %% [markdown]
// # 07 · Ablations
//
// Notebook 06 shows that instructions help. This one asks **what about them** does, one change at a time: which
// instructions, how many task types, how the rows are packed. And what it costs: a model that learns to follow instructions
// forgets some of the text that it came from.
//
// **You will learn** how an ablation is written down as a plan before it is run, how hypotheses are judged by intervals and
// not by which bar is longer, how a store lets plans share runs, and how generalization and forgetting are read together.
//
// **Run time**: about 4 minutes on two cores; `IFT_KIT_FAST=1` makes it a minute. No GPU, no download.

// %% [markdown]
// ## Parameters
// Everything that you may want to change is in this cell.

// %%
import { fullOrFast } from "ift-kit/notebook/fast-mode";

const seeds = fullOrFast([1, 2, 3], [1]);
/** Supervised tokens of every run; the plans that ship have 20,000. */
const budget = { unit: "supervised-tokens", amount: fullOrFast(20_000, 1_200) } as const;
const testRows = fullOrFast(90, 30);
const storeFolder = fullOrFast("runs/experiments", "runs/notebook-07-fast"); // where `ift-kit experiment` keeps its runs

// %% [markdown]
// ## An ablation is a plan
// A plan says what is varied, what is fixed, how much every run may use, what is asked, and **what is expected**, before the
// first run. These ship with the kit; each is a short file in `src/experiment/plans`.

// %%
import formatsPlan from "ift-kit/experiment/plans/ablation-formats";
import taskTypesPlan from "ift-kit/experiment/plans/ablation-task-types";
import instancesPlan from "ift-kit/experiment/plans/ablation-instances";
import wordingsPlan from "ift-kit/experiment/plans/ablation-wordings";
import promptLossPlan from "ift-kit/experiment/plans/ablation-prompt-loss";
import packingPlan from "ift-kit/experiment/plans/ablation-packing";
import loraPlan from "ift-kit/experiment/plans/ablation-lora";
import pretrainingPlan from "ift-kit/experiment/plans/ablation-pretraining";
import promptsPlan from "ift-kit/experiment/plans/ablation-prompts";
import dataQualityPlan from "ift-kit/experiment/plans/ablation-data-quality";
import tasksPerTypePlan from "ift-kit/experiment/plans/ablation-tasks-per-type";
import mixtureCapPlan from "ift-kit/experiment/plans/ablation-mixture-cap";
import leakagePlan from "ift-kit/experiment/plans/ablation-leakage";
import { type CheckedPlan, levelsOf, parsePlan } from "ift-kit/experiment/plan/plan";
import { showTable } from "ift-kit/notebook/display-table";

const plans: readonly CheckedPlan[] = [
  formatsPlan,
  taskTypesPlan,
  instancesPlan,
  wordingsPlan,
  promptLossPlan,
  packingPlan,
  loraPlan,
  pretrainingPlan,
  promptsPlan,
  dataQualityPlan,
  tasksPerTypePlan,
  mixtureCapPlan,
  leakagePlan,
].map((plan) => parsePlan(plan));
showTable(
  ["plan", "varies", "levels", "first hypothesis"],
  plans.map((plan) => {
    const levels = [...levelsOf(plan)];
    return [
      plan.name,
      levels.map(([factor]) => factor).join(", "),
      levels.map(([, names]) => names.join(" · ")).join("; "),
      plan.hypotheses[0]?.statement ?? "",
    ];
  }),
);

// %% [markdown]
// ## Three of them, live
// The same plans in the size of the parameters above. All three have the main arm in common (IFT, 90 task types, rows by
// themselves), and it is **one and the same run**: a run is found by a hash of all that decides its numbers, so the store does it
// once. Stop the cell and run it again, and it goes on.

// %%
import { planRuns } from "ift-kit/experiment/plan/expand";
import { RunStore } from "ift-kit/experiment/store";
import { savePlan } from "ift-kit/experiment/store/overview";
import { doRuns } from "ift-kit/experiment/pool";
import { analysePlan, type FinishedRun, type PlanAnalysis } from "ift-kit/experiment/plan/analysis";
import { liveDisplay } from "ift-kit/notebook/display";
import { interruptSignal } from "ift-kit/notebook/interrupt";

interface Done {
  readonly plan: CheckedPlan;
  readonly runs: readonly FinishedRun[];
  readonly analysis: PlanAnalysis;
}

/** A plan that ships, in our size; `levels` leaves some of a factor's out. */
function resized(name: string, levels: Readonly<Record<string, readonly (string | number)[]>>): CheckedPlan {
  const whole = plans.find((plan) => plan.name === name);
  if (whole === undefined) throw new Error(`no plan ${name}`);
  const kept = (choice: Readonly<Record<string, string | number | boolean>>): boolean =>
    Object.entries(choice).every(
      ([factor, level]) => levels[factor]?.includes(level as string | number) === true,
    );
  return parsePlan({
    ...whole,
    factors: levels,
    seeds: seeds,
    budget: budget,
    evaluation: {
      ...whole.evaluation,
      "testRows.seen": testRows,
      "testRows.held-out-cell": testRows,
      pretrainingDocuments: fullOrFast(40, 10),
    },
    hypotheses: whole.hypotheses.filter(({ a, b }) => kept(a) && kept(b)),
  });
}

async function done(plan: CheckedPlan, store: RunStore): Promise<Done> {
  const planned = await planRuns(plan);
  savePlan(store, plan, planned);
  const live = liveDisplay();
  await doRuns(
    planned.map(({ specification }) => specification),
    store,
    {
      signal: interruptSignal(),
      onProgress: ({ finished, total, fraction }) =>
        live.update({
          "text/plain": `${plan.name}: ${finished} of ${total} runs · ${(100 * fraction).toFixed(0)} %`,
        }),
    },
  );
  live.finish();
  const runs = planned.flatMap(({ specification, levels }) => {
    const result = store.find(specification);
    return result === undefined ? [] : [{ levels: levels, result: result }];
  });
  if (runs.length < planned.length)
    throw new Error(`${planned.length - runs.length} runs of ${plan.name} are missing`);
  return { plan: plan, runs: runs, analysis: analysePlan(plan, runs) };
}

const store = new RunStore(storeFolder);
const formats = await done(
  resized("ablation-formats", {
    format: fullOrFast(["ift", "sft", "sft-tag", "ift-shuffled", "ift-swapped"], ["ift", "sft"]),
  }),
  store,
);
const taskTypes = await done(
  resized("ablation-task-types", { trainingCells: fullOrFast([10, 30, 90], [10, 90]) }),
  store,
);
const packing = await done(
  resized("ablation-packing", {
    batching: fullOrFast(["rows", "packed", "packed-without-mask"], ["rows", "packed-without-mask"]),
  }),
  store,
);
store.close();
const three = [formats, taskTypes, packing];
const different = new Set(three.flatMap(({ runs }) => runs.map(({ result }) => result.key))).size;
console.log(
  `${three.reduce((sum, { runs }) => sum + runs.length, 0)} runs are asked for, ${different} were done`,
);

// %% [markdown]
// ## Which instructions
// SFT shows no instruction at all. A tag tells task types apart without words. Shuffled instructions belong to other rows; swapped
// ones belong to *one* other task type, always the same, so they tell as much as a tag does, in words that mean something else.
// All are asked with true instructions.

// %%
import { planReport } from "ift-kit/report/experiments/plan";
import { showFigure } from "ift-kit/notebook/display-figure";

const reports = new Map(
  three.map(({ plan, runs, analysis }) => [plan.name, planReport(plan, runs, [], analysis)] as const),
);
async function showSection(plan: string, heading: string): Promise<void> {
  const section = reports.get(plan)?.sections.find((one) => one.heading === heading);
  if (section?.figure !== undefined) await showFigure(section.figure);
}
await showSection("ablation-formats", "Scores: exact-match");

// %% [markdown]
// ## How many task types
// As many rows, the same budget; what changes is how many task types they are of.

// %%
await showSection("ablation-task-types", "Score over trainingCells");

// %% [markdown]
// ## How rows are packed
// Packed rows must not see each other. Without the block mask a row of training has other rows before it, and a row of the test has
// nothing: the model meets at test time what it never saw. The manifest of such a run says `ABLATION` where its rules are.

// %%
await showSection("ablation-packing", "Scores: exact-match");
const unmasked = packing.runs.find(({ levels }) => levels.batching === "packed-without-mask");
console.log(unmasked?.result.manifest.rules.packing ?? "");

// %% [markdown]
// ## What is forgotten
// The base model reads the mini world's text at the bits per byte of the dotted line. Tuning moves it to the right. A good recipe is
// high and far to the left.

// %%
await showSection("ablation-formats", "Generalization and forgetting");

// %% [markdown]
// ## The hypotheses, judged
// A verdict is from an interval that holds for all hypotheses of a plan together. "Not shown" is a result too: it says that these
// runs cannot tell, and the width says how far they are from it.

// %%
for (const { plan, analysis } of three) {
  for (const { hypothesis, difference, verdict, pValue } of analysis.hypotheses) {
    const points = [difference.mean, difference.low, difference.high].map((value) =>
      (100 * value).toFixed(0),
    );
    console.log(
      `${verdict.padEnd(12)} ${plan.name}: ${hypothesis.statement}: ${points[0]} [${points[1]}, ${points[2]}] points, p ${pValue.toFixed(3)}`,
    );
  }
}

// %% [markdown]
// ## The claims, checked
// Tuning forgets: every run is worse on its pre-training text than the base model was. In full size also: IFT beats SFT on
// task types never trained on. If one of them does not hold, this cell fails, and with it the test of this notebook.

// %%
const forgotten = three.flatMap(({ runs }) => runs.flatMap(({ result }) => result.forgetting ?? []));
const worse = forgotten.filter(({ before, after }) => after > before);
console.log(`${worse.length} of ${forgotten.length} runs need more bits per byte after tuning than before`);
if (forgotten.length === 0 || worse.length < forgotten.length) throw new Error("not shown: tuning forgets");
const [first] = formats.analysis.hypotheses;
if (fullOrFast(first?.verdict !== "supported", false))
  throw new Error(`not shown: ${first?.hypothesis.statement}`);

// %% [markdown]
// ## The others, from a stored grid
// The plans in the sizes that they ship with take minutes to an hour on a laptop. Their reports are stored with the kit, in
// `datasets/ablations`: what they say, and from which runs (seeds, data, engine, hash of the sources). Each was written by the
// command below, which rebuilds it; a test holds every stored report against the plan of today.
//
// ```sh
// npx ift-kit experiment run ablation-lora --dry-run      # what it costs on this machine
// npx ift-kit experiment run ablation-lora                # do it; the same command goes on after a stop
// npx ift-kit report runs/experiments                     # a page for every plan of the store
// ```

// %%
import { storedAblations } from "ift-kit/report/experiments/stored-ablations";
import { showMarkdown } from "ift-kit/notebook/display";

const stored = storedAblations();
for (const { name, report } of stored) {
  console.log(`${name}: ${report.title}`);
  for (const line of report.summary) console.log(`  ${line}`);
}
const without = plans.filter(({ name }) => !stored.some((one) => one.name === name));
if (without.length > 0) console.log(`not stored: ${without.map(({ name }) => name).join(", ")}`);

// %% [markdown]
// ### Their scores
// One figure a plan: the factor with numbers as a curve, the others as arms. The seeds are few, so the intervals are wide; they are
// Student's over the seeds, with task types and rows inside.

// %%
for (const { name, report } of stored) {
  const section =
    report.sections.find(({ heading }) => heading.startsWith("Score over")) ??
    report.sections.find(({ heading }) => heading.startsWith("Scores"));
  if (section?.figure === undefined) continue;
  showMarkdown(`**${report.title}** (\`${name}\`)`);
  await showFigure(section.figure);
}

// %% [markdown]
// ### What every recipe costs, and what it forgets
// A recipe is not only its score. These two are of the plan with the most to choose from, full weights against low-rank updates.

// %%
const loraReport = stored.find(({ name }) => name === "ablation-lora")?.report;
for (const heading of ["Cost and score", "Generalization and forgetting"]) {
  const figure = loraReport?.sections.find((section) => section.heading === heading)?.figure;
  if (figure !== undefined) await showFigure(figure);
}

// %% [markdown]
// ## Exercises
// 1. Run `ablation-lora`. Which arm forgets least, and what does it pay for that on held-out task types?
// 2. Write a plan of your own with two factors, `format` and `lossOn`, and a hypothesis about both. What do its runs share with
//    the plans here?
// 3. `ablation-wordings` asks every held-out row in nine wordings. Is the spread over wordings larger than the difference
//    between arms?
// 4. Give `ablation-packing` a level with a larger `rowsPerStep`. Does the damage of the missing mask go away with more steps?
//
// ## What next
// Notebook 06 has the main experiment with all its floors. A plan runs on several machines too: `ift-kit experiment run --help`.
