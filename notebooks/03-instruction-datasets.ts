// %% [markdown]
// # 03 · Instruction data: the same rows as SFT and as IFT
//
// A labelled row can be shown to a model as *input → output* (SFT) or as *instruction, input → output* (IFT). What exactly
// changes when the format does, and what must stay the same if the format alone is to be compared?
//
// **You will learn** to read instruction data of many formats, to see each row as the loss sees it, to compare two formats
// on the same rows in numbers, to judge how diverse instructions are, and to split data so that the test is a test.
//
// **Run time**: about two minutes on two cores; nothing is downloaded. `IFT_KIT_FAST=1` makes it half a minute.

// %% [markdown]
// ## Parameters
// The samples ship with the kit. Larger public data sets are used where they lie beside the clone; otherwise the notebook
// says so and goes on with the samples.

// %%
import { existsSync } from "node:fs";
import { fullOrFast } from "ift-kit/notebook/fast-mode";

const samples = "datasets/samples";
const shared = "../shared/datasets";
const settings = {
  rowsPerTask: fullOrFast(20, 5),
  vocabularySize: fullOrFast(4096, 600),
  maxTokens: 2048,
  seed: 1,
};
const hasShared = existsSync(shared);
/** Which folders are read: all, or in fast mode two. */
const wantsFolder = (name: string): boolean =>
  fullOrFast(
    !["text", "promptsource-templates"].includes(name),
    ["natural-instructions", "self-instruct"].includes(name),
  );
console.log(
  hasShared ? `data sets of ${shared} and the samples` : `${shared} is not there: the samples alone`,
);

// %% [markdown]
// ## The article's rows
// Three labelled rows, and one request that is a whole sentence: *Classify the sentiment of 'Great movie!'*. As SFT the last is
// only `Great movie!` → `Positive`; as IFT the instruction says what to do, and the answer is a sentence too.

// %%
import type { Example } from "ift-kit/data/example";
import { readExamples } from "ift-kit/data/read/index";
import { showTable } from "ift-kit/notebook/display-table";

const { examples: article } = await readExamples(`${samples}/alpaca.json`);
const greatMovie: Example = {
  id: "great-movie-sft",
  task: "sentiment",
  taskType: "sentiment",
  input: "Great movie!",
  outputs: ["Positive"],
  source: "article",
};
const rows = [...article, greatMovie];
const shorten = (text: string, most = 60): string =>
  text.length > most ? `${text.slice(0, most - 1)}…` : text;
showTable(
  ["instruction", "input", "output"],
  rows.map(({ instruction, input, outputs }) => [
    instruction ?? "–",
    input === "" ? "–" : input,
    outputs[0] ?? "",
  ]),
);

// %% [markdown]
// ## Every template, the same rows
// A template turns a row into text. Some show the instruction (IFT), some never do (SFT). Some show more than these rows have, so
// the rows get it here: answers to choose from, demonstrations of the kit's sample tasks, a line of reasoning. Their own three
// fields stay as they are, character by character.
//
// A row that a template cannot show is an error with its reason, never an empty text. The numbers are *tokens / of these
// supervised*; the latter differ only where a template ends a turn in its own way, or has the reasoning learned.

// %%
import { targetText } from "ift-kit/data/compare/pair";
import { renderSpans } from "ift-kit/data/render";
import type { RenderPolicy } from "ift-kit/data/spans";
import type { Template } from "ift-kit/data/template";
import { TEMPLATES } from "ift-kit/data/templates/index";
import { trainByteLevelBpe } from "ift-kit/tokenizer/byte-level-bpe";

