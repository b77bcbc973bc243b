import { z } from "zod";
import type { Tokenizer } from "../data/tokenizer.js";
import { readJsonLines } from "../data/read/container/lines.js";
import { type ErrorLocation, KitError } from "../support/errors.js";
import { validate } from "../support/validate.js";

/** A line of a request file. */
export interface TextRequest {
  /** Given back with the answer. */
  readonly id: string | number;
  readonly prompt: string;
  /** Where it stood, counted from 1. */
  readonly line: number;
}

/** A line of a request file for scoring. */
export interface TextScoreRequest extends TextRequest {
  readonly target: string;
}

const PROMPT_LINE = z.looseObject({ id: z.union([z.string(), z.number()]), prompt: z.string() });
const SCORE_LINE = PROMPT_LINE.extend({ target: z.string() });

/**
 * Requests in JSONL, one object `{id, prompt}` a line; other fields are passed over, and so are empty lines.
 * @throws KitError with file, line and field for a line that is not such an object, for an id that comes twice, and for
 *   a file without requests
 */
export function readPrompts(file: string): Promise<TextRequest[]> {
  return readRequests(file, PROMPT_LINE);
}

/**
 * As `readPrompts`, with `{id, prompt, target}`.
 * @throws KitError also for an empty target
 */
export async function readScoreRequests(file: string): Promise<TextScoreRequest[]> {
  const requests = await readRequests(file, SCORE_LINE);
  for (const { target, line } of requests) {
    if (target === "") {
      throw new KitError("the target is empty", "give the text whose probability is asked for", {
        file,
        line,
        field: "target",
      });
    }
  }
  return requests;
}

async function readRequests<Request extends { id: string | number }>(
  file: string,
  schema: z.ZodType<Request>,
): Promise<(Request & { readonly line: number })[]> {
  const seen = new Map<string | number, number>();
  const requests: (Request & { readonly line: number })[] = [];
  for await (const parsed of readJsonLines(file)) {
    const { line } = parsed;
    if ("problem" in parsed) {
      throw new KitError(parsed.problem, "write one JSON object a line, in UTF-8", { file, line });
    }
    const value = validate(schema, parsed.value, "the request", { file, line });
    const earlier = seen.get(value.id);
    if (earlier !== undefined) {
      throw new KitError(
        `the id ${JSON.stringify(value.id)} is already on line ${earlier}`,
        "give each request an id of its own",
        { file, line, field: "id" },
      );
    }
    seen.set(value.id, line);
    requests.push({ ...value, line });
  }
  if (requests.length === 0) {
    throw new KitError("the file has no requests", "give one JSON object a line", { file });
  }
  return requests;
}

/**
 * The ids of a text as a prompt is encoded everywhere in the kit: text tokens, after exactly one BOS where the tokenizer
 * has one.
 * @throws KitError at `location` when the tokenizer cannot write the text, or nothing would come before the answer
 */
export function encodePromptText(text: string, tokenizer: Tokenizer, location: ErrorLocation): number[] {
  const ids = encodeText(text, tokenizer, { ...location, field: "prompt" });
  const { bos } = tokenizer.special;
  const all = bos === undefined ? ids : [bos, ...ids];
  if (all.length === 0) {
    throw new KitError(
      "the prompt is empty and the tokenizer has no BOS, so nothing comes before the answer",
      "give a prompt",
      {
        ...location,
        field: "prompt",
      },
    );
  }
  return all;
}

/**
 * The ids of a target: text tokens alone, without an end token.
 * @throws KitError at `location` when the tokenizer cannot write the text
 */
export function encodeTargetText(text: string, tokenizer: Tokenizer, location: ErrorLocation): number[] {
  return encodeText(text, tokenizer, { ...location, field: "target" });
}

/** Special tokens are written by the kit, never by what a line says. */
function encodeText(text: string, tokenizer: Tokenizer, location: ErrorLocation): number[] {
  const ids = [...encodeAt(text, tokenizer, location)];
  const { bos, eos, pad } = tokenizer.special;
  const special = ids.find((id) => id === bos || id === eos || id === pad);
  if (special !== undefined) {
    throw new KitError(
      `the text becomes the special token ${tokenizer.tokenText(special)}`,
      "take it out of the text",
      location,
    );
  }
  return ids;
}

function encodeAt(text: string, tokenizer: Tokenizer, location: ErrorLocation): readonly number[] {
  try {
    return tokenizer.encode(text).ids;
  } catch (error) {
    if (!(error instanceof KitError)) throw error;
    const problem = error.message.slice(0, error.message.lastIndexOf(". To mend it: "));
    throw new KitError(problem, error.cure, location, { cause: error });
  }
}
