import { type Look, lookAt, lookText, lookTextSideBySide, type LookPiece, wantsColor } from "../data/look.js";
import type { Spans } from "../data/spans.js";
import type { Source } from "../data/template.js";
import type { Tokenizer } from "../data/tokenizer.js";
import { show } from "./display.js";
import { escapeHtml } from "./display-table.js";
import { kernelBridge, type MimeBundle } from "./kernel-bridge.js";

/**
 * Shows one rendered row below the cell, or in the terminal: what the loss is on is coloured and underlined, every piece says
 * where it comes from.
 * @param title such as the template's name
 */
export function look(spans: Spans, tokenizer: Tokenizer, title = spans.id): void {
  show(lookBundle([lookAt(spans, tokenizer, title)]));
}

/** Shows one row under two templates beside each other, such as SFT and IFT. */
export function lookSideBySide(
  left: { readonly spans: Spans; readonly title: string },
  right: { readonly spans: Spans; readonly title: string },
  tokenizer: Tokenizer,
): void {
  show(lookBundle([left, right].map(({ spans, title }) => lookAt(spans, tokenizer, title))));
}

/** Rows as HTML, beside each other, and as text. */
export function lookBundle(looks: readonly Look[]): MimeBundle {
  const inNotebook = kernelBridge() !== undefined;
  const format = {
    color: !inNotebook && wantsColor(process.stdout, process.env),
    width: inNotebook ? 100 : process.stdout.columns || 100,
  };
  const [left, right, ...more] = looks;
  const plain =
    left !== undefined && right !== undefined && more.length === 0
      ? lookTextSideBySide(left, right, format)
      : looks.map((one) => lookText(one, format)).join("\n\n");
  return { "text/html": lookHtml(looks), "text/plain": plain };
}

/**
 * Colours of the sources, as tints over the page's own ground: the text keeps the page's colour, so that it is readable on
 * light and on dark pages.
 */
const TINTS: Readonly<Record<Source, string>> = {
  scaffold: "rgba(128,128,128,0.10)",
  special: "rgba(128,128,128,0.35)",
  instruction: "rgba(0,150,200,0.22)",
  input: "rgba(220,160,0,0.22)",
  options: "rgba(70,90,240,0.22)",
  demonstration: "rgba(190,60,190,0.20)",
  history: "rgba(70,90,240,0.16)",
  response: "rgba(0,170,80,0.30)",
};

function lookHtml(looks: readonly Look[]): string {
  const columns = looks.map(
    ({ title, pieces, tokens, supervised }) =>
      `<div style="flex:1;min-width:18em"><b>${escapeHtml(title)}</b>` +
      `<div style="opacity:0.75">${tokens} tokens, ${supervised} supervised</div>` +
      `<pre style="white-space:pre-wrap;overflow-wrap:anywhere;background:transparent;color:inherit;line-height:1.6">${pieces.map(pieceHtml).join("")}</pre></div>`,
  );
  const sources = [...new Set(looks.flatMap(({ pieces }) => pieces.map(({ source }) => source)))];
  const legend = sources.map((source) => `<span style="${tint(source)}">${source}</span>`).join(" ");
  return (
    `<div style="display:flex;gap:1.5em;flex-wrap:wrap">${columns.join("")}</div>` +
    `<div style="font-size:90%">${legend} <span style="${TARGET}">underlined: the loss is on it</span></div>`
  );
}

const TARGET = "border-bottom:2px solid rgb(0,150,70)";

function pieceHtml({ text, source, supervised, tokens }: LookPiece): string {
  const title = `${source}, ${tokens} token${tokens === 1 ? "" : "s"}${supervised ? ", supervised" : ""}`;
  const style = tint(supervised && source !== "special" ? "response" : source);
  return `<span title="${title}" style="${style}${supervised ? `;${TARGET}` : ""}">${escapeHtml(text)}</span>`;
}

function tint(source: Source): string {
  return `background:${TINTS[source]};padding:1px 0`;
}
