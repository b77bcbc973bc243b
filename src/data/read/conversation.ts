import type { Example, Turn } from "../example.js";
import type { RowReading } from "./format.js";
import type { ExampleDraft } from "./rows.js";

/** A turn, and whether the loss is taken over it (of an assistant's turns only). */
export interface SpokenTurn extends Turn {
  readonly trained: boolean;
}

/** The functions that the assistant may call, as one JSON text; nothing where there are none (also where "[]" says so). */
export function toolsField(tools: string | readonly unknown[] | null | undefined): Pick<Example, "tools"> {
  const text = typeof tools === "string" ? tools : JSON.stringify(tools ?? []);
  return /^\s*(\[\s*\])?\s*$/.test(text) ? {} : { tools: text };
}

/**
 * The row that a conversation is: an example for each assistant turn that is trained, or for the last of them. What the
 * turn answers is the input where it is a user's; after the result of a tool the input is "" and the result is the last
 * turn of `history`.
 *
 *     user A, assistant B, user C, assistant D   ->   input A -> B;  history A B, input C -> D
 *
 * An assistant turn that answers nothing (a conversation that begins with it) makes no example.
 * @param base what the examples have in common; its id gets "-turn-k" for the k-th assistant turn where there are several
 */
export function readConversation(
  turns: readonly SpokenTurn[],
  base: Omit<Example, "input" | "outputs" | "history">,
  which: "each" | "last",
  field: string,
): RowReading {
  const spoken = turns.map(({ role, text }): Turn => ({ role, text }));
  const drafts: { readonly turn: number; readonly draft: ExampleDraft }[] = [];
  let assistantTurns = 0;
  let isAsked = false;
  for (const [index, { role, text, trained }] of turns.entries()) {
    if (role !== "assistant") {
      isAsked ||= role === "user" || role === "tool";
      continue;
    }
    assistantTurns++;
    if (!isAsked || !trained || text.trim() === "") continue;
    const before = spoken[index - 1];
    const isRequest = before?.role === "user";
    const history = spoken.slice(0, isRequest ? index - 1 : index);
    const example = {
      ...base,
      input: isRequest ? before.text : "",
      ...(history.length === 0 ? {} : { history }),
    };
    drafts.push({ turn: assistantTurns, draft: { example, outputs: [text] } });
  }
  const wanted = which === "last" ? drafts.slice(-1) : drafts;
  return {
    kind: "row",
    drafts:
      wanted.length === 1 || which === "last"
        ? wanted.map(({ draft }) => draft)
        : wanted.map(({ turn, draft: { example, outputs } }) => ({
            example: { ...example, id: `${base.id}-turn-${turn}` },
            outputs,
          })),
    field,
    untrainedTurns: assistantTurns - wanted.length,
  };
}
