import type { Spans } from "./spans.js";
import type { Source } from "./template.js";
import type { Tokenizer } from "./tokenizer.js";

/** Neighbouring tokens of one row that come from one place and are all targets, or all not. */
export interface LookPiece {
  readonly text: string;
  readonly source: Source;
  readonly supervised: boolean;
  readonly tokens: number;
}

/** One rendered row, ready to be shown. */
export interface Look {
  readonly title: string;
  readonly pieces: readonly LookPiece[];
  readonly tokens: number;
  readonly supervised: number;
}

/** How a look is written. */
export interface LookFormat {
  /** ANSI colours, or signs alone. */
  readonly color: boolean;
  /** Characters of a line. */
  readonly width: number;
}

/** Cuts a rendered row into pieces. @param title such as the template's name */
export function lookAt(spans: Spans, tokenizer: Tokenizer, title: string): Look {
  const pieces: LookPiece[] = [];
  let start = 0;
  for (let at = 1; at <= spans.ids.length; at++) {
    const same = spans.source[at] === spans.source[start] && spans.supervised[at] === spans.supervised[start];
    if (same && at < spans.ids.length && spans.source[at] !== "special") continue;
    const ids = spans.ids.slice(start, at);
    const source = spans.source[start] ?? "scaffold";
    pieces.push({
      text: source === "special" ? ids.map((id) => tokenizer.tokenText(id)).join("") : tokenizer.decode(ids),
      source,
      supervised: spans.supervised[start] === true,
      tokens: ids.length,
    });
    start = at;
  }
  return {
    title,
    pieces,
    tokens: spans.ids.length,
    supervised: spans.supervised.filter(Boolean).length,
  };
}

/**
 * A row for the terminal: one paragraph a piece, with where it comes from. A star stands before what the loss is on, so that
 * nothing is told by colour alone.
 *
 *       special      <|bos|>
 *       scaffold     Input:·
 *       input        Great movie!
 *     * response     Positive
 */
export function lookText(look: Look, format: LookFormat): string {
  return lookLines(look, format)
    .map(({ text, style }) => styled(text, style, format.color))
    .join("\n");
}

/** Two rows in two columns. Where the terminal is too narrow for that, one below the other. */
export function lookTextSideBySide(left: Look, right: Look, format: LookFormat): string {
  const width = Math.floor((format.width - 3) / 2);
  if (width < 36) return [left, right].map((look) => lookText(look, format)).join("\n\n");
  const columns = [left, right].map((look) => lookLines(look, { ...format, width }));
  const height = Math.max(...columns.map(({ length }) => length));
  return Array.from({ length: height }, (_, row) =>
    columns
      .map((lines, column) => {
        const { text, style } = lines[row] ?? { text: "", style: "" };
        const padding = column === 0 ? " ".repeat(Math.max(0, width - lengthOf(text))) : "";
        return styled(text, style, format.color) + padding;
      })
      .join(" | ")
      .trimEnd(),
  ).join("\n");
}

/** Whether a stream gets colours: a terminal, unless NO_COLOR is set (https://no-color.org). */
export function wantsColor(
  stream: { readonly isTTY?: boolean },
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  return stream.isTTY === true && (environment.NO_COLOR ?? "") === "";
}

interface Line {
  readonly text: string;
  /** ANSI parameters; none for plain text. */
  readonly style: string;
}

/** ANSI colours that are readable on dark and on light grounds. */
const STYLES: Readonly<Record<Source, string>> = {
  scaffold: "2",
  special: "2;3",
  instruction: "36",
  input: "33",
  options: "34",
  demonstration: "35",
  history: "34",
  response: "32",
};

const LABEL = 15;

function lookLines({ title, pieces, tokens, supervised }: Look, { width }: LookFormat): Line[] {
  const head: Line[] = [
    { text: cut(title, width), style: "1" },
    { text: cut(`${tokens} tokens, ${supervised} supervised (*)`, width), style: "2" },
  ];
  const body = pieces.flatMap((piece) =>
    wrap(visible(piece.text), Math.max(8, width - LABEL)).map((text, index): Line => {
      const mark = piece.supervised ? "*" : " ";
      const label = index === 0 ? `${mark} ${piece.source}`.padEnd(LABEL) : mark.padEnd(LABEL);
      return { text: label + text, style: piece.supervised ? "1;32" : STYLES[piece.source] };
    }),
  );
  return [...head, ...body];
}

/** Control characters and the blanks at the ends of a text, which would not be seen. Line ends stay. */
function visible(text: string): string {
  return (
    text
      .replace(/\r/g, "␍")
      .replace(/\t/g, "␉")
      // Escape sequences in a row must not reach the terminal.
      .replace(/(?!\n)\p{Cc}/gu, "\ufffd")
      .replace(/^ +| +$/g, (blanks) => "·".repeat(blanks.length))
  );
}

/** Lines of at most `width` characters; an empty line shows where the text has a line end. */
function wrap(text: string, width: number): string[] {
  return text.split("\n").flatMap((line, index, all) => {
    const shown = index < all.length - 1 ? `${line}↵` : line;
    if (shown === "" && all.length > 1) return [];
    const characters = Array.from(shown);
    const count = Math.max(1, Math.ceil(characters.length / width));
    return Array.from({ length: count }, (_, part) =>
      characters.slice(part * width, (part + 1) * width).join(""),
    );
  });
}

function cut(text: string, width: number): string {
  const characters = Array.from(text);
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join("")}…`;
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}

function styled(text: string, style: string, color: boolean): string {
  return color && style !== "" && text !== "" ? `\u001b[${style}m${text}\u001b[0m` : text;
}
