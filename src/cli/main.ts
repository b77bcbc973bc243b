import { Command, CommanderError } from "commander";
import { KitError, messageOf, systemErrorCode } from "../support/errors.js";
import { EXIT_INTERRUPTED } from "./interrupt.js";

interface CommandModule {
  /** Builds the command with its options and its action; `words` stand after its name on the command line. */
  readonly command: (words: readonly string[]) => Command | Promise<Command>;
}

interface CommandEntry {
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}

/** Only the command that is asked for is loaded, so that `--help` and small commands start at once. */
const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  start: {
    summary: "set up, do the main experiment and write its report",
    load: () => import("./commands/start.js"),
  },
  setup: {
    summary: "set up the notebooks and the native engine; can be run again at any time",
    load: () => import("./commands/setup.js"),
  },
  doctor: {
    summary: "which engine runs, what is missing and how to get it",
    load: () => import("./commands/doctor.js"),
  },
  lab: {
    summary: "open JupyterLab with the TypeScript kernel",
    load: () => import("./commands/lab.js"),
  },
  notebook: {
    summary: "execute a notebook without a browser, or make one from a TypeScript file",
    load: () => import("./commands/notebook.js"),
  },
  score: {
    summary: "log-probabilities of given answers to given prompts",
    load: () => import("./commands/score.js"),
  },
  generate: {
    summary: "answers to given prompts, greedy or sampled",
    load: () => import("./commands/generate.js"),
  },
  "generate-data": {
    summary: "instruction data made by a teacher: Self-Instruct and its relatives",
    load: () => import("./commands/generate-data.js"),
  },
  chat: {
    summary: "talk to a model, or to two side by side",
    load: () => import("./commands/chat.js"),
  },
  serve: {
    summary: "models behind OpenAI's API, and a page that asks them side by side",
    load: () => import("./commands/serve.js"),
  },
  evaluate: {
    summary: "answer labelled rows and score the answers per task type, beside the floors",
    load: () => import("./commands/evaluate.js"),
  },
  experiment: {
    summary: "grids of runs from plan files, resumable, with a report; pre-training of base models",
    load: () => import("./commands/experiment.js"),
  },
  report: {
    summary: "draw the page and the pictures of a stored report again",
    load: () => import("./commands/report.js"),
  },
  train: {
    summary: "train a model as a JSON file says; resumable",
    load: () => import("./commands/train.js"),
  },
  estimate: {
    summary: "memory and minutes of tuning a model here and on a GPU, before it is done",
    load: () => import("./commands/estimate.js"),
  },
  bench: {
    summary: "tokens per second of training, beside PyTorch where it is installed",
    load: () => import("./commands/bench.js"),
  },
  data: {
    summary: "look at data, render it, compare formats, split it, find duplicates and leaks",
    load: () => import("./commands/data.js"),
  },
};

/** Exit code of a command that the user can mend (bad input, a missing file, a full disk). */
export const EXIT_USER_ERROR = 1;
/** Exit code of a command line that does not parse. */
export const EXIT_USAGE = 2;
/** Exit code of a defect of the kit. */
export const EXIT_DEFECT = 70;

/**
 * Runs one command and sets the exit code of the process.
 * @param argv as in `process.argv`
 */
export async function main(argv: readonly string[]): Promise<void> {
  // A reader that has seen enough (`| head`) closes the pipe: that is no error.
  process.stdout.on("error", (error) =>
    process.exit(systemErrorCode(error) === "EPIPE" ? 0 : EXIT_USER_ERROR),
  );
  try {
    const program = await buildProgram(argv.slice(2));
    await program.parseAsync([...argv]);
  } catch (error) {
    const code = reportError(error);
    if (process.exitCode !== EXIT_INTERRUPTED) process.exitCode = code;
  }
}

async function buildProgram([chosen, ...words]: readonly string[]): Promise<Command> {
  const program = new Command("ift-kit")
    .description(
      "SFT against instruction fine-tuning: render, train, score on task types never trained on, report.",
    )
    .showHelpAfterError("(add --help for the options)")
    .exitOverride();
  for (const [name, entry] of Object.entries(COMMANDS)) {
    const command = name === chosen ? await (await entry.load()).command(words) : new Command(name);
    program.addCommand(command.description(entry.summary).exitOverride());
  }
  return program;
}

function reportError(error: unknown): number {
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? 0 : EXIT_USAGE;
  }
  if (error instanceof KitError) {
    console.error(`ift-kit: ${error.message}`);
    return EXIT_USER_ERROR;
  }
  console.error(`ift-kit: this is a defect of the kit: ${messageOf(error)}`);
  if (error instanceof Error) console.error(error.stack);
  return EXIT_DEFECT;
}
