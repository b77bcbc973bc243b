import { KitError } from "../support/errors.js";
import { cutInput, type EncodedPrompt } from "./cut-input.js";
import { encodeLayout, encodeText, specialId, withoutLeadingBos, writeSpecials } from "./encode-layout.js";
import type { Example } from "./example.js";
import { filterLayout, type Layout, layOut, piecesOfTokens } from "./layout.js";
import type { RenderOutcome, RenderPolicy } from "./spans.js";
import type { Message, Role, Source, Template } from "./template.js";
import type { Encoding, Tokenizer } from "./tokenizer.js";

/**
 * Renders and tokenizes one example for training. Prompt and response are encoded as two strings, because inference
 * encodes the prompt alone: no token reaches over the border between them. There is exactly one BOS where the tokenizer
 * has one, and what ends the response, the EOS or the template's stop token, is supervised.
 * @throws KitError when the example lacks what the template shows or the tokenizer cannot write its text
 */
export function renderSpans(
  example: Example,
  template: Template,
  tokenizer: Tokenizer,
  policy: RenderPolicy,
): RenderOutcome {
  const messages = template.render(example);
  const response = encodeResponse(messages, tokenizer, example);
  if (response.empty) return { kind: "dropped", reason: "nothing-supervised", tokens: 1 };
  if (!response.restored) {
    return { kind: "dropped", reason: "response-not-restored", tokens: response.encoding.ids.length };
  }
  const { bos } = tokenizer.special;
  const others = (bos === undefined ? 0 : 1) + response.encoding.ids.length + response.end.length;
  const { whole, plainSpecials } = encodePrompt(messages, tokenizer, example);
  const fitted = fit(whole, policy.maxTokens - others, policy, tokenizer, example);
  if (fitted === undefined) {
    return { kind: "dropped", reason: "overlong", tokens: whole.encoding.ids.length + others };
  }
  const { prompt, cut, demonstrationsDropped } = fitted;
  const row = new RowBuilder();
  if (bos !== undefined) row.push(bos, "special", "user");
  row.pushText(prompt.encoding, prompt.layout);
  const promptLength = row.ids.length;
  row.pushText(response.encoding, response.layout);
  for (const { id, source } of response.end) row.push(id, source, "assistant");
  const firstTarget = policy.lossOn === "response" ? promptLength : 1;
  return {
    kind: "rendered",
    cut,
    demonstrationsDropped,
    plainSpecials: [...plainSpecials, ...response.plainSpecials],
    spans: {
      id: example.id,
      taskType: example.taskType,
      ids: row.ids,
      supervised: row.ids.map((_, index) => index >= firstTarget),
      source: row.source,
      role: row.role,
      promptLength,
    },
  };
}

/** A prompt that fits, and what of it had to go. */
export interface FittedPrompt {
  /** Ids with the BOS, where the tokenizer has one. */
  readonly ids: readonly number[];
  /** Tokens cut from the input. */
  readonly cut: number;
  readonly demonstrationsDropped: number;
}

/**
 * The prompt of an example for scoring and generation, through the same code as `renderSpans`: where nothing is cut, the
 * ids are the first `promptLength` ids of the training row.
 * @param room tokens kept free for the answer and its end; the reference's own length is not used, it is not known then
 * @returns undefined when the prompt does not fit into `maxTokens - room` under the policy
 */
export function fitPrompt(
  example: Example,
  template: Template,
  tokenizer: Tokenizer,
  policy: RenderPolicy,
  room: number,
): FittedPrompt | undefined {
  const { bos } = tokenizer.special;
  const start = bos === undefined ? [] : [bos];
  const { whole } = encodePrompt(template.render(example), tokenizer, example);
  const fitted = fit(whole, policy.maxTokens - room - start.length, policy, tokenizer, example);
  if (fitted === undefined) return undefined;
  const { prompt, cut, demonstrationsDropped } = fitted;
  return { ids: [...start, ...prompt.encoding.ids], cut, demonstrationsDropped };
}

/**
 * `fitPrompt` for callers that cannot do without the row.
 * @throws KitError when the prompt does not fit
 */
export function renderPrompt(
  example: Example,
  template: Template,
  tokenizer: Tokenizer,
  policy: RenderPolicy,
  room = 1,
): number[] {
  const prompt = fitPrompt(example, template, tokenizer, policy, room);
  if (prompt === undefined) {
    throw new KitError(
      `the prompt of example "${example.id}" does not fit into ${policy.maxTokens} tokens with ${room} left for the answer`,
      "raise maxTokens, let the policy cut the input, or leave the row out",
      { field: "input" },
    );
  }
  return [...prompt.ids];
}

/**
 * The token that ends a response, for generation: the template's stop token where the tokenizer has it, or the EOS. It is
 * the last token of every row that `renderSpans` makes.
 */
