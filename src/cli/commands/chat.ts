import { Command } from "commander";
import { startEngine } from "../../engine/start.js";
import { CHAT_TEMPLATE_NAMES } from "../../evaluate/chat/templates.js";
import { checkRepetitionPenalty } from "../../evaluate/sampling.js";
import { positiveInteger } from "../options.js";
import { samplingOf, type SamplingFlags, withSamplingFlags } from "../sampling-flags.js";
import { chatScreen } from "./chat/screen.js";
import { ChatSession, HELP } from "./chat/session.js";
import { runInTerminal } from "./chat/terminal.js";

interface ChatFlags extends SamplingFlags {
  readonly model: string;
  readonly compare?: string;
  readonly template?: string;
  readonly system?: string;
  readonly maxNewTokens: number;
  readonly eager?: true;
}

/** `ift-kit chat --model DIR`: a conversation in the terminal, or with lines from a pipe. */
export function command(): Command {
  return withSamplingFlags(new Command("chat"))
    .requiredOption(
      "--model <folder>",
      'folder of a model with its tokenizer, or "base", which ships with the kit',
    )
    .option("--compare <folder>", "a second model that answers beside the first")
    .option(
      "--template <name>",
      `how what you say becomes a prompt: ${CHAT_TEMPLATE_NAMES.join(", ")}, or a JSON file (default: what the model was trained with, or what fits it)`,
    )
    .option("--system <text>", "what the model is told before the conversation")
    .option("--max-new-tokens <number>", "longest answer in tokens", positiveInteger, 128)
    .option("--eager", "call TensorFlow's kernels one by one instead of compiling the model")
    .addHelpText("after", `\nIn the chat:\n${HELP}`)
    .action(chat);
}

async function chat(flags: ChatFlags): Promise<void> {
  const sampling = samplingOf(flags);
  const { system, maxNewTokens, repetitionPenalty } = flags;
  if (repetitionPenalty !== undefined) checkRepetitionPenalty(repetitionPenalty);
  // One answer at a time is bound by memory: a second thread only has to be waited for (1.6 times slower at 6 M parameters).
  await startEngine({ threads: 1 });
  const screen = chatScreen(process.stdout, process.stderr);
  const settings = {
    maxNewTokens,
    ...(system === undefined ? {} : { system }),
    ...(sampling === undefined ? {} : { sampling }),
    ...(repetitionPenalty === undefined ? {} : { repetitionPenalty }),
    ...(flags.eager === true ? { compile: false } : {}),
  };
  const session = new ChatSession(flags.model, screen, settings, flags.template);
  try {
    if (flags.compare !== undefined) session.compare(flags.compare);
    await runInTerminal(session, screen);
  } finally {
    session.dispose();
  }
}
