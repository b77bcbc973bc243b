import OpenAI, { APIConnectionError, APIError, APIUserAbortError } from "openai";
import { z } from "zod";
import { KitError, messageOf } from "../../support/errors.js";
import { secretRemover } from "./secret.js";
import {
  estimatePromptTokens,
  estimateTokens,
  type ReplyEnding,
  type Teacher,
  TeacherFault,
  type TeacherReply,
  type TeacherRequest,
} from "./teacher.js";

export interface OpenAiTeacherOptions {
  /** Address of the API, such as "http://127.0.0.1:8080/v1". */
  readonly endpoint: string;
  /** Name of the model there. */
  readonly model: string;
  /** See `keyFromEnvironment`; left out for servers that ask for none. */
  readonly key?: string;
  /** Longest time of one question, in seconds (300). */
  readonly timeoutSeconds?: number;
}

/** Longest time of one question where none is said. */
export const TIMEOUT_SECONDS = 300;

/** What is read of an answer; whatever else a server sends is let be. */
const completionSchema = z.looseObject({
  choices: z
    .array(
      z.looseObject({
        finish_reason: z.string().nullish(),
        message: z.looseObject({ content: z.string().nullish(), refusal: z.string().nullish() }),
      }),
    )
    .min(1),
  usage: z.looseObject({ prompt_tokens: z.int().min(0), completion_tokens: z.int().min(0) }).nullish(),
});

/**
 * A model behind an OpenAI-compatible endpoint, through the official client. The client's own retries are off (they would not
 * be counted), it logs nothing, and it takes nothing from its own environment variables.
 * @throws KitError for an address that is no URL of the web, or that holds a user name, a password or parameters
 */
export function openAiTeacher(options: OpenAiTeacherOptions): Teacher {
  const { endpoint, model, key, timeoutSeconds = TIMEOUT_SECONDS } = options;
  checkEndpoint(endpoint);
  const withoutSecrets = secretRemover(key);
  const client = new OpenAI({
    baseURL: endpoint,
    // The client insists on one; a server that asks for none does not look.
    apiKey: key ?? "none",
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    maxRetries: 0,
    timeout: timeoutSeconds * 1000,
    logLevel: "off",
  });
  return {
    name: model,
    withoutSecrets,
    async ask(request, signal) {
      try {
        const answer: unknown = await client.chat.completions.create(bodyOf(model, request), { signal });
        return replyOf(request, answer, withoutSecrets);
      } catch (error) {
        const refusal = refusalOf(error, request);
        if (refusal !== undefined) return refusal;
        throw faultOf(error, withoutSecrets);
      }
    },
  };
}

/** @throws KitError that does not repeat the address, since a key may be in it */
function checkEndpoint(endpoint: string): void {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const isWeb = url?.protocol === "http:" || url?.protocol === "https:";
  if (isWeb && url.username === "" && url.password === "" && url.search === "" && url.hash === "") return;
  throw new KitError(
    isWeb ? "the address of the endpoint has a user name or parameters in it" : "this is no http(s) address",
    "give an address such as http://127.0.0.1:8080/v1, and the key in an environment variable (--key-env)",
    { field: "endpoint" },
  );
}

function bodyOf(model: string, request: TeacherRequest): OpenAI.ChatCompletionCreateParamsNonStreaming {
  const { messages, maxTokens, temperature, topP, stop, seed, presencePenalty, frequencyPenalty } = request;
  return {
    model,
    messages: messages.map(({ role, content }) => ({ role, content })),
    // OpenAI calls it deprecated; it is the name that compatible servers know.
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    max_tokens: maxTokens,
    temperature,
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- as above
    seed,
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(presencePenalty === undefined ? {} : { presence_penalty: presencePenalty }),
    ...(frequencyPenalty === undefined ? {} : { frequency_penalty: frequencyPenalty }),
    ...(stop === undefined || stop.length === 0 ? {} : { stop: [...stop] }),
  };
}

function replyOf(
  request: TeacherRequest,
  answer: unknown,
  withoutSecrets: (text: string) => string,
): TeacherReply {
  const { success, data } = completionSchema.safeParse(answer);
  const [choice] = data?.choices ?? [];
  // Some servers answer garbage at times (a proxy's page, half an object): that is a fault that may pass.
  if (!success || choice === undefined)
    throw new TeacherFault("the endpoint's answer is not a chat completion", { passing: true });
  const { content, refusal } = choice.message;
  const text = withoutSecrets(content ?? "");
  const { usage } = data;
  return {
    text: refusal == null || refusal === "" ? text : withoutSecrets(refusal),
    ending: endingOf(choice.finish_reason ?? "stop", refusal),
    promptTokens: usage?.prompt_tokens ?? estimatePromptTokens(request),
    answerTokens: usage?.completion_tokens ?? estimateTokens(text),
    ...(usage == null ? { estimated: true } : {}),
  };
}

function endingOf(finishReason: string, refusal: string | null | undefined): ReplyEnding {
  if (finishReason === "content_filter" || (refusal != null && refusal !== "")) return "refused";
  return finishReason === "length" ? "length" : "stop";
}

/** Statuses by which a server says that it does not take this very question. */
const NOT_TAKEN = new Set([400, 413, 422]);

function refusalOf(error: unknown, request: TeacherRequest): TeacherReply | undefined {
  if (!(error instanceof APIError) || !NOT_TAKEN.has(Number(error.status))) return undefined;
  const ending = error.code === "content_filter" ? "refused" : "not-taken";
  // What was not read is not paid for, but an endpoint may see that otherwise: the prompt counts where it was filtered.
  const promptTokens = ending === "refused" ? estimatePromptTokens(request) : 0;
  return { text: "", ending, promptTokens, answerTokens: 0, estimated: true };
}

/** Statuses after which asking again may help: a conflict, a time-out, too many requests, and faults of the server. */
function isPassing(status: number): boolean {
  return status === 408 || status === 409 || status === 425 || status === 429 || status >= 500;
}

function faultOf(error: unknown, withoutSecrets: (text: string) => string): TeacherFault {
  // The client's errors carry the request: only their words go on.
  const words = withoutSecrets(messageOf(error).replaceAll(/\s+/g, " ")).slice(0, 300);
  if (error instanceof APIUserAbortError)
    return new TeacherFault("the question was given up", { passing: false });
  if (error instanceof APIConnectionError)
    return new TeacherFault(`the endpoint cannot be reached (${words})`, { passing: true });
  if (error instanceof APIError && typeof error.status === "number") {
    const { status, code } = error as APIError<number>;
    const isSpent = code === "insufficient_quota";
    const waitMilliseconds = retryAfter((error as APIError<number>).headers);
    return new TeacherFault(`the endpoint answered with status ${words}`, {
      passing: isPassing(status) && !isSpent,
      ...(waitMilliseconds === undefined ? {} : { waitMilliseconds }),
    });
  }
  // What cannot be parsed as JSON although it says that it is, and connections that end in the middle of an answer.
  return new TeacherFault(`the endpoint's answer cannot be read (${words})`, { passing: true });
}

/**
 * What the headers `retry-after-ms` and `Retry-After` (seconds or a date, RFC 9110) ask for, in milliseconds.
 * @param now milliseconds since 1970
 */
export function retryAfter(headers: Headers | undefined, now = Date.now()): number | undefined {
  const inMilliseconds = headers?.get("retry-after-ms") ?? "";
  if (/^\d+(\.\d+)?$/.test(inMilliseconds)) return Number(inMilliseconds);
  const value = headers?.get("retry-after") ?? "";
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
