import { Argument, Command, Option } from "commander";
import type { Example } from "../../data/example.js";
import { readExamples } from "../../data/read/index.js";
import {
  GENERATION_DEFAULTS,
  GENERATION_FILES,
  generateData,
  type GeneratedData,
  type GenerateDataOptions,
} from "../../generate/generate-data.js";
import { METHOD_NAMES, METHODS } from "../../generate/methods/index.js";
import { LEVELS } from "../../generate/pipeline/ledger.js";
import type { PipelineEnd } from "../../generate/pipeline/pipeline.js";
import { DEFAULT_RETRIES } from "../../generate/teacher/asker.js";
import { openAiTeacher, TIMEOUT_SECONDS } from "../../generate/teacher/openai-teacher.js";
import { scriptedTeacher } from "../../generate/teacher/scripted-teacher.js";
import { keyFromEnvironment } from "../../generate/teacher/secret.js";
import type { Teacher } from "../../generate/teacher/teacher.js";
import { KitError } from "../../support/errors.js";
import { progressBar } from "../../support/progress.js";
import { EXIT_INTERRUPTED, onInterrupt } from "../interrupt.js";
import { finiteNumber, positiveInteger, wholeNumber } from "../options.js";
import { textTable } from "./data/shared.js";

interface GenerateDataFlags {
  readonly seeds?: readonly string[];
  readonly out: string;
  readonly endpoint?: string;
  readonly teacher?: string;
  readonly keyEnv?: string;
  readonly timeout?: number;
  readonly model?: string;
  readonly template?: string;
  readonly script?: true;
  readonly count: number;
  readonly seed: number;
  readonly questionsPerRound: number;
  readonly patience: number;
  readonly maxRounds?: number;
  readonly maxAnswerTokens?: number;
  readonly judge?: number;
  readonly heldOut?: readonly string[];
  readonly budgetTokens?: number;
  readonly budgetMoney?: number;
  readonly priceIn?: number;
  readonly priceOut?: number;
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: number;
  readonly concurrency?: number;
  readonly retries?: number;
  readonly reuse?: readonly string[];
  readonly json?: true;
}

/** Exit code of a run that ended because its teacher does not answer. */
const EXIT_TEACHER = 1;

/** `ift-kit generate-data METHOD --seeds F --out DIR --endpoint URL --teacher NAME`: instruction data by a teacher. */
export function command(): Command {
  return new Command("generate-data")
    .addArgument(new Argument("<method>", "how it is made").choices(METHOD_NAMES))
    .requiredOption(
      "--out <folder>",
      "where rows, rejections, replies and manifest go; an earlier run there goes on",
    )
    .option("--seeds <paths...>", "files or folders of rows to begin with, in any format that the kit reads")
    .option("--count <number>", "tasks that are wanted", positiveInteger, 100)
    .option("--endpoint <url>", "an OpenAI-compatible API, such as http://127.0.0.1:8080/v1")
    .option("--teacher <name>", "the model's name there")
    .option("--key-env <name>", "the environment variable that has the key; without it none is sent")
    .option(
      "--timeout <seconds>",
      `--endpoint: longest time of one answer (default: ${TIMEOUT_SECONDS})`,
      positiveInteger,
    )
    .option("--model <folder>", "a model in the kit as the teacher, instead of an endpoint")
    .option("--template <name>", "--model: how questions are shown to it, as of ift-kit chat")
    .addOption(
      new Option("--script", "a scripted teacher instead of a model: shows how a method works, for nothing"),
    )
    .option("--held-out <paths...>", "rows that must not come out again, such as test sets")
    .option(
      "--judge <points>",
      "have the teacher judge from 1 to 5, and reject what has fewer points",
      finiteNumber,
    )
    .option("--seed <number>", "of all that is drawn", wholeNumber, GENERATION_DEFAULTS.seed)
    .option(
      "--questions-per-round <number>",
      "questions asked of one state of the pool; decides the result",
      positiveInteger,
      GENERATION_DEFAULTS.questionsPerRound,
    )
    .option(
      "--patience <rounds>",
      "rounds in a row without anything kept, after which it ends",
      positiveInteger,
      GENERATION_DEFAULTS.patience,
    )
    .option("--max-rounds <number>", "the most rounds", positiveInteger)
    .option(
      "--max-answer-tokens <number>",
      "the longest answer, where the method's own is longer: for teachers with a short context",
      positiveInteger,
    )
    .option(
      "--budget-tokens <number>",
      "the most tokens of prompts and answers, earlier parts of the run included",
      positiveInteger,
    )
    .option("--budget-money <amount>", "the most money, in the currency of the prices", finiteNumber)
    .option("--price-in <amount>", "price of a million tokens of prompts", finiteNumber)
    .option("--price-out <amount>", "price of a million tokens of answers", finiteNumber)
    .option("--requests-per-minute <number>", "rate limit", positiveInteger)
    .option("--tokens-per-minute <number>", "rate limit, prompts and answers together", positiveInteger)
    .option(
      "--concurrency <number>",
      `--endpoint: questions answered at the same time; does not change the result (default: ${GENERATION_DEFAULTS.concurrency})`,
      positiveInteger,
    )
    .option(
      "--retries <number>",
      `--endpoint: times that a question is asked again after a fault that may pass (default: ${DEFAULT_RETRIES.retries})`,
      wholeNumber,
    )
    .option("--reuse <folders...>", "earlier runs whose replies are taken where the questions are the same")
    .option("--json", "print the result as JSON")
    .addHelpText("after", helpText())
    .action(generate);
}

