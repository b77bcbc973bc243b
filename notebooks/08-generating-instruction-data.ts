// %% [markdown]
// # 08 · Generating instruction data
//
// Instruction tuning needs instructions, and people write them slowly. So most public sets were written by a language model, the
// *teacher*, from a few seeds: Self-Instruct, Alpaca, Evol-Instruct and their relatives. What exactly is asked, what is thrown
// away, and is what is left any good?
//
// **You will learn** seven ways to make instruction data, to read a ledger of what was kept and rejected, to stop at a budget and
// go on for nothing, to keep held-out rows out, to turn an SFT table into IFT data, and to judge a set beside known ones.
//
// **Run time**: about two minutes on two cores, no network; `IFT_KIT_FAST=1` makes it less than one.

// %% [markdown]
// ## Parameters

// %%
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fullOrFast } from "ift-kit/notebook/fast-mode";

const shared = "../shared/datasets";
const hasShared = existsSync(shared);
const runs = mkdtempSync(join(tmpdir(), "ift-kit-generate-"));
const settings = {
  /** Tasks that Self-Instruct is to make, and each of the other methods. */
  selfInstruct: fullOrFast(120, 40),
  others: fullOrFast(40, 10),
  /** Rows that are read of a known set. */
  knownRows: fullOrFast(3000, 300),
  draws: fullOrFast(20, 10),
  seed: 1,
};
console.log(
  hasShared ? `known sets: ${shared}` : `${shared} is not there: known sets and seeds are those that ship`,
);

// %% [markdown]
// ## The teacher: the one cell to change
// A real teacher is a large model behind an OpenAI-compatible endpoint. Here nothing may need a network, so the teacher is a
// **script**: it knows the kit's questions by their words and answers in made-up English, drawn from the question alone. The
// pipelines, filters and ledgers below are the real ones; **what the script writes is of no use to train on**, and the report at
// the end shows it.
//
// For a real one, take the comment marks away: everything below stays as it is. The key is read from the environment and reaches
// no file, log or error.

// %%
// import { openAiTeacher } from "ift-kit/generate/teacher/openai-teacher";
// import { keyFromEnvironment } from "ift-kit/generate/teacher/secret";
// const model = openAiTeacher({ endpoint: "https://HOST/v1", model: "NAME", key: keyFromEnvironment("TEACHER_KEY") });
import { scriptedTeacher } from "ift-kit/generate/teacher/scripted-teacher";

const model = scriptedTeacher();

// %% [markdown]
// ## Seeds, and a helper
// The seeds are Self-Instruct's 175 tasks written by people, or where they are not beside the clone, the tasks of the kit's mini
// world. The helper runs a method, shows one question with its answer, and what came out.

// %%
import type { Example } from "ift-kit/data/example";
import { readExamples } from "ift-kit/data/read/index";
import { generateData, type GeneratedData, type GenerateDataOptions } from "ift-kit/generate/generate-data";
import type { Teacher } from "ift-kit/generate/teacher/teacher";
import { showTable } from "ift-kit/notebook/display-table";

const { examples: miniRows } = await readExamples("datasets/mini/task-rows/train.jsonl");
const seeds: readonly Example[] = hasShared
  ? (await readExamples(`${shared}/self-instruct/seed_tasks.jsonl`)).examples
  : miniRows;
const shorten = (text: string, most = 110): string => {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
};

/** The teacher, which remembers the first question that it is asked. */
function remembering(teacher: Teacher): { teacher: Teacher; first: () => string } {
  let first = "";
  return {
    first: () => first,
    teacher: {
      ...teacher,
      ask: async (request, signal) => {
        const reply = await teacher.ask(request, signal);
        if (first === "")
          first = `--- asked\n${request.messages.at(-1)?.content ?? ""}\n--- answered\n${reply.text}`;
        return reply;
      },
    },
  };
}

