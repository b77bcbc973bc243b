import { createHash } from "node:crypto";
import { KitError } from "../support/errors.js";
import { readTextFile, writeFileAtomic } from "../support/files.js";
import { KERNEL_NAME, KERNEL_TITLE } from "./environment.js";

/** A cell as written in the source. */
export interface SourceCell {
  readonly kind: "markdown" | "code";
  readonly text: string;
}

const CELL_MARK = /^\/\/ %%(.*)$/;

/**
 * Splits a notebook written as one TypeScript file: a line `// %%` starts a code cell, a line `// %% [markdown]` a cell
 * of text whose lines all begin with `//`.
 * @throws KitError when the file does not start with a cell, or a text line is not a comment
 */
export function parseCells(source: string, file: string): SourceCell[] {
  const cells: { kind: SourceCell["kind"]; lines: string[] }[] = [];
  source.split("\n").forEach((line, index) => {
    const mark = CELL_MARK.exec(line);
    const current = cells.at(-1);
    if (mark !== null) {
      cells.push({ kind: mark[1]?.trim() === "[markdown]" ? "markdown" : "code", lines: [] });
    } else if (current === undefined) {
      if (line.trim() !== "") {
        const place = { file, line: index + 1 };
        throw new KitError("text before the first cell", "begin the file with a line `// %%`", place);
      }
    } else if (current.kind === "code" || line.trim() === "") {
      current.lines.push(line);
    } else if (line.startsWith("//")) {
      current.lines.push(line.replace(/^\/\/ ?/, ""));
    } else {
      const place = { file, line: index + 1 };
      throw new KitError("code in a text cell", "begin a code cell before it with a line `// %%`", place);
    }
  });
  return cells
    .map(({ kind, lines }) => ({ kind, text: lines.join("\n").replace(/^\n+|\s+$/g, "") }))
    .filter(({ text }) => text !== "");
}

/** A notebook (nbformat 4.5) without outputs, as JSON text. A cell's id depends on its own text alone. */
export function notebookText(cells: readonly SourceCell[]): string {
  const seen = new Map<string, number>();
  const notebook = {
    cells: cells.map(({ kind, text }) => {
      const hash = createHash("sha256").update(`${kind}\n${text}`).digest("hex").slice(0, 8);
      const repeat = seen.get(hash) ?? 0;
      seen.set(hash, repeat + 1);
      const common = {
        id: repeat === 0 ? hash : `${hash}-${repeat}`,
        metadata: {},
        source: sourceLines(text),
      };
      return kind === "markdown"
        ? { cell_type: kind, ...common }
        : { cell_type: kind, execution_count: null, ...common, outputs: [] };
    }),
    metadata: {
      kernelspec: { display_name: KERNEL_TITLE, language: "typescript", name: KERNEL_NAME },
      language_info: { file_extension: ".ts", mimetype: "text/typescript", name: "typescript" },
    },
    nbformat: 4,
    nbformat_minor: 5,
  };
  return `${JSON.stringify(notebook, null, 1)}\n`;
}

/** Makes a notebook from its TypeScript source; returns the number of cells. */
export function buildNotebook(sourcePath: string, notebookPath: string): number {
  const cells = parseCells(readTextFile(sourcePath), sourcePath);
  writeFileAtomic(notebookPath, notebookText(cells));
  return cells.length;
}

function sourceLines(text: string): string[] {
  const lines = text.split("\n");
  return lines.map((line, index) => (index < lines.length - 1 ? `${line}\n` : line));
}
