import { Conversation, type ChatSettings, type Reply } from "../evaluate/chat/conversation.js";
import type { LoadedModel } from "../evaluate/model-folder.js";
import { liveDisplay } from "./display.js";
import { escapeHtml } from "./display-table.js";
import { kernelBridge, type MimeBundle } from "./kernel-bridge.js";

/** Models by the names that stand above their answers. */
export type NamedModels = Readonly<Record<string, LoadedModel>>;

/** A conversation in a notebook. `Answer` is a reply, or for several models a reply for each name. */
export interface NotebookChat<Answer> {
  /**
   * Says something; the answer appears below the running cell while it is written. The stop button ends it where it is.
   * @throws KitError as `Conversation.say`
   */
  say(text: string): Promise<Answer>;
  /** Forgets what was said. */
  reset(): void;
}

/**
 * Talks to a model in a notebook, or to several side by side.
 *
 *     const talk = chat(await loadBase("decoder"));
 *     await talk.say("Write the fruit twice.\nNora found a red plum.");
 *     await chat({ base, SFT: sft, IFT: ift }, { maxNewTokens: 40 }).say("Who wrote Pride and Prejudice?");
 */
export function chat(model: LoadedModel, settings?: ChatSettings): NotebookChat<Reply>;
export function chat<Models extends NamedModels>(
  models: Models,
  settings?: ChatSettings,
): NotebookChat<Readonly<Record<keyof Models, Reply>>>;
export function chat(
  models: LoadedModel | NamedModels,
  settings: ChatSettings = {},
): NotebookChat<Reply | Readonly<Record<string, Reply>>> {
  const single = isModel(models);
  const named: NamedModels = single ? { [SINGLE_NAME]: models } : models;
  const talks = Object.entries(named).map(([name, model]) => ({
    name,
    conversation: new Conversation(model, settings),
  }));
  return {
    say: async (text) => {
      const replies = await sayToAll(talks, text);
      const [only] = replies.values();
      return single && only !== undefined ? only : Object.fromEntries(replies);
    },
    reset: () => {
      for (const { conversation } of talks) conversation.reset();
    },
  };
}

const SINGLE_NAME = "model";

interface Talk {
  readonly name: string;
  readonly conversation: Conversation;
}

/** What stands under a name. */
interface Shown {
  readonly name: string;
  text: string;
  note: string;
}

/** One model after the other, so that none slows another. */
async function sayToAll(talks: readonly Talk[], text: string): Promise<Map<string, Reply>> {
  const signal = kernelBridge()?.interruptSignal();
  const live = liveDisplay();
  const shown = talks.map(({ name }): Shown => ({ name, text: "", note: "" }));
  const replies = new Map<string, Reply>();
  try {
    for (const [index, { name, conversation }] of talks.entries()) {
      const own = shown[index];
      const reply = await conversation.say(text, {
        onText: (piece) => {
          if (own !== undefined) own.text += piece;
          live.update(chatBundle(text, shown));
        },
        ...(signal === undefined ? {} : { signal }),
      });
      if (own !== undefined) own.note = noteOf(reply);
      replies.set(name, reply);
    }
    live.update(chatBundle(text, shown));
  } finally {
    live.finish();
  }
  return replies;
}

function noteOf({ ending, dropped }: Reply): string {
  return [
    ...(dropped > 0 ? [`${dropped} earlier turns did not fit into the context`] : []),
    ...(ending === "length" ? ["ended at maxNewTokens"] : []),
    ...(ending === "context" ? ["ended at the end of the context"] : []),
    ...(ending === "stopped" ? ["stopped"] : []),
  ].join("; ");
}

/** A question, and the answers side by side, as HTML and as text. */
function chatBundle(question: string, shown: readonly Shown[]): MimeBundle {
  const columns = shown.map(
    ({ name, text, note }) =>
      `<div style="flex:1;min-width:14em"><b>${escapeHtml(name)}</b><div style="${TEXT_STYLE}">${escapeHtml(text)}</div>` +
      `${note === "" ? "" : `<div style="opacity:0.75">(${escapeHtml(note)})</div>`}</div>`,
  );
  const answers = shown.map(({ name, text, note }) => `${name}: ${text}${note === "" ? "" : ` (${note})`}`);
  return {
    "text/html":
      `<div style="${TEXT_STYLE};opacity:0.75"><b>you</b> ${escapeHtml(question)}</div>` +
      `<div style="display:flex;gap:1.5em;flex-wrap:wrap">${columns.join("")}</div>`,
    "text/plain": [`you: ${question}`, ...answers].join("\n"),
  };
}

const TEXT_STYLE = "white-space:pre-wrap;overflow-wrap:anywhere";

function isModel(models: LoadedModel | NamedModels): models is LoadedModel {
  return "tokenizer" in models && "encode" in models.tokenizer;
}