const results = new Map<string, GeneratedData>();
async function generateWith(
  method: string,
  options: Partial<GenerateDataOptions> & { seeds: readonly Example[] },
): Promise<void> {
  const { teacher, first } = remembering(model);
  const data = await generateData({
    method,
    teacher,
    folder: join(runs, method),
    count: settings.others,
    seed: settings.seed,
    ...options,
  });
  results.set(method, data);
  const lines = first().split("\n");
  const shown = lines.length > 26 ? [...lines.slice(0, 12), "…", ...lines.slice(-12)] : lines;
  console.log(shown.map((line) => shorten(line, 160)).join("\n"));
  const { tasks } = data.ledger;
  console.log(
    `\n${method}: ${tasks.kept} of ${tasks.proposed} proposed tasks kept, ${data.rows.length} rows, ${data.questions.asked} questions`,
  );
  showTable(
    ["instruction", "input", "output"],
    data.rows
      .slice(0, 3)
      .map(({ instruction = "", input, outputs }) => [
        shorten(instruction),
        input === "" ? "–" : shorten(input, 70),
        shorten(outputs[0] ?? "", 70),
      ]),
  );
}
console.log(`${seeds.length} seed rows`);

// %% [markdown]
// ## Self-Instruct
// Eight instructions from the pool (six seeds, two of the model's own) begin a list, and the teacher continues it. Each new
// instruction is asked whether it is a classification: if so the *label* comes first and an input is made for it, else the input
// comes first. An instruction that is more than 0.7 like any of the pool (ROUGE-L) is thrown away, so the pool stays varied.

// %%
await generateWith("self-instruct", { seeds: seeds, count: settings.selfInstruct });
const selfInstruct = results.get("self-instruct")!;

// %% [markdown]
// ## Alpaca's variant
// Twenty whole tasks in one request, instead of many small questions: much cheaper, with less care for labels.

// %%
await generateWith("alpaca", { seeds: seeds });

// %% [markdown]
// ## Evol-Instruct
// An instruction is made harder or turned into a new one: deepened, constrained, made concrete, given more steps, or broadened. The
// teacher then judges whether anything new is asked; what is not evolved falls.

// %%
await generateWith("evol-instruct", { seeds: seeds.slice(0, 20) });

// %% [markdown]
// ## Back-translation
// The other way round: the *answer* is a text that somebody wrote, and the teacher writes the instruction that it would answer. A
// judge then gives points, and low ones fall: here those below 4.

// %%
const { examples: texts } = await readExamples("datasets/mini/corpus/validation.txt", { limitPerTask: 60 });
await generateWith("back-translation", { seeds: texts, leastScore: 4 });

// %% [markdown]
// ## Unnatural Instructions
// Three tasks as demonstrations, and the teacher writes a fourth; then each instruction is put into other words.

// %%
const withInput = seeds.filter(({ input, instruction }) => input !== "" && instruction !== undefined);
await generateWith("unnatural-instructions", { seeds: withInput });

// %% [markdown]
// ## Personas and topics
// Variety from outside: who asks, about what, for what kind of answer. No seed rows are needed, and no combination comes twice.

// %%
await generateWith("personas", { seeds: [] });

// %% [markdown]
// ## From an SFT table to IFT: template synthesis
// A labelled table has inputs and outputs, and nobody wrote down what the task is. The teacher sees four rows of each task and
// writes wordings; every row then gets one of them. That is a question *a task*, whatever the number of rows. Of a task with labels,
// a wording that does not name all of them falls: the model could not know what to choose from.
//
// The script cannot see what a task is about, so its wordings are vague where there are no labels. A real teacher's are not.

// %%
const sftTable = miniRows.map(({ instruction: _instruction, paraphrases: _others, ...row }): Example => row);
await generateWith("template-synthesis", { seeds: sftTable, count: 1000 });
const ift = results.get("template-synthesis")!;
const [before, after] = [sftTable[0]!, ift.rows[0]!];
showTable(
  ["as", "instruction", "input", "output"],
  [
    ["SFT", before.instruction ?? "–", before.input, before.outputs[0] ?? ""],
    ["IFT", after.instruction ?? "–", after.input, after.outputs[0] ?? ""],
  ],
);

// %% [markdown]
// ## The ledger
// Nothing is lost silently: proposed = kept + rejected, for tasks, for their instances and for other wordings, with a reason for
// each. A reason that takes most of what is proposed says what to change: the question, the seeds, or the filter.

// %%
import { ledgerFigure, type NamedLedger } from "ift-kit/report/data/quality-figures";
import { rejectionTable } from "ift-kit/report/data/quality";
import { showFigure } from "ift-kit/notebook/display-figure";

