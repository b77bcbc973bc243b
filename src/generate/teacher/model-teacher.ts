import { basename, resolve } from "node:path";
import type { Turn } from "../../data/example.js";
import { endToken } from "../../data/render.js";
import type { Template } from "../../data/template.js";
import { chatPrompt } from "../../evaluate/chat/prompt.js";
import { chosenChatTemplate, defaultChatTemplate } from "../../evaluate/chat/templates.js";
import { generate } from "../../evaluate/generate.js";
import { startEngine } from "../../engine/start.js";
import { penaltiesField, samplingField } from "../../evaluate/sampling.js";
import { type LoadedModel, loadModelFolder } from "../../evaluate/model-folder.js";
import { KitError } from "../../support/errors.js";
import { hashFiles } from "../../support/hash-files.js";
import { type Teacher, TeacherFault, type TeacherReply, type TeacherRequest } from "./teacher.js";

export interface ModelTeacherOptions {
  /** Its name in the manifest, and in the addresses of its replies. */
  readonly name: string;
  /** How a question becomes a prompt; by default what fits the tokenizer (`defaultChatTemplate`). */
  readonly template?: Template;
}

/**
 * A model in the kit as a teacher. It answers one question after the other, whatever the concurrency. A question that does not
 * fit into the context is not taken; an answer that reaches the end of the context is cut off.
 */
export function modelTeacher(model: LoadedModel, { name, template }: ModelTeacherOptions): Teacher {
  const chosen = template ?? defaultChatTemplate(model.tokenizer);
  let last: Promise<unknown> = Promise.resolve();
  return {
    name,
    ask(request, signal) {
      const answer = last.then(() => answerWith(model, chosen, request, signal));
      last = answer.catch(() => undefined);
      return answer;
    },
  };
}

/**
 * The model of a folder as a teacher, and what frees it. Unless it is named, its weights are part of its name, so that another
 * model in the same folder is another teacher.
 * @param options.template name of a template, as of `chatTemplateByName`
 * @throws KitError when the folder has no model that can be read
 */
export async function loadModelTeacher(
  folder: string,
  options: { readonly name?: string; readonly template?: string } = {},
): Promise<{ readonly teacher: Teacher; readonly close: () => void }> {
  await startEngine();
  const model = loadModelFolder(folder);
  const name = options.name ?? `${basename(resolve(folder))}@${hashFiles(folder).slice(0, 12)}`;
  const template = chosenChatTemplate(options.template, model.tokenizer, folder);
  return { teacher: modelTeacher(model, { name, template }), close: () => model.decoder.dispose() };
}

async function answerWith(
  model: LoadedModel,
  template: Template,
  request: TeacherRequest,
  signal: AbortSignal,
): Promise<TeacherReply> {
  const { decoder, tokenizer } = model;
  const { maxTokens, stop = [] } = request;
  const room = Math.min(maxTokens, Math.floor(decoder.config.contextLength / 2));
  const ids = promptIds(model, template, request, room);
  if (ids === undefined) return { text: "", ending: "not-taken", promptTokens: 0, answerTokens: 0 };
  const [answer] = await generate(decoder, [ids], {
    maxNewTokens: room,
    batchSize: 1,
    eos: endToken(template, tokenizer),
    stopTokens: [tokenizer.special.eos],
    stop: { texts: [...template.stop, ...stop], tokenizer },
    ...samplingField(request),
    ...penaltiesField(request),
    signal,
  });
  if (answer === undefined) throw new TeacherFault("the question was given up", { passing: false });
  const cut = answer.ending === "length" || answer.ending === "context";
  return {
    text: answer.text ?? tokenizer.decode(answer.ids),
    ending: cut ? "length" : "stop",
    promptTokens: ids.length,
    answerTokens: answer.ids.length,
  };
}

/** The prompt; undefined where the question does not fit into the context. */
function promptIds(
  model: LoadedModel,
  template: Template,
  { messages }: TeacherRequest,
  room: number,
): readonly number[] | undefined {
  const text = messages.at(-1)?.content ?? "";
  const history: Turn[] = messages.slice(0, -1).map(({ role, content }) => ({ role, text: content }));
  try {
    const { ids, dropped } = chatPrompt(model, template, { text, history }, room);
    return dropped > 0 ? undefined : ids;
  } catch (error) {
    if (error instanceof KitError) return undefined;
    throw error;
  }
}
