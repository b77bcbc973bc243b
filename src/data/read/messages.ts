import { z } from "zod";
import type { Turn } from "../example.js";
import { readConversation, type SpokenTurn, toolsField } from "./conversation.js";
import { splitRequest } from "./joined-request.js";
import { marksOf } from "./marks.js";
import { readChecked, rowFormat } from "./row-format.js";
import { text, writtenText } from "./rows.js";

const ROLES: Readonly<Record<string, Turn["role"]>> = {
  system: "system",
  developer: "system",
  user: "user",
  assistant: "assistant",
  tool: "tool",
  function: "tool",
};

const textPart = z
  .looseObject({ type: z.literal("text"), text: text.optional(), value: text.optional() })
  .refine((part) => (part.text ?? part.value) !== undefined, "it has neither text nor value");

/** Whether the loss is taken over a turn: a weight in between would be another loss than the kit's. */
const weight = z.number().refine((value) => value === 0 || value === 1, "a weight of 0 or 1 was expected");

const messageSchema = z.looseObject({
  role: z.string().refine((role) => Object.hasOwn(ROLES, role), {
    message: `one of ${Object.keys(ROLES).join(", ")} was expected`,
  }),
  content: z.union([text, z.array(textPart), z.null()]).optional(),
  tool_calls: z.array(z.unknown()).nullish(),
  loss_weight: weight.nullish(),
  weight: weight.nullish(),
});

const rowSchema = z.looseObject({
  id: z.union([writtenText, z.number()]).optional(),
  dataset: writtenText.optional(),
  instruction: text.optional(),
  messages: z.array(messageSchema).min(1, "it has no message"),
  tools: z.union([text, z.array(z.unknown())]).nullish(),
});

/**
 * OpenAI messages: `{messages: [{role, content}]}`. The content is a text or a list of text parts; an assistant message
 * with `loss_weight` (or OpenAI's `weight`) 0 is shown but not trained; calls of tools are the JSON text of the calls. The
 * task is the record's `dataset` where it has one, else the file.
 */
export const messagesFormat = rowFormat({
  name: "messages",
  looksLike: "{messages: [{role, content}]}",
  recognize: (first) => ("messages" in first ? "the first row has messages" : undefined),
  rows: (record, context) =>
    readChecked(rowSchema, record, context, ({ id, dataset, instruction, messages, tools }) => {
      const { name, number, options } = context;
      const task = dataset ?? name;
      const marks = marksOf(record);
      const base = {
        id: id === undefined ? `${name}-${number}` : String(id),
        task,
        taskType: task,
        source: task,
        ...toolsField(tools),
        ...marks,
      };
      const reading = readConversation(messages.map(toTurn), base, options.turns, "messages");
      return [marks === undefined ? reading : splitRequest(reading, instruction)];
    }),
});

function toTurn(message: z.output<typeof messageSchema>): SpokenTurn {
  const { role, content, tool_calls: calls, loss_weight: lossWeight, weight: turnWeight } = message;
  const said =
    typeof content === "string"
      ? content
      : (content ?? []).map((part) => part.text ?? part.value ?? "").join("");
  const called = calls === undefined || calls === null || calls.length === 0 ? [] : [JSON.stringify(calls)];
  return {
    role: ROLES[role] ?? "user",
    text: [...(said === "" ? [] : [said]), ...called].join("\n"),
    trained: (lossWeight ?? turnWeight ?? 1) === 1,
  };
}
