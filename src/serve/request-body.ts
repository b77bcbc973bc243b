import { randomInt } from "node:crypto";
import { z } from "zod";
import { validate } from "../support/validate.js";
import { badRequest } from "./problem.js";
import type { CompletionRequest, Prompt } from "./served-model.js";

const MOST_CHOICES = 16;
const MOST_STOPS = 16;
const MOST_LOGPROBS = 20;
/** OpenAI's longest answer of `/v1/completions` where none is said. */
const COMPLETION_TOKENS = 16;

const positive = z.int().min(1);
const stopText = z.string().min(1);

/** Fields of both forms. What would change nothing is taken; what would change the answer and is not built is refused. */
const common = {
  model: z.string(),
  max_tokens: positive.nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  n: positive.max(MOST_CHOICES).nullish(),
  stop: z.union([stopText, z.array(stopText).max(MOST_STOPS)]).nullish(),
  seed: z.int().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.strictObject({ include_usage: z.boolean().nullish() }).nullish(),
  /** Names who asks; it never changes an answer. */
  user: z.string().nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  logit_bias: z.strictObject({}).nullish(),
};

const completionBody = z.strictObject({
  ...common,
  prompt: z.union([
    z.string(),
    z.array(z.string()).min(1),
    z.array(z.int().min(0)).min(1),
    z.array(z.array(z.int().min(0)).min(1)).min(1),
  ]),
  /** 0, with echo, asks for the prompt's log-probabilities alone. */
  max_tokens: z.int().min(0).nullish(),
  logprobs: z.int().min(0).max(MOST_LOGPROBS).nullish(),
  echo: z.boolean().nullish(),
  best_of: positive.nullish(),
  suffix: z.literal("").nullish(),
});

const textPart = z.strictObject({ type: z.literal("text"), text: z.string() });
const chatBody = z.strictObject({
  ...common,
  messages: z
    .array(
      z.strictObject({
        role: z.enum(["system", "user", "assistant"]),
        content: z.union([z.string(), z.array(textPart)]),
      }),
    )
    .min(1),
  max_completion_tokens: positive.nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(MOST_LOGPROBS).nullish(),
  response_format: z.strictObject({ type: z.literal("text") }).nullish(),
  /** Of this kit: another template than the model's own. */
  template: z.string().nullish(),
});

const promptBody = z.strictObject({
  model: z.string(),
  messages: chatBody.shape.messages,
  template: z.string().nullish(),
});

/** What a request asks for, whatever its form. */
export interface Asked {
  readonly model: string;
  /** One for each choice, in the order of their indices. */
  readonly requests: readonly CompletionRequest[];
  readonly stream: boolean;
  /** A last chunk of the stream tells the numbers of tokens. */
  readonly streamUsage: boolean;
  /** The prompt of each request comes before its answer. */
  readonly echo: boolean;
}

/** @throws KitError or Problem that names the field */
export function readCompletionBody(value: unknown): Asked {
  const body = validate(completionBody, value, "the request");
  const { echo, logprobs, best_of: bestOf, prompt } = body;
  const choices = body.n ?? 1;
  if (bestOf != null && bestOf !== choices)
    throw badRequest(
      `best_of of ${bestOf} with n of ${choices}: this server returns every answer; leave best_of out`,
      "best_of",
    );
  const settings = settingsOf(body, logprobs ?? undefined);
  const maxTokens = body.max_tokens ?? COMPLETION_TOKENS;
  const prompts = promptsOf(prompt);
  return {
    model: body.model,
    requests: prompts.flatMap((each, row) =>
      Array.from({ length: choices }, (_, index) => ({
        ...settings,
        maxTokens,
        prompt: each,
        choice: row * choices + index,
      })),
    ),
    ...streamingOf(body),
    echo: echo ?? false,
  };
}

/** @throws KitError or Problem that names the field */
export function readChatBody(value: unknown): Asked {
  const body = validate(chatBody, value, "the request");
  const { logprobs, top_logprobs: top, max_tokens: limit, max_completion_tokens: newLimit } = body;
  if (top != null && logprobs !== true) throw badRequest("top_logprobs needs logprobs: true", "top_logprobs");
  if (limit != null && newLimit != null && limit !== newLimit)
    throw badRequest("max_tokens and max_completion_tokens differ; send one of them", "max_tokens");
  const settings = settingsOf(body, logprobs === true ? (top ?? 0) : undefined);
  const maxTokens = newLimit ?? limit;
  const prompt = chatOf(body);
  return {
    model: body.model,
    requests: Array.from({ length: body.n ?? 1 }, (_, choice) => ({
      ...settings,
      ...(maxTokens == null ? {} : { maxTokens }),
      prompt,
      choice,
    })),
    ...streamingOf(body),
    echo: false,
  };
}

/** A chat whose prompt is to be shown, not answered. @throws KitError that names the field */
export function readPromptBody(value: unknown): { readonly model: string; readonly prompt: Prompt } {
  const body = validate(promptBody, value, "the request");
  return { model: body.model, prompt: chatOf(body) };
}

function chatOf({ messages, template }: z.infer<typeof promptBody>): Prompt {
  return {
    kind: "chat",
    messages: messages.map(({ role, content }) => ({
      role,
      content: typeof content === "string" ? content : content.map(({ text }) => text).join(""),
    })),
    ...(template == null ? {} : { template }),
  };
}

function promptsOf(prompt: z.infer<typeof completionBody>["prompt"]): Prompt[] {
  if (typeof prompt === "string") return [{ kind: "text", text: prompt }];
  if (prompt.every((each) => typeof each === "number")) return [{ kind: "tokens", ids: prompt }];
  return prompt.map((each) =>
    typeof each === "string"
      ? { kind: "text", text: each }
      : { kind: "tokens", ids: typeof each === "number" ? [each] : each },
  );
}

type Common = z.infer<z.ZodObject<typeof common>>;

function settingsOf(
  { temperature, top_p: topP, seed, stop, presence_penalty: presence, frequency_penalty: frequency }: Common,
  topLogprobs: number | undefined,
): Omit<CompletionRequest, "prompt" | "choice" | "maxTokens"> {
  return {
    temperature: temperature ?? 1,
    ...(topP == null || topP === 1 ? {} : { topP }),
    ...(presence == null ? {} : { presencePenalty: presence }),
    ...(frequency == null ? {} : { frequencyPenalty: frequency }),
    seed: seed ?? randomInt(2 ** 31),
    stop: stop == null ? [] : typeof stop === "string" ? [stop] : stop,
    ...(topLogprobs === undefined ? {} : { topLogprobs }),
  };
}

function streamingOf({ stream, stream_options: options }: Common): Pick<Asked, "stream" | "streamUsage"> {
  if (options != null && stream !== true)
    throw badRequest("stream_options needs stream: true", "stream_options");
  return { stream: stream ?? false, streamUsage: options?.include_usage ?? false };
}