export function endToken(template: Template, tokenizer: Tokenizer): number {
  const { stopToken } = template;
  const id = stopToken === undefined ? undefined : tokenizer.addedTokens?.get(stopToken);
  return id ?? tokenizer.special.eos;
}

interface EncodedResponse {
  readonly layout: Layout;
  readonly encoding: Encoding;
  /** What ends the row: the stop token; or the EOS, behind the stop token's text where it is no token here. */
  readonly end: readonly { readonly id: number; readonly source: Source }[];
  /** No token of the reference itself. */
  readonly empty: boolean;
  /** The tokens decode to the response. */
  readonly restored: boolean;
  readonly plainSpecials: readonly string[];
}

function encodeResponse(
  messages: readonly Message[],
  tokenizer: Tokenizer,
  example: Example,
): EncodedResponse {
  const written = layOut(messages.slice(-1));
  const stop = written.pieces.findLast(({ source }) => source === "special");
  const layout = stop === undefined ? written : filterLayout(written, (piece) => piece !== stop);
  const encoding = encodeLayout(layout, tokenizer, example.id);
  const stopId = stop === undefined ? tokenizer.special.eos : specialId(stop, tokenizer);
  const stopText = stop !== undefined && stopId === undefined ? [stop.text] : [];
  return {
    layout,
    encoding,
    end: [
      ...stopText.flatMap((text) =>
        encodeText(text, tokenizer, example.id).ids.map((id) => ({ id, source: "scaffold" as const })),
      ),
      { id: stopId ?? tokenizer.special.eos, source: "special" },
    ],
    empty: !layout.pieces.some(({ source, text }) => source === "response" && text !== ""),
    restored: tokenizer.decode(encoding.ids) === layout.text,
    plainSpecials: stopText,
  };
}

function encodePrompt(
  messages: readonly Message[],
  tokenizer: Tokenizer,
  example: Example,
): { readonly whole: EncodedPrompt; readonly plainSpecials: readonly string[] } {
  const written = withoutLeadingBos(layOut(messages.slice(0, -1)), tokenizer);
  const { layout, plainSpecials } = writeSpecials(written, tokenizer);
  if (layout.text === "" && tokenizer.special.bos === undefined) {
    throw new KitError(
      `the prompt of example "${example.id}" is empty and the tokenizer has no BOS, so nothing comes before the answer`,
      "use a template with a prompt, or a tokenizer with a BOS",
    );
  }
  return { whole: { layout, encoding: encodeLayout(layout, tokenizer, example.id) }, plainSpecials };
}

interface Fitted {
  readonly prompt: EncodedPrompt;
  readonly cut: number;
  readonly demonstrationsDropped: number;
}

/** Cuts the input, and where that is not enough (or not allowed) the demonstrations from the last on, as the policy says. */
function fit(
  whole: EncodedPrompt,
  budget: number,
  policy: RenderPolicy,
  tokenizer: Tokenizer,
  { id }: Example,
): Fitted | undefined {
  const encode = (layout: Layout): Encoding => encodeLayout(layout, tokenizer, id);
  const spare = policy.demonstrations === "drop-last" ? countDemonstrations(whole.layout) : 0;
  for (let dropped = 0; dropped <= spare && budget >= 1; dropped++) {
    const before = dropped === 0 ? whole : withDemonstrations(whole.layout, spare - dropped, encode);
    const prompt = fitInput(before, budget, policy, encode);
    if (prompt === undefined) continue;
    const cut = before.encoding.ids.length - prompt.encoding.ids.length;
    return { prompt, cut, demonstrationsDropped: dropped };
  }
  return undefined;
}

function fitInput(
  prompt: EncodedPrompt,
  budget: number,
  { overlong }: RenderPolicy,
  encode: (layout: Layout) => Encoding,
): EncodedPrompt | undefined {
  if (prompt.encoding.ids.length <= budget) return prompt;
  return overlong === "drop" ? undefined : cutInput(prompt, budget, overlong, encode);
}

/** The prompt with its first so many demonstrations. */
function withDemonstrations(
  whole: Layout,
  shown: number,
  encode: (layout: Layout) => Encoding,
): EncodedPrompt {
  const layout = filterLayout(whole, ({ demonstration = -1 }) => demonstration < shown);
  return { layout, encoding: encode(layout) };
}

function countDemonstrations({ pieces }: Layout): number {
  return pieces.reduce((count, { demonstration = -1 }) => Math.max(count, demonstration + 1), 0);
}

/** The arrays of a row, which grow together. */
class RowBuilder {
  readonly ids: number[] = [];
  readonly source: Source[] = [];
  readonly role: Role[] = [];

  push(id: number, source: Source, role: Role): void {
    this.ids.push(id);
    this.source.push(source);
    this.role.push(role);
  }

  pushText(encoding: Encoding, layout: Layout): void {
    piecesOfTokens(encoding, layout).forEach(({ source, role }, index) => {
      this.push(encoding.ids[index] ?? 0, source, role);
    });
  }
}
