import { type Column, sideBySide } from "./columns.js";

/** What a stream of the process is to a chat. */
export interface OutStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

/** Where answers and notes go. */
export interface ChatScreen {
  /** Writes a piece of an answer. */
  piece(text: string): void;
  /** Ends an answer. */
  endOfAnswer(): void;
  /** Shows answers beside each other; again and again while they grow, and once when they are `whole`. */
  columns(columns: readonly Column[], whole: boolean): void;
  /** Says something about the chat. */
  note(text: string): void;
}

/** Where the size is not known: of a pipe, and of a terminal that says 0. */
const DEFAULT_SIZE = { columns: 100, rows: 24 };

/** The answers on one stream and the notes on another, so that a pipe gets the answers alone. */
export function chatScreen(out: OutStream, notes: OutStream): ChatScreen {
  const live = out.isTTY === true;
  let drawn = 0;
  return {
    piece: (text) => out.write(live ? withoutControls(text) : text),
    endOfAnswer: () => out.write("\n"),
    columns: (columns, whole) => {
      if (!live && !whole) return;
      const shown = live
        ? columns.map(({ title, text }) => ({ title, text: withoutControls(text) }))
        : columns;
      const width = knownSize(out.columns, DEFAULT_SIZE.columns);
      const height = knownSize(out.rows, DEFAULT_SIZE.rows);
      const lines = sideBySide(shown, width);
      // What has left the screen cannot be drawn again: its last lines, until it is whole.
      const visible = whole ? lines : lines.slice(-Math.max(1, height - 2));
      out.write(`${drawn === 0 ? "" : `\u001b[${drawn}F\u001b[0J`}${visible.join("\n")}\n`);
      drawn = whole ? 0 : visible.length;
    },
    note: (text) => notes.write(`${text}\n`),
  };
}

function knownSize(said: number | undefined, otherwise: number): number {
  return said === undefined || said === 0 ? otherwise : said;
}

/** A model can write what a terminal takes for commands. */
function withoutControls(text: string): string {
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "\uFFFD");
}