const ledgers: NamedLedger[] = [...results].map(([name, { ledger }]) => ({ name, ledger }));
await showFigure(ledgerFigure(ledgers)!);
const rejections = rejectionTable(ledgers);
showTable(rejections.columns, rejections.rows);

// %% [markdown]
// ## A budget that stops, and a run that goes on for nothing
// Every reply is stored under all that decides it. The run below may spend half of the tokens that the whole one needs, and stops.
// Given again with more, it goes on where it was: the answers that it has are not asked again. A third time it asks nothing at all.

// %%
const whole = selfInstruct.paid.promptTokens + selfInstruct.paid.answerTokens;
const budgeted = (tokens: number): Promise<GeneratedData> =>
  generateData({
    method: "self-instruct",
    seeds: seeds,
    teacher: model,
    folder: join(runs, "budgeted"),
    count: settings.selfInstruct,
    seed: settings.seed,
    budget: { tokens },
  });
const stopped = await budgeted(Math.floor(whole / 2));
const resumed = await budgeted(10 * whole);
const again = await budgeted(10 * whole);
showTable(
  ["run", "ended by", "tasks kept", "questions", "known before", "requests sent", "tokens paid so far"],
  [
    ["half of the tokens", stopped],
    ["gone on with", resumed],
    ["once more", again],
  ].map(([name, data]) => {
    const { end, ledger, questions, paid } = data as GeneratedData;
    return [
      name as string,
      end.kind,
      ledger.tasks.kept,
      questions.asked,
      questions.fromStore,
      questions.sent,
      paid.promptTokens + paid.answerTokens,
    ];
  }),
);

// %% [markdown]
// ## The same over HTTP
// `ift-kit serve` speaks OpenAI's API, so a served model is a teacher too. Here the script is served inside the notebook and asked
// through the official client: the rows are the same, one by one.

// %%
import { openAiTeacher } from "ift-kit/generate/teacher/openai-teacher";
import { scriptedAnswer } from "ift-kit/generate/teacher/scripted-teacher";
import { scriptedModel } from "ift-kit/serve/scripted-model";
import { startServer } from "ift-kit/serve/server";

const personaRun = { method: "personas", seeds: [], count: 12, seed: settings.seed };
const direct = await generateData({
  ...personaRun,
  teacher: scriptedTeacher(),
  folder: join(runs, "direct"),
});
const server = await startServer({
  models: [
    scriptedModel("script", ({ prompt, seed }) =>
      scriptedAnswer({ messages: prompt.kind === "chat" ? prompt.messages : [], seed }),
    ),
  ],
});
let served: GeneratedData;
try {
  const teacher = openAiTeacher({ endpoint: `${server.url}/v1`, model: "script" });
  served = await generateData({ ...personaRun, teacher, folder: join(runs, "served") });
} finally {
  await server.close();
}
const sameRows = JSON.stringify(direct.rows) === JSON.stringify(served.rows);
console.log(`${served.questions.sent} requests over HTTP; the same rows: ${sameRows}`);

// %% [markdown]
// ## Why the kit's own model is no teacher
// The base model that ships has 1.2 million parameters, a context of 256 tokens, and has never seen an instruction. It is asked all
// the same: a bad teacher is normal input, and the ledger says what was wrong with it.

// %%
import { loadBase } from "ift-kit/evaluate/base-checkpoint";
import { modelTeacher } from "ift-kit/generate/teacher/model-teacher";

const base = await loadBase("decoder");
const baseTeacher = modelTeacher(base, { name: "base" });
const byBase: (NamedLedger & { said: string })[] = [];
for (const [method, own] of [
  ["evol-instruct", miniRows],
  ["back-translation", texts],
  ["personas", []],
] as const) {
  const folder = join(runs, `base-${method}`);
  const { ledger } = await generateData({
    method,
    seeds: own,
    teacher: baseTeacher,
    folder,
    count: 5,
    maxRounds: 1,
    questionsPerRound: 3,
  });
  const replies = readFileSync(join(folder, "replies.jsonl"), "utf8").trim().split("\n");
  const text = replies.map((line) => /"text":"((?:[^"\\]|\\.)*)"/.exec(line)?.[1] ?? "").find(Boolean);
  byBase.push({ name: method, ledger, said: text ?? "(nothing: the question does not fit its context)" });
}
base.decoder.dispose();
showTable(
  ["method", "proposed", "kept", "rejected", "what it said first"],
  byBase.map(({ name, ledger: { tasks }, said }) => [
    name,
    tasks.proposed,
    tasks.kept,
    Object.entries(tasks.rejected)
      .map(([reason, count]) => `${count} ${reason}`)
      .join(", "),
    shorten(said, 90),
  ]),
);

