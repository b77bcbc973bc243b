import { z } from "zod";
import type { Turn } from "../example.js";
import { readConversation, type SpokenTurn, toolsField } from "./conversation.js";
import { marksOf } from "./marks.js";
import { readChecked, rowFormat } from "./row-format.js";
import { text, writtenText } from "./rows.js";

/** Who speaks, by the names that published files use. */
const ROLES: Readonly<Record<string, Turn["role"]>> = {
  system: "system",
  human: "user",
  user: "user",
  gpt: "assistant",
  assistant: "assistant",
  chatgpt: "assistant",
  function_call: "assistant",
  observation: "tool",
  tool: "tool",
  function_response: "tool",
};

const rowSchema = z.looseObject({
  id: z.union([writtenText, z.number()]).optional(),
  conversations: z
    .array(
      z.looseObject({
        from: z.string().refine((from) => Object.hasOwn(ROLES, from), {
          message: `one of ${Object.keys(ROLES).join(", ")} was expected`,
        }),
        value: text,
      }),
    )
    .min(1, "it has no turn"),
  system: text.nullish(),
  tools: text.nullish(),
});

/**
 * ShareGPT: `{id, conversations: [{from, value}]}`, with `tools` (a JSON text) and `system` in LLaMA-Factory's dialect. A
 * function call is a turn of the assistant, its text the call as it is written; what the function gave back is a turn of
 * the tool. The file is one task of one type.
 */
export const shareGptFormat = rowFormat({
  name: "sharegpt",
  looksLike: "{conversations: [{from, value}]}",
  recognize: (first) => ("conversations" in first ? "the first row has conversations" : undefined),
  rows: (record, context) =>
    readChecked(rowSchema, record, context, ({ id, conversations, system, tools }) => {
      const { name, number, options } = context;
      const turns = conversations.map(({ from, value }): SpokenTurn => ({
        role: ROLES[from] ?? "user",
        text: value,
        trained: true,
      }));
      const opening: SpokenTurn[] = isEmpty(system) ? [] : [{ role: "system", text: system, trained: false }];
      const base = {
        id: id === undefined ? `${name}-${number}` : String(id),
        task: name,
        taskType: name,
        source: name,
        ...toolsField(tools),
        ...marksOf(record),
      };
      return [readConversation([...opening, ...turns], base, options.turns, "conversations")];
    }),
});

function isEmpty(value: string | null | undefined): value is "" | null | undefined {
  return value === undefined || value === null || value.trim() === "";
}