function helpText(): string {
  const lines = METHOD_NAMES.map((name) => `  ${name.padEnd(24)} ${METHODS[name].seeds}`);
  return `\nSeeds of the methods:\n${lines.join("\n")}\n\nA run that was stopped in any way (Ctrl-C, budget, a kill) goes on when the same command is given again.`;
}

async function generate(method: string, flags: GenerateDataFlags): Promise<void> {
  const { out, count } = flags;
  const seeds = await readRows(flags.seeds ?? []);
  const heldOut = await readRows(flags.heldOut ?? []);
  const { teacher, close } = await teacherOf(flags);
  const interrupt = onInterrupt(
    "Stopping when the answers on their way are there (again to stop at once). Nothing is lost.",
  );
  const bar = progressBar(`generating (${method})`);
  try {
    const data = await generateData({
      method,
      seeds,
      heldOut,
      teacher,
      folder: out,
      count,
      ...settingsOf(flags),
      signal: interrupt.signal,
      onRound: ({ kept, rounds, paid }) =>
        bar.update(
          Math.min(1, kept / count),
          `${kept} of ${count} tasks | round ${rounds} | ${paid.promptTokens + paid.answerTokens} tokens`,
        ),
    });
    bar.stop();
    if (flags.json === true)
      console.log(JSON.stringify({ out, ...data, rows: data.rows.length }, undefined, 2));
    else console.log(describe(out, data));
    if (data.end.kind === "teacher") process.exitCode = EXIT_TEACHER;
    if (data.end.kind === "interrupted") process.exitCode = EXIT_INTERRUPTED;
  } finally {
    bar.stop();
    interrupt.release();
    close();
  }
}

async function readRows(paths: readonly string[]): Promise<Example[]> {
  const rows: Example[] = [];
  for (const path of paths) rows.push(...(await readExamples(path)).examples);
  return rows;
}

function settingsOf(flags: GenerateDataFlags): Partial<GenerateDataOptions> {
  const { priceIn, priceOut, budgetTokens, budgetMoney, requestsPerMinute, tokensPerMinute } = flags;
  const negative = (["priceIn", "priceOut", "budgetMoney"] as const).find((name) => (flags[name] ?? 0) < 0);
  if (negative !== undefined)
    throw new KitError("an amount of money below 0", "give 0 or more", { field: negative });
  if ((priceIn === undefined) !== (priceOut === undefined))
    throw new KitError("one price of two is given", "give both --price-in and --price-out");
  const judge = flags.judge;
  if (judge !== undefined && !(judge >= 1 && judge <= 5))
    throw new KitError(`a judge gives 1 to 5 points, not ${judge}`, "give a number from 1 to 5", {
      field: "judge",
    });
  return {
    seed: flags.seed,
    questionsPerRound: flags.questionsPerRound,
    patience: flags.patience,
    ...(flags.concurrency === undefined ? {} : { concurrency: flags.concurrency }),
    ...(flags.retries === undefined ? {} : { retry: { ...DEFAULT_RETRIES, retries: flags.retries } }),
    budget: {
      ...(budgetTokens === undefined ? {} : { tokens: budgetTokens }),
      ...(budgetMoney === undefined ? {} : { money: budgetMoney }),
    },
    limits: {
      ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
      ...(tokensPerMinute === undefined ? {} : { tokensPerMinute }),
    },
    ...(priceIn === undefined || priceOut === undefined
      ? {}
      : { prices: { prompt: priceIn, answer: priceOut } }),
    ...(flags.maxRounds === undefined ? {} : { maxRounds: flags.maxRounds }),
    ...(judge === undefined ? {} : { leastScore: judge }),
    ...(flags.maxAnswerTokens === undefined ? {} : { maxAnswerTokens: flags.maxAnswerTokens }),
    ...(flags.reuse === undefined ? {} : { reuse: flags.reuse }),
  };
}