// %% [markdown]
// ## Keeping held-out rows out
// A teacher has read the test sets, too, and may write them down. Rows that must not come out again are given as `heldOut`, and what
// is equal, nearly equal, or has one inside is rejected as *contaminated*. To see it work, six rows of the run above are declared
// a test set, and the same run is made again.

// %%
const testRows = selfInstruct.rows.filter(({ input }) => input !== "").slice(0, 6);
const guarded = await generateData({
  method: "self-instruct",
  seeds: seeds,
  teacher: model,
  folder: join(runs, "guarded"),
  reuse: [join(runs, "self-instruct")],
  count: settings.selfInstruct,
  seed: settings.seed,
  heldOut: testRows,
});
const contaminatedOf = ({ ledger }: GeneratedData): number =>
  Object.values(ledger)
    .flatMap(({ rejected }) => Object.entries(rejected))
    .filter(([reason]) => reason === "held-out: contaminated")
    .reduce((sum, [, count]) => sum + count, 0);
const testInputs = new Set(testRows.map(({ input }) => input));
const leaking = (data: GeneratedData): number =>
  data.rows.filter(({ input }) => testInputs.has(input)).length;
showTable(
  ["run", "rejected as contaminated", "rows with a test input"],
  [
    ["without held-out rows", contaminatedOf(selfInstruct), leaking(selfInstruct)],
    ["with them", contaminatedOf(guarded), leaking(guarded)],
  ],
);
console.log(
  `of ${guarded.questions.asked} questions ${guarded.questions.reused} were answered by the run before`,
);

// %% [markdown]
// ## Is it any good? The report, beside known sets
// What the instructions ask for (root verb and object), how varied they are, how like the seeds, how long, whether labels are valid,
// what is there twice. Measures that fall with the number of instructions are taken over draws of *one* size from each set; the
// ranges are of 90% of the draws.

// %%
import { describeInstructionData, type InstructionSet } from "ift-kit/generate/quality/index";
import { matchedTable, nearestSeedTable, qualitySummary, soundnessTable } from "ift-kit/report/data/quality";

const read = async (path: string, limit = Infinity): Promise<readonly Example[]> =>
  (await readExamples(path, { onMalformed: "skip" })).examples.slice(0, limit);
const known: InstructionSet[] = hasShared
  ? [
      {
        name: "Alpaca",
        examples: await read(`${shared}/alpaca/alpaca_random_9k.json`, settings.knownRows),
      },
      { name: "Dolly", examples: await read(`${shared}/dolly`, settings.knownRows) },
    ]
  : [
      { name: "Alpaca (sample)", examples: await read("datasets/samples/alpaca.json") },
      { name: "Dolly (sample)", examples: await read("datasets/samples/dolly.jsonl") },
    ];
const made = (method: string): InstructionSet => {
  const { rows, ledger } = results.get(method)!;
  return { name: method, examples: rows, ledger };
};
const seedSet: InstructionSet = {
  name: hasShared ? "Self-Instruct's seeds" : "mini tasks (seeds)",
  examples: seeds,
};
const report = describeInstructionData([made("self-instruct"), made("template-synthesis"), ...known], {
  seeds: seedSet,
  draws: settings.draws,
  seed: settings.seed,
});
for (const line of qualitySummary(report)) console.log(line);
for (const { columns, rows } of [matchedTable(report), nearestSeedTable(report), soundnessTable(report)])
  showTable(columns, rows);

// %%
import {
  lengthFigure,
  nearestSeedFigure,
  repetitionFigure,
  setVerbFigure,
  varietyFigure,
} from "ift-kit/report/data/quality-figures";

const verbSets = [report.sets[0]!, ...report.sets.slice(2)];
const figures = [
  ...verbSets.filter(({ diversity }) => (diversity?.withVerb ?? 0) >= 20).map((set) => setVerbFigure(set)),
  varietyFigure(report),
  repetitionFigure(report),
  nearestSeedFigure(report),
  lengthFigure(report),
];
for (const figure of figures) if (figure !== undefined) await showFigure(figure);

