import { KitError } from "../../support/errors.js";
import type { Example } from "../example.js";
import type { DropReason } from "../ledger.js";
import { renderSpans } from "../render.js";
import type { RenderOutcome, RenderPolicy, Spans } from "../spans.js";
import type { Template } from "../template.js";
import type { Tokenizer } from "../tokenizer.js";

/** Templates by the names that the comparison gives them, such as `{ sft: sftPlain, ift: alpaca }`. The first is the base. */
export type Formats = Readonly<Record<string, Template>>;

/** What one format made of a row; "not-renderable" where the row lacks what the template shows. */
export type FormatOutcome =
  RenderOutcome | { readonly kind: "dropped"; readonly reason: DropReason; readonly problem?: string };

type Rendered = Extract<RenderOutcome, { kind: "rendered" }>;

/** A row in every format, in the order of the formats. */
export interface Pair {
  /** What each format would make of the row by itself. */
  readonly alone: readonly FormatOutcome[];
  /**
   * What a comparison counts: the row is rendered in all formats or dropped in all. A format that could show the row then
   * says why it does not: another one cannot, or their targets differ.
   */
  readonly outcomes: readonly FormatOutcome[];
}

/** @throws KitError when fewer than two formats are given */
export function checkFormats(formats: Formats): void {
  const names = Object.keys(formats);
  if (names.length < 2) {
    throw new KitError(
      `a comparison needs two formats, ${names.length} ${names.length === 1 ? "is" : "are"} given`,
      "give for example { sft: sftPlain, ift: iftDefinition }",
    );
  }
}

/**
 * Renders a row in every format. What is compared must be learned from the same target: the text of the response's tokens
 * is the same in all formats, or the row is dropped as "target-differs".
 */
export function renderPair(
  example: Example,
  formats: Formats,
  tokenizer: Tokenizer,
  policy: RenderPolicy,
): Pair {
  const alone = Object.values(formats).map((template) => render(example, template, tokenizer, policy));
  const rendered = alone.filter(isRendered);
  if (rendered.length < alone.length) return { alone, outcomes: dropRendered(alone, "not-in-every-format") };
  const targets = new Set(rendered.map(({ spans }) => targetText(spans, tokenizer)));
  return { alone, outcomes: targets.size > 1 ? dropRendered(alone, "target-differs") : alone };
}

/** The text of the response's own tokens: what the loss trains on, without the token that ends it. */
export function targetText({ ids, source }: Spans, tokenizer: Tokenizer): string {
  return tokenizer.decode(ids.filter((_, index) => source[index] === "response"));
}

/** Whether a format shows the row. */
export function isRendered(outcome: FormatOutcome): outcome is Rendered {
  return outcome.kind === "rendered";
}

function render(
  example: Example,
  template: Template,
  tokenizer: Tokenizer,
  policy: RenderPolicy,
): FormatOutcome {
  try {
    return renderSpans(example, template, tokenizer, policy);
  } catch (error) {
    if (!(error instanceof KitError)) throw error;
    return { kind: "dropped", reason: "not-renderable", problem: error.message };
  }
}

function dropRendered(outcomes: readonly FormatOutcome[], reason: DropReason): FormatOutcome[] {
  return outcomes.map((outcome) => (isRendered(outcome) ? { kind: "dropped", reason } : outcome));
}