const { examples: sampleTasks } = await readExamples(`${samples}/super-natural-instructions`);
const ofTasks = [...new Map(sampleTasks.map((row) => [row.task, row])).values()];
const positive = ofTasks.flatMap((row) => row.positive ?? []).slice(0, 2);
const unhelpful = {
  input: "Never again.",
  output: "Maybe",
  explanation: "The answer must be one of the two.",
};
const negative = [...ofTasks.flatMap((row) => row.negative ?? []).slice(0, 1), unhelpful];
const others = ["Negative", "The market fell.", "Emily Brontë", "The sentiment is negative.", "Negative"];
const fullRows = rows.map((row, index) => ({
  ...row,
  options: [...row.outputs, others[index] ?? ""],
  positive,
  negative,
  rationale: "It says so in the text.",
}));

const policy: RenderPolicy = { maxTokens: settings.maxTokens, overlong: "drop", lossOn: "response" };
const smallTokenizer = trainByteLevelBpe(
  rows.flatMap(({ instruction = "", input, outputs }) => [instruction, input, ...outputs]),
  { vocabularySize: 400 },
);
/** What a template makes of a row, or why it cannot show it. */
function tryRender(template: Template, row: Example) {
  try {
    return renderSpans(row, template, smallTokenizer, policy);
  } catch (error) {
    const reason = (error as Error).message.replace(/^.* has no (\w+),.*$/s, "no $1");
    return { kind: "not shown", reason } as const;
  }
}
const inexact: string[] = [];
showTable(
  ["template", "format", ...rows.map(({ instruction, input }) => shorten(instruction ?? input, 28))],
  TEMPLATES.map((template) => [
    template.name,
    template.format.toUpperCase(),
    ...fullRows.map((row) => {
      const outcome = tryRender(template, row);
      if (outcome.kind !== "rendered") return `(${shorten(outcome.reason, 40)})`;
      const { ids, supervised } = outcome.spans;
      if (!targetText(outcome.spans, smallTokenizer).endsWith(row.outputs[0]!))
        inexact.push(`${template.name}: ${row.id}`);
      return `${ids.length} / ${supervised.filter(Boolean).length}`;
    }),
  ]),
);
if (inexact.length > 0) throw new Error(`the answer is not what is learned: ${inexact.join(", ")}`);
console.log("in every template what is learned ends in the row's output, to the character");

// %% [markdown]
// ## Look at the tokens
// What the loss is on is underlined; every piece has the colour of where it comes from. On the left a row as SFT, on the right
// the same row as IFT: the *same* underlined tokens behind *other* prompts. The mask is known when the text is made; it is
// never searched for.

// %%
import { iftDefinition, sftPlain } from "ift-kit/data/templates/index";
import { look, lookSideBySide } from "ift-kit/notebook/look";

function spansOf(template: Template, row: Example) {
  const outcome = renderSpans(row, template, smallTokenizer, policy);
  if (outcome.kind !== "rendered") throw new Error(`the row was dropped: ${outcome.reason}`);
  return outcome.spans;
}
for (const row of article.slice(0, 3)) {
  lookSideBySide(
    { spans: spansOf(sftPlain, row), title: "SFT (sft-plain)" },
    { spans: spansOf(iftDefinition, row), title: "IFT (ift-definition)" },
    smallTokenizer,
  );
}

// %% [markdown]
// The "Great movie!" pair, in every template that can show it:

// %%
const pair = [fullRows[4]!, fullRows[3]!];
for (const template of TEMPLATES) {
  for (const row of pair) {
    if (tryRender(template, row).kind === "rendered")
      look(spansOf(template, row), smallTokenizer, template.name);
  }
}

// %% [markdown]
// ## Files of many formats
// One reader for all: it tells the format from the content and says why. The ledger adds up: rows in = kept + dropped, with a
// reason for each dropped row.

// %%
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { ReadResult } from "ift-kit/data/read/index";

