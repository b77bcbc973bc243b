import { normalizedInput } from "./few-shot.js";
import { endToken, renderSpans } from "./render.js";
import type { Example } from "./example.js";
import type { Segment, Template } from "./template.js";
import type { Tokenizer } from "./tokenizer.js";

/** What a template set can get wrong. */
export type LintRule =
  | "not-renderable"
  | "unused-field"
  | "missing-bos"
  | "doubled-bos"
  | "answer-in-prompt"
  | "options-miss-target"
  | "trailing-white-space"
  | "end-not-supervised"
  | "end-as-text"
  | "response-not-exact"
  | "stray-placeholder"
  | "special-as-text";

/** A fault of one row. */
export interface Fault {
  readonly rule: LintRule;
  /** An "error" trains or scores something wrong; a "warning" is to be looked at. */
  readonly severity: "error" | "warning";
  readonly excerpt: string;
  readonly cure: string;
}

/** A row under the template. */
export interface LintedRow {
  readonly example: Example;
  readonly template: Template;
  readonly tokenizer: Tokenizer;
  readonly prompt: readonly Segment[];
  readonly response: readonly Segment[];
}

/** All that is wrong with one row. @throws KitError where the renderer does */
export function faultsOfRow(row: LintedRow): Fault[] {
  return [
    ...answerInPrompt(row),
    ...optionsMissTarget(row),
    ...trailingWhiteSpace(row),
    ...strayPlaceholder(row),
    ...beginning(row),
    ...ending(row),
    ...tokenFaults(row),
  ];
}

/** The answer can be read off the prompt, as when a demonstration is the row itself. */
function answerInPrompt({ example, prompt, response }: LintedRow): Fault[] {
  const answer = normalizedInput(textOf(response.filter(({ source }) => source === "response")));
  const shown = prompt.filter(
    ({ source }) => source !== "input" && source !== "options" && source !== "instruction",
  );
  const demonstrations = demonstrationTexts(shown);
  const own = normalizedInput(example.input);
  const copy = demonstrations.find(
    (texts) => own !== "" && texts.includes(own) && texts.slice(texts.indexOf(own) + 1).includes(answer),
  );
  if (copy !== undefined) {
    return [
      {
        rule: "answer-in-prompt",
        severity: "error",
        excerpt: shorten(`${copy[0] ?? ""} -> ${answer}`),
        cure: "leave demonstrations out that are the row itself",
      },
    ];
  }
  // Short answers such as "yes" stand in many scaffolds by chance.
  const scaffold = normalizedInput(
    textOf(
      prompt.filter(({ source, demonstration }) => source === "scaffold" && demonstration === undefined),
    ),
  );
  if (answer.length < 12 || !scaffold.includes(answer)) return [];
  return [
    {
      rule: "answer-in-prompt",
      severity: "error",
      excerpt: shorten(answer),
      cure: "take the answer's field out of the template's prompt",
    },
  ];
}

/** The normalised texts of each demonstration, in order. */
function demonstrationTexts(segments: readonly Segment[]): string[][] {
  const texts: string[][] = [];
  for (const { text, source, demonstration } of segments) {
    if (source !== "demonstration" || demonstration === undefined) continue;
    (texts[demonstration] ??= []).push(normalizedInput(text));
  }
  return texts.filter((entry) => (entry as string[] | undefined) !== undefined);
}

/** Answers to choose from, without the right one among them. */
function optionsMissTarget({ example, prompt, response }: LintedRow): Fault[] {
  const shown = prompt.filter(({ source }) => source === "options").map(({ text }) => text);
  const options = shown.length > 0 ? shown : (example.options ?? []);
  if (options.length === 0) return [];
  const answers = response.filter(({ source }) => source === "response").map(({ text }) => text);
  const answer = answers.at(-1) ?? "";
  if (options.includes(answer)) return [];
  return [
    {
      rule: "options-miss-target",
      severity: shown.length > 0 ? "error" : "warning",
      excerpt: shorten(`${JSON.stringify(answer)} is not in ${JSON.stringify(options)}`),
      cure: "correct the options or the target, character by character; rank classification cannot score the row",
    },
  ];
}

/** White space before the answer: tokens of words begin with a blank, so the answer gets tokens of another kind. */
function trailingWhiteSpace({ prompt, response }: LintedRow): Fault[] {
  const before = textOf(prompt);
  const blank = /[ \t\u00a0]+$/.exec(before)?.[0];
  if (blank === undefined || /^\s/.test(textOf(response))) return [];
  return [
    {
      rule: "trailing-white-space",
      severity: "warning",
      excerpt: shorten(before.slice(-30)),
      cure: "end the prompt without a blank, or begin the response with it",
    },
  ];
}