/** The teacher that is asked for, and what frees it. @throws KitError where it is not exactly one */
async function teacherOf(
  flags: GenerateDataFlags,
): Promise<{ readonly teacher: Teacher; readonly close: () => void }> {
  const { endpoint, model, script, teacher: name, keyEnv } = flags;
  if ([endpoint, model, script].filter((given) => given !== undefined).length !== 1)
    throw new KitError(
      "one teacher is needed",
      "give --endpoint URL and --teacher NAME, or --model FOLDER, or --script",
    );
  checkTeacherFlags(flags);
  if (endpoint !== undefined) {
    if (name === undefined)
      throw new KitError("the endpoint may have many models", "name one with --teacher", {
        field: "teacher",
      });
    const key = keyEnv === undefined ? {} : { key: keyFromEnvironment(keyEnv) };
    const time = flags.timeout === undefined ? {} : { timeoutSeconds: flags.timeout };
    const teacher = openAiTeacher({ endpoint, model: name, ...time, ...key });
    return { teacher, close: () => undefined };
  }
  if (model === undefined) return { teacher: scriptedTeacher(name), close: () => undefined };
  // An endpoint needs no engine, which takes most of the time that the command needs to start.
  const { loadModelTeacher } = await import("../../generate/teacher/model-teacher.js");
  return loadModelTeacher(model, {
    ...(name === undefined ? {} : { name }),
    ...(flags.template === undefined ? {} : { template: flags.template }),
  });
}

/** What only an endpoint heeds. */
const ENDPOINT_FLAGS = {
  keyEnv: "a key belongs to an endpoint",
  timeout: "only an endpoint is given up after a time",
  concurrency: "only an endpoint answers several questions at the same time",
  retries: "only an endpoint is asked again after a fault",
} as const satisfies Partial<Record<keyof GenerateDataFlags, string>>;

/** @throws KitError for an option that the teacher that was chosen would not heed */
function checkTeacherFlags(flags: GenerateDataFlags): void {
  if (flags.template !== undefined && flags.model === undefined) {
    throw new KitError(
      "a template is for a model in the kit, and an endpoint or a script is sent messages",
      "leave --template out; the template of a served model is chosen where it is served (ift-kit serve --template)",
      { field: "template" },
    );
  }
  if (flags.endpoint !== undefined) return;
  const names = Object.keys(ENDPOINT_FLAGS) as readonly (keyof typeof ENDPOINT_FLAGS)[];
  const unheeded = names.find((name) => flags[name] !== undefined);
  if (unheeded === undefined) return;
  const flag = unheeded === "keyEnv" ? "key-env" : unheeded;
  const other =
    flags.model === undefined ? "" : ", or serve the model (ift-kit serve) and give its --endpoint";
  throw new KitError(ENDPOINT_FLAGS[unheeded], `leave --${flag} out${other}`, { field: flag });
}

/** Why it ended, as a sentence. */
function endOf(end: PipelineEnd): string {
  switch (end.kind) {
    case "count":
      return "it has what was wanted";
    case "exhausted":
      return "the method has nothing more to ask";
    case "patience":
      return "nothing was kept for many rounds (--patience)";
    case "max-rounds":
      return "the rounds are used up (--max-rounds)";
    case "budget":
      return "the budget is used up; a larger one goes on";
    case "interrupted":
      return "it was stopped; the same command goes on";
    case "teacher":
      return `the teacher does not answer: ${end.problem}; the same command goes on`;
  }
}

function describe(out: string, { rows, end, rounds, ledger, questions, paid }: GeneratedData): string {
  const lines = LEVELS.filter((level) => ledger[level].proposed > 0).map((level) => {
    const { proposed, kept } = ledger[level];
    return [level, proposed, kept, proposed - kept];
  });
  const reasons = LEVELS.flatMap((level) =>
    Object.entries(ledger[level].rejected).map(([reason, count]) => [level, reason, count] as const),
  ).sort((a, b) => b[2] - a[2]);
  const money = paid.money > 0 ? `, ${paid.money.toFixed(4)} in money` : "";
  return [
    `${rows.length} rows in ${rounds} rounds: ${endOf(end)}`,
    `questions: ${questions.asked}; ${questions.fromStore} known before, ${questions.reused} reused, ${questions.sent} requests sent, ${questions.retries} of them again`,
    `tokens: ${paid.promptTokens} of prompts, ${paid.answerTokens} of answers${money}`,
    ...(lines.length === 0 ? [] : [`\n${textTable(["what", "proposed", "kept", "rejected"], lines)}`]),
    ...(reasons.length === 0 ? [] : [`\n${textTable(["what", "step: reason", "rejected"], reasons)}`]),
    `\n${out}: ${Object.values(GENERATION_FILES).join(", ")}`,
  ].join("\n");
}