const places = [
  ...readdirSync(samples)
    .sort()
    .map((name) => join(samples, name)),
  ...(hasShared
    ? readdirSync(shared)
        .sort()
        .filter((name) => !name.includes(".") && wantsFolder(name))
        .map((name) => join(shared, name))
    : []),
];
const readings: (ReadResult & { readonly place: string })[] = [];
for (const place of places) {
  const reading = await readExamples(place, { onMalformed: "skip", limitPerTask: fullOrFast(10_000, 20) });
  readings.push({ place, ...reading });
}
showTable(
  ["path", "format", "task types", "rows in", "kept", "dropped"],
  readings.map(({ place, format, examples, ledger }) => [
    place,
    format,
    new Set(examples.map(({ taskType }) => taskType)).size,
    ledger.rowsIn,
    ledger.kept,
    Object.entries(ledger.dropped)
      .map(([reason, count]) => `${count} ${reason}`)
      .join(", "),
  ]),
);

// %% [markdown]
// ## Cleaning is a step of its own
// Public files have placeholders (`No input`, `<noinput>` and a dozen other spellings), literal end-of-text marks and stray white
// space. Nothing is cleaned silently: each step is named, and this is what each would change if it alone were on.

// %%
import { normaliseWhatIf, NORMALISE_STEPS } from "ift-kit/data/normalise";

const dirty = readings.filter(({ place }) => /alpaca|p3|dolly|self-instruct/.test(place));
showTable(
  ["path", "rows", ...NORMALISE_STEPS],
  dirty.map(({ place, examples }) => {
    const reports = normaliseWhatIf(examples);
    return [
      place,
      examples.length,
      ...NORMALISE_STEPS.map((step) => reports.find(({ steps }) => steps[0] === step)?.changed[step] ?? 0),
    ];
  }),
);

// %% [markdown]
// ## Two formats on the same rows
// `compareFormats` renders each row in both formats and counts. Only rows that *both* can show with the *same* target are
// compared; all others are in the ledger.

// %%
import { compareFormats } from "ift-kit/data/compare/index";
import { comparisonSummary } from "ift-kit/report/data/comparison";
import { comparisonFrame, showFrame } from "ift-kit/notebook/data-frame";

const superNi = hasShared ? `${shared}/natural-instructions` : `${samples}/super-natural-instructions`;
const { examples } = await readExamples(superNi, { onMalformed: "skip", limitPerTask: settings.rowsPerTask });
const tokenizer = trainByteLevelBpe(
  [
    ...new Set(examples.flatMap(({ instruction = "" }) => instruction)),
    ...examples.flatMap(({ input, outputs }) => [input, ...outputs]),
  ],
  { vocabularySize: settings.vocabularySize },
);
const formats = { SFT: sftPlain, IFT: iftDefinition };
const comparison = compareFormats(examples, formats, tokenizer, policy);
for (const line of comparisonSummary(comparison)) console.log(line);
const frame = comparisonFrame(comparison);
showFrame(frame.tail(8), [
  "task type",
  "format",
  "rows",
  "supervised tokens",
  "total tokens",
  { name: "supervised share", digits: 3 },
  { name: "more tokens a row", digits: 1 },
  { name: "rows at equal total tokens", digits: 2 },
  "instructions",
]);

// %%
import { showFigure } from "ift-kit/notebook/display-figure";
import { outputLengthFigure, taskTypeTokenFigure, tokenFigure } from "ift-kit/report/data/comparison";

await showFigure(tokenFigure(comparison));
await showFigure(taskTypeTokenFigure(comparison, "IFT"));

// %% [markdown]
// ## How long the answers are, and how easy to guess
// Where a task's answers repeat, always giving the most frequent one scores the *majority share*. A model must beat that.

// %%
import { labelTable } from "ift-kit/report/data/comparison";

await showFigure(outputLengthFigure(comparison));
const labels = labelTable([...comparison.taskTypes, comparison.total]);
showTable(labels.columns, labels.rows);

// %% [markdown]
// ## How diverse the instructions are
// By root verb and object (Self-Instruct's figure), by distinct n-grams, and by how like each instruction is to the most similar
// other one. Numbers of a set alone say little; beside known sets they do.

// %%
import { instructionDiversity } from "ift-kit/data/diversity/index";

