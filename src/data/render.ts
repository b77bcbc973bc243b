import { KitError } from "../support/errors.js";
import { cutInput, type EncodedPrompt } from "./cut-input.js";
import type { Example } from "./example.js";
import { type Layout, layOut, piecesOfTokens } from "./layout.js";
import type { RenderOutcome, RenderPolicy } from "./spans.js";
import type { Role, Source, Template } from "./template.js";
import type { Encoding, Tokenizer } from "./tokenizer.js";

/**
 * Renders and tokenizes one example for training. Prompt and response are encoded as two strings, because inference
 * encodes the prompt alone: no token reaches over the border between them. There is exactly one BOS where the tokenizer
 * has one, and the EOS is supervised.
 * @throws KitError when the example lacks what the template shows or the tokenizer cannot write its text
 */
export function renderSpans(
  example: Example,
  template: Template,
  tokenizer: Tokenizer,
  policy: RenderPolicy,
): RenderOutcome {
  const messages = template.render(example);
  const responseLayout = layOut(messages.slice(-1));
  const response = encodeText(responseLayout.text, tokenizer, example);
  if (response.ids.length === 0) return { kind: "dropped", reason: "nothing-supervised", tokens: 1 };
  if (tokenizer.decode(response.ids) !== responseLayout.text) {
    return { kind: "dropped", reason: "response-not-restored", tokens: response.ids.length };
  }
  const specials = (tokenizer.special.bos === undefined ? 0 : 1) + 1;
  const whole = encodePrompt(layOut(messages.slice(0, -1)), tokenizer, example);
  const prompt = fit(whole, policy.maxTokens - response.ids.length - specials, policy, tokenizer);
  if (prompt === undefined) {
    const tokens = whole.encoding.ids.length + response.ids.length + specials;
    return { kind: "dropped", reason: "overlong", tokens };
  }
  const row = new RowBuilder();
  if (tokenizer.special.bos !== undefined) row.pushSpecial(tokenizer.special.bos, "user");
  row.pushText(prompt.encoding, prompt.layout);
  const promptLength = row.ids.length;
  row.pushText(response, responseLayout);
  row.pushSpecial(tokenizer.special.eos, "assistant");
  const firstTarget = policy.lossOn === "response" ? promptLength : 1;
  return {
    kind: "rendered",
    cut: whole.encoding.ids.length - prompt.encoding.ids.length,
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

/** A prompt that fits, and how many tokens of its input had to go. */
export interface FittedPrompt {
  /** Ids with the BOS, where the tokenizer has one. */
  readonly ids: readonly number[];
  readonly cut: number;
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
  const whole = encodePrompt(layOut(template.render(example).slice(0, -1)), tokenizer, example);
  const prompt = fit(whole, policy.maxTokens - room - start.length, policy, tokenizer);
  if (prompt === undefined) return undefined;
  return {
    ids: [...start, ...prompt.encoding.ids],
    cut: whole.encoding.ids.length - prompt.encoding.ids.length,
  };
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

function fit(
  prompt: EncodedPrompt,
  budget: number,
  policy: RenderPolicy,
  tokenizer: Tokenizer,
): EncodedPrompt | undefined {
  if (prompt.encoding.ids.length <= budget) return prompt;
  if (policy.overlong === "drop" || budget < 1) return undefined;
  return cutInput(prompt, budget, policy.overlong, tokenizer);
}

function encodePrompt(layout: Layout, tokenizer: Tokenizer, example: Example): EncodedPrompt {
  if (layout.text === "" && tokenizer.special.bos === undefined) {
    throw new KitError(
      `the prompt of example "${example.id}" is empty and the tokenizer has no BOS, so nothing comes before the answer`,
      "use a template with a prompt, or a tokenizer with a BOS",
    );
  }
  return { layout, encoding: encodeText(layout.text, tokenizer, example) };
}

/** Text becomes text tokens only: special tokens are written by the renderer, never by what a row says. */
function encodeText(text: string, tokenizer: Tokenizer, example: Example): Encoding {
  const encoding = tokenizer.encode(text);
  const { bos, eos, pad } = tokenizer.special;
  const special = encoding.ids.find((id) => id === eos || id === pad || id === bos);
  if (special !== undefined) {
    throw new KitError(
      `the text of example "${example.id}" becomes the special token ${tokenizer.tokenText(special)}`,
      "use a tokenizer that encodes text to text tokens only",
    );
  }
  return encoding;
}

/** The arrays of a row, which grow together. */
class RowBuilder {
  readonly ids: number[] = [];
  readonly source: Source[] = [];
  readonly role: Role[] = [];

  pushSpecial(id: number, role: Role): void {
    this.ids.push(id);
    this.source.push("special");
    this.role.push(role);
  }

  pushText(encoding: Encoding, layout: Layout): void {
    piecesOfTokens(encoding, layout).forEach((piece, index) => {
      this.ids.push(encoding.ids[index] ?? 0);
      this.source.push(piece.source);
      this.role.push(piece.role);
    });
  }
}