/** Braces that were meant as a place for a field: text of the template, not of the row. */
function strayPlaceholder({ prompt, response }: LintedRow): Fault[] {
  // A field that was filled between braces: "{{input}}" in a pattern.
  const text = [...prompt, ...response]
    .map((part) => (part.source === "scaffold" ? part.text : "field"))
    .join("");
  const stray = /\{\{[^{}]*\}\}|\{%.*?%\}|\{[A-Za-z_]\w*\}/s.exec(text)?.[0];
  if (stray === undefined) return [];
  return [
    {
      rule: "stray-placeholder",
      severity: "error",
      excerpt: shorten(stray),
      cure: "correct the placeholder's name or its braces",
    },
  ];
}

/** A BOS that the template wants and the tokenizer has not, or that stands in the text besides that of the renderer. */
function beginning({ tokenizer, prompt }: LintedRow): Fault[] {
  const { bos } = tokenizer.special;
  const wanted = prompt.find(({ token }) => token === "bos");
  if (bos === undefined) {
    if (wanted === undefined) return [];
    return [
      {
        rule: "missing-bos",
        severity: "error",
        excerpt: `the template begins with ${wanted.text}, and the tokenizer has no BOS`,
        cure: "use a tokenizer with a BOS",
      },
    ];
  }
  const text = tokenizer.tokenText(bos);
  if (!prompt.some((segment) => segment.source === "scaffold" && segment.text.includes(text))) return [];
  return [
    {
      rule: "doubled-bos",
      severity: "error",
      excerpt: `the template's text says ${text}`,
      cure: "take it out of the template: the renderer writes the one BOS",
    },
  ];
}

/** An end of text that is spelled out: the model learns its characters, and then the real end. */
function ending({ tokenizer, template, response }: LintedRow): Fault[] {
  const ends = [tokenizer.tokenText(tokenizer.special.eos), ...template.stop];
  const written = textOf(response.filter(({ source }) => source !== "special"));
  const end = ends.find((text) => written.includes(text));
  if (end === undefined) return [];
  return [
    {
      rule: "end-as-text",
      severity: "error",
      excerpt: shorten(written.slice(-60)),
      cure: `strip ${end} from the answers: the renderer writes the end`,
    },
  ];
}

/** Faults that can be seen in the ids only. */
function tokenFaults({ example, template, tokenizer, response }: LintedRow): Fault[] {
  const outcome = renderSpans(example, template, tokenizer, {
    maxTokens: Number.MAX_SAFE_INTEGER,
    overlong: "drop",
    lossOn: "response",
  });
  if (outcome.kind === "dropped") {
    return [
      {
        rule: "response-not-exact",
        severity: "error",
        excerpt: `the row is dropped: ${outcome.reason}`,
        cure: "give the row an answer that the tokenizer can write",
      },
    ];
  }
  const { ids, supervised, promptLength } = outcome.spans;
  const faults: Fault[] = [];
  if (ids.at(-1) !== endToken(template, tokenizer) || supervised.at(-1) !== true) {
    const end = ids.slice(-4).map((id) => tokenizer.tokenText(id));
    faults.push({
      rule: "end-not-supervised",
      severity: "error",
      excerpt: shorten(end.join("")),
      cure: "end each answer in the EOS or the template's stop token, or generation never stops",
    });
  }
  const written = textOf(response.filter(({ source }) => source !== "special"));
  const trained = tokenizer.decode(ids.slice(promptLength));
  if (trained !== written && trained !== written + (template.stopToken ?? "")) {
    faults.push({
      rule: "response-not-exact",
      severity: "error",
      excerpt: shorten(trained),
      cure: "use a tokenizer that gives texts back as they are",
    });
  }
  if (outcome.plainSpecials.length > 0) {
    faults.push({
      rule: "special-as-text",
      severity: "warning",
      excerpt: [...new Set(outcome.plainSpecials)].join(" "),
      cure: "add these tokens to the tokenizer, or know that they are several tokens each",
    });
  }
  return faults;
}

/** The segments' text. */
export function textOf(segments: readonly Segment[]): string {
  return segments.map(({ text }) => text).join("");
}

/** A text as an excerpt: one line of at most 100 characters. */
export function shorten(text: string): string {
  const line = JSON.stringify(text).slice(1, -1);
  return line.length > 100 ? `${line.slice(0, 97)}...` : line;
}