const wanted = hasShared ? /alpaca$|dolly|self-instruct$|natural-instructions/ : /./;
const diversities = readings
  .filter(({ place }) => wanted.test(place))
  .map(({ place, examples: own }) => ({
    place,
    diversity: instructionDiversity(
      own.flatMap(({ instruction }) => instruction ?? []),
      { sampleSize: fullOrFast(1000, 100) },
    ),
  }))
  .filter(({ diversity }) => diversity.instructions > 1);
const share = (value: number | null): string => (value === null ? "–" : value.toFixed(3));
showTable(
  ["path", "instructions", "verbs", "verb-object pairs", "distinct-2", "self-BLEU", "nearest ROUGE-L"],
  diversities.map(({ place, diversity }) => [
    place,
    diversity.instructions,
    diversity.verbs,
    diversity.verbObjects,
    share(diversity.distinct[1]),
    share(diversity.selfBleu),
    share(diversity.nearestRougeL),
  ]),
);

// %%
import { verbFigure } from "ift-kit/report/data/comparison";

const verbs = verbFigure(comparison, "IFT");
if (verbs !== undefined) await showFigure(verbs);

// %% [markdown]
// ## Which task types are alike
// Words in common between the rows of each two types. Dark squares off the diagonal are types that should be on the same side
// of a split.

// %%
import { similarityFigure } from "ift-kit/report/data/comparison";
import { taskTypeSimilarity } from "ift-kit/similarity/task-types";

const similarity = await taskTypeSimilarity(examples, {
  part: "prompt",
  shingles: { size: 1 },
  rowsPerTaskType: fullOrFast(40, 4),
  seed: settings.seed,
});
console.log(similarity.why);
await showFigure(
  similarityFigure(similarity, "words of instructions and inputs; on the diagonal between rows of one type"),
);

// %% [markdown]
// ## A split that is a test
// Held-out task types alone are no guarantee: a data set can feed tasks on both sides, an input can be copied. The gate looks for
// all of it and stops a run unless you let a kind pass by name. Here it is shown what it would stop.

// %%
import { hasOfficialSplit, readOfficialSplit } from "ift-kit/data/read/index";
import { splitByTaskList, splitByTaskType } from "ift-kit/data/split";
import { passLeakageGate } from "ift-kit/similarity/leakage/gate";
import { findLeaks } from "ift-kit/similarity/leakage/report";
import { acrossSplitFigure, overlapFigure } from "ift-kit/report/data/overlap";

// All rows, where there is time: a leak of eight rows is not seen in a sample.
const toSplit = fullOrFast(readings.find(({ place }) => place === superNi)!.examples, examples);
const split = hasOfficialSplit(superNi)
  ? splitByTaskList(toSplit, readOfficialSplit(superNi), { sharedSources: "allow" })
  : splitByTaskType(toSplit, { heldOutFraction: 0.3, seed: settings.seed }, { sharedSources: "allow" });
console.log(
  `${split.train.length} training rows of ${split.trainTaskTypes.length} types, ${split.heldOut.length} held-out rows of ${split.heldOutTaskTypes.length} types`,
);
const leakage = findLeaks(split.train, split.heldOut);
try {
  passLeakageGate(leakage);
  console.log("the gate is open: nothing is on both sides");
} catch (error) {
  console.log((error as Error).message);
}
const overlap = overlapFigure(split, leakage);
if (overlap === undefined) console.log("no row leaks, so there is no overlap to draw");
else await showFigure(overlap);
await showFigure(acrossSplitFigure(similarity, split));

// %% [markdown]
// ## Duplicates
// A row that is there twice is trained on twice. Near-duplicates are found by MinHash and banding, and each pair is verified.

// %%
import { dedupe } from "ift-kit/similarity/dedupe";

const duplicates = readings
  .filter(({ examples: own }) => own.length < 12_000)
  .map(({ place, examples: own }) => ({
    place,
    total: dedupe(own, { on: "row", threshold: 0.8 }).ledger.total,
  }));
