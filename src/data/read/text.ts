import { KitError } from "../../support/errors.js";
import type { Example } from "../example.js";
import { readTextLines } from "./container/lines.js";
import { LARGEST_RECORD } from "./container/record.js";
import type { Format, ReadRequest } from "./format.js";

/**
 * Plain text, to pre-train on: a row is a paragraph (what stands between blank lines), or a stretch of so many characters,
 * cut at white space. It has no instruction and no input: the text is the output, which is what the loss is taken over.
 */
export const textFormat: Format = {
  name: "text",
  looksLike: "a text file (.txt)",
  recognize: (sample) =>
    sample.kind === "text" && sample.extension === ".txt" ? "plain text, from the ending .txt" : undefined,
  read: readText,
};

async function* readText({
  path,
  name,
  collector,
  wantsTask,
  options,
}: ReadRequest): AsyncGenerator<Example> {
  if (!wantsTask(name)) return;
  const pieces = new TextPieces(options.textRows === "paragraph" ? undefined : options.textRows.characters);
  let number = 0;
  const take = ({ text, line }: TextPiece): Example | undefined => {
    number++;
    const row = { id: `${name}-${number}`, task: name, taskType: name, input: "", source: name };
    return collector.take(row, [text], { file: path, line });
  };
  try {
    for await (const item of readTextLines(path)) {
      if ("problem" in item) {
        collector.drop("malformed", item.problem, "save the file as UTF-8", { file: path, line: item.line });
        continue;
      }
      for (const piece of pieces.add(item.text, item.line)) {
        const example = take(piece);
        if (example !== undefined) yield example;
      }
      if (pieces.waiting > LARGEST_RECORD)
        throw new KitError("a paragraph has more than 64 MiB", "read the file in stretches of characters", {
          file: path,
          line: item.line,
        });
    }
    for (const piece of pieces.end()) {
      const example = take(piece);
      if (example !== undefined) yield example;
    }
  } catch (error) {
    if (!(error instanceof KitError)) throw error;
    collector.dropFile(error);
  }
}

interface TextPiece {
  readonly text: string;
  /** Line where it begins. */
  readonly line: number;
}

/** Cuts lines of text into paragraphs or stretches. */
class TextPieces {
  readonly #characters: number | undefined;
  #lines: string[] = [];
  #first = 1;
  #length = 0;

  /** @param characters length of a stretch; paragraphs where left out */
  constructor(characters: number | undefined) {
    this.#characters = characters;
  }

  /** Characters that wait for the end of their piece. */
  get waiting(): number {
    return this.#length;
  }

  add(text: string, line: number): TextPiece[] {
    if (this.#characters === undefined && text.trim() === "") return this.end();
    if (this.#lines.length === 0) this.#first = line;
    this.#lines.push(text);
    this.#length += text.length + 1;
    return this.#characters === undefined ? [] : this.#cut(this.#characters, line);
  }

  end(): TextPiece[] {
    const text = this.#lines.join("\n");
    this.#lines = [];
    this.#length = 0;
    return text.trim() === "" ? [] : [{ text, line: this.#first }];
  }

  /** Takes whole stretches off the front, each up to the last white space in it (all of it where there is none). */
  #cut(characters: number, line: number): TextPiece[] {
    if (this.#length <= characters) return [];
    let rest = this.#lines.join("\n");
    const pieces: TextPiece[] = [];
    while (rest.length > characters) {
      const end = cutBefore(rest, characters);
      const text = rest.slice(0, end);
      if (text.trim() !== "") pieces.push({ text, line: this.#first });
      rest = rest.slice(end).replace(/^\s/, "");
      this.#first = line;
    }
    this.#lines = rest === "" ? [] : [rest];
    this.#length = rest.length + (rest === "" ? 0 : 1);
    return pieces;
  }
}

/** Where to cut a text that is longer than so many characters; never inside a character of two units. */
function cutBefore(text: string, characters: number): number {
  for (let at = characters; at > 0; at--) if (/\s/.test(text.charAt(at))) return at;
  const code = text.charCodeAt(characters);
  return code >= 0xdc00 && code <= 0xdfff ? Math.max(2, characters - 1) : characters;
}