// %% [markdown]
// ## What the filter is for
// The same run without its ROUGE-L filter is what was kept together with what was rejected as too similar. Both are drawn from
// equally often. (The limit does not make a dull teacher interesting; it only keeps the most alike apart.)

// %%
const rejectedLines = readFileSync(join(runs, "self-instruct", "rejected.jsonl"), "utf8")
  .trim()
  .split("\n");
const similar = rejectedLines
  .map((line) => JSON.parse(line) as { reason: string; level: string; text: string })
  .filter(({ reason, level }) => reason === "similar" && level === "tasks")
  .map(({ text }, index): Example => ({
    id: `similar-${index}`,
    task: "similar",
    taskType: "similar",
    instruction: text,
    input: "",
    outputs: [""],
    source: "rejected",
  }));
const filterReport = describeInstructionData(
  [
    { name: "with the filter", examples: selfInstruct.rows },
    { name: "without it", examples: [...selfInstruct.rows, ...similar] },
  ],
  { draws: settings.draws, seed: settings.seed },
);
await showFigure(repetitionFigure(filterReport)!);

// %% [markdown]
// ## The claim, checked
// *What comes out depends on the seeds, the settings and the replies alone, at any stop and over any wire; everything proposed is
// kept or rejected for a reason; and the ROUGE-L filter makes a set less repetitive, held-out rows stay out.* If one part does not
// hold, this cell fails, and with it the test of this notebook.

// %%
import { addsUp } from "ift-kit/generate/pipeline/ledger";

const rowsText = ({ rows }: GeneratedData): string => JSON.stringify(rows);
const [filtered, unfiltered] = filterReport.sets.map(({ matched }) => matched!.nearestRougeL);
const range = ({ low, high }: { low: number; high: number }): string =>
  `[${low.toFixed(3)}, ${high.toFixed(3)}]`;
const everyLine = [...results.values()].flatMap(({ ledger }) => Object.values(ledger));
const claims = [
  [`${everyLine.length} ledger lines of ${results.size} methods add up`, everyLine.every(addsUp)],
  ["each method kept something", [...results.values()].every(({ rows }) => rows.length > 0)],
  ["the budget stopped the run", stopped.end.kind === "budget" && stopped.rows.length < resumed.rows.length],
  [
    "gone on with, its rows are those of the run that was never stopped",
    rowsText(resumed) === rowsText(selfInstruct),
  ],
  ["repeated, it sent no request", again.questions.sent === 0 && rowsText(again) === rowsText(resumed)],
  ["over HTTP the rows are the same", sameRows],
  [
    `test inputs in the rows: ${leaking(selfInstruct)} before, ${leaking(guarded)} with held-out rows`,
    leaking(selfInstruct) > 0 && leaking(guarded) === 0 && contaminatedOf(guarded) > 0,
  ],
  [
    "no instruction that was kept is more than 0.7 like a seed",
    report.sets[0]!.nearestSeeds!.aboveLimit === 0,
  ],
  [
    `nearest other instruction, ROUGE-L: ${range(filtered!)} with the filter, ${range(unfiltered!)} without`,
    fullOrFast(filtered!.high < unfiltered!.low, filtered!.mean < unfiltered!.mean),
  ],
] as const;
for (const [statement, holds] of claims) console.log(`${holds ? "yes" : "NO "}  ${statement}`);
const refuted = claims.filter(([, holds]) => !holds);
if (refuted.length > 0) throw new Error(`not shown: ${refuted.map(([statement]) => statement).join("; ")}`);

// %% [markdown]
// ## Exercises
// 1. Give the teacher cell a real endpoint, with `budget: { tokens: 50_000 }` in the helper. How do the verb map and the nearest-seed
//    figure change?
// 2. Ask two methods for equally many tasks. Which one pays fewer tokens for a task that is kept?
// 3. Give `evol-instruct` its own rows as seeds, three times over. What happens to the length of the instructions?
// 4. Write wordings for one task of the SFT table by hand. What does `labels-missing` protect from?
//
// ## What next
// The same from the command line: `npx ift-kit generate-data self-instruct --seeds SEEDS --endpoint URL --teacher NAME --out RUN`, and
// `npx ift-kit data quality RUN KNOWN… --seeds SEEDS --out FOLDER`. Notebook 09 tunes on public instruction data.