showTable(
  ["path", "rows", "exact duplicates", "near-duplicates", "kept"],
  duplicates.map(({ place, total }) => [place, total.rowsIn, total.exact, total.near, total.kept]),
);

// %% [markdown]
// ## Both into identical runs
// `matchFormats` gives two runs the same rows in the same order and one budget, in a unit that you state. The unit matters: on
// the same supervised tokens both see their rows equally often; on the same total tokens the longer format sees fewer.

// %%
import { matchFormats } from "ift-kit/data/compare/index";

const trained = new Set(split.train.map(({ id }) => id));
const trainRows = examples.filter(({ id }) => trained.has(id));
const once = matchFormats(trainRows, formats, tokenizer, policy, { unit: "steps", amount: 1 }).inputs[0]!;
// What SFT needs to see its rows once, in one unit and in the other.
const bySupervised = matchFormats(trainRows, formats, tokenizer, policy, {
  unit: "supervised-tokens",
  amount: once.supervisedTokens,
});
const byTotal = matchFormats(trainRows, formats, tokenizer, policy, {
  unit: "total-tokens",
  amount: once.totalTokens,
});
showTable(
  [
    "budget",
    "format",
    "rows",
    "supervised tokens of the rows",
    "total tokens of the rows",
    { name: "epochs", digits: 2 },
  ],
  [bySupervised, byTotal].flatMap(({ budget, inputs }) =>
    inputs.map(({ format, spans, supervisedTokens, totalTokens, epochs }) => [
      `${budget.amount.toLocaleString("en")} ${budget.unit}`,
      format,
      spans.length,
      supervisedTokens,
      totalTokens,
      epochs ?? 0,
    ]),
  ),
);

// %% [markdown]
// ## The claim, checked
// *The same rows as IFT carry exactly the supervised text of the SFT rows, for more total tokens; so at an equal budget of
// supervised tokens both runs see every row equally often, and at an equal budget of total tokens they do not.* If one part does
// not hold, this cell fails, and with it the test of this notebook.

// %%
const [sft, ift] = comparison.total.formats;
const [sftInput, iftInput] = bySupervised.inputs;
const targetsOf = (input: typeof sftInput): string =>
  JSON.stringify(input!.spans.map(({ ids, supervised }) => ids.filter((_, index) => supervised[index])));
const times = ift!.totalTokens / sft!.totalTokens;
const claims = [
  [
    `the same supervised tokens: ${sft!.supervisedTokens} and ${ift!.supervisedTokens}`,
    sft!.supervisedTokens === ift!.supervisedTokens,
  ],
  ["row by row the same targets, token by token", targetsOf(sftInput) === targetsOf(iftInput)],
  [`IFT has ${times.toFixed(2)} times the total tokens`, times > 1],
  ["equal supervised tokens: equal epochs", sftInput!.epochs === iftInput!.epochs],
  ["equal total tokens: fewer epochs of IFT", byTotal.inputs[1]!.epochs! < byTotal.inputs[0]!.epochs!],
] as const;
for (const [statement, holds] of claims) console.log(`${holds ? "yes" : "NO "}  ${statement}`);
const refuted = claims.filter(([, holds]) => !holds);
if (refuted.length > 0) throw new Error(`not shown: ${refuted.map(([statement]) => statement).join("; ")}`);

// %% [markdown]
// ## Exercises
// 1. Compare three formats: add `alpaca` to `formats`. Which part of its longer prompt is instruction, which is scaffold?
// 2. Set `lossOn: "all"` in the policy. Why do the two formats no longer have the same supervised tokens?
// 3. Lower `maxTokens` to 128 with `overlong: "cut-input-end"`. Whose inputs are cut, and what does `cutUnequally` warn of?
// 4. Leave the leaking rows out (`withoutLeaks`) and let the gate say that it is open.
//
// ## What next
// The same numbers for any file: `npx ift-kit data compare PATH --out FOLDER`. Notebook 06 trains on both formats under one
// budget and asks the only question that counts: what can the model do on task types that it never saw?
