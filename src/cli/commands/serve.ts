import { basename } from "node:path";
import { Command } from "commander";
import { startEngine } from "../../engine/start.js";
import { CHAT_TEMPLATE_NAMES } from "../../evaluate/chat/templates.js";
import { checkExposure, TOKEN_VARIABLE } from "../../serve/guard.js";
import { kitModel } from "../../serve/kit-model.js";
import type { ServedModel } from "../../serve/served-model.js";
import { startServer } from "../../serve/server.js";
import { messageOf } from "../../support/errors.js";
import { onInterrupt } from "../interrupt.js";
import { positiveInteger, wholeNumber } from "../options.js";

interface ServeFlags {
  readonly model: readonly string[];
  readonly template?: readonly string[];
  readonly host: string;
  readonly port: number;
  readonly slots: number;
  readonly queue: number;
  readonly timeout: number;
  readonly grace: number;
  readonly eager?: true;
}

const collect = (value: string, earlier: readonly string[] = []): readonly string[] => [...earlier, value];

/** `ift-kit serve --model DIR…`: models behind OpenAI's API, and a page that asks all of them. */
export function command(): Command {
  return new Command("serve")
    .requiredOption(
      "--model <folder>",
      'folder of a model with its tokenizer, NAME=FOLDER to call it otherwise, or "decoder", which ships with the kit; several times for several models',
      collect,
    )
    .option(
      "--template <name>",
      `how chats become prompts, for all models or MODEL=NAME: ${CHAT_TEMPLATE_NAMES.join(", ")}, or a JSON file (default: what each model was trained with, or what fits it)`,
      collect,
    )
    .option(
      "--host <address>",
      `where to listen; other machines reach it only with a token in the environment variable ${TOKEN_VARIABLE}`,
      "127.0.0.1",
    )
    .option("--port <number>", "port to listen on; 0 takes a free one", wholeNumber, 8080)
    .option("--slots <number>", "answers of a model that are written together", positiveInteger, 32)
    .option("--queue <number>", "requests of a model that wait beside them", wholeNumber, 256)
    .option("--timeout <seconds>", "longest time of a request, waiting included", positiveInteger, 120)
    .option("--grace <seconds>", "how long requests may go on after Ctrl-C", wholeNumber, 10)
    .option("--eager", "call TensorFlow's kernels one by one instead of compiling the models")
    .addHelpText(
      "after",
      "\nA client: base URL http://127.0.0.1:8080/v1, any key, the model by its name. Beside OpenAI's routes there are" +
        "\n/ (a page that asks all models), /health, and /metrics for Prometheus.",
    )
    .action(serve);
}

async function serve(flags: ServeFlags): Promise<void> {
  const token = process.env[TOKEN_VARIABLE];
  // Before the models are loaded, which takes longer.
  checkExposure(flags.host, token);
  const interrupt = onInterrupt("Ending: requests at work go on for a while; Ctrl-C again ends at once.");
  await startEngine();
  const models: ServedModel[] = [];
  try {
    for (const model of flags.model) models.push(await load(model, flags));
    const server = await startServer({
      models,
      host: flags.host,
      port: flags.port,
      timeoutSeconds: flags.timeout,
      graceSeconds: flags.grace,
      ...(token === undefined ? {} : { token }),
      onDefect: (error) => console.error(`ift-kit: a request failed: ${messageOf(error)}`),
    });
    for (const { id, template, contextLength } of models)
      console.error(`${id}: template ${template}, context of ${contextLength} tokens.`);
    console.log(`${server.url}/`);
    if (!interrupt.signal.aborted)
      await new Promise((resolve) => interrupt.signal.addEventListener("abort", resolve));
    await server.close();
  } finally {
    interrupt.release();
  }
}

function load(model: string, { template = [], slots, queue, eager }: ServeFlags): Promise<ServedModel> {
  const [folder, name] = named(model);
  const id = name ?? basename(folder);
  // The last one that is meant for the model, or else for all.
  const templates = template.map(named);
  const [chosen] =
    templates.findLast(([, of]) => of === id) ?? templates.findLast(([, of]) => of === undefined) ?? [];
  return kitModel(folder, {
    id,
    slots,
    queue,
    ...(chosen === undefined ? {} : { template: chosen }),
    ...(eager === true ? { compile: false } : {}),
  });
}

/** `NAME=VALUE` or `VALUE`. */
function named(text: string): readonly [value: string, name?: string] {
  const at = text.indexOf("=");
  return at <= 0 ? [text] : [text.slice(at + 1), text.slice(0, at)];
}
