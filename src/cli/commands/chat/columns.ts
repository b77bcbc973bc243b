/** A text with its heading. */
export interface Column {
  readonly title: string;
  readonly text: string;
}

const GAP = "  │  ";

/** Texts beside each other, wrapped at blanks. @param width of a line, in characters */
export function sideBySide(columns: readonly Column[], width: number): string[] {
  const room = Math.max(8, Math.floor((width - GAP.length * (columns.length - 1)) / columns.length));
  const wrapped = columns.map(({ title, text }) => [
    ...wrap(title, room),
    "─".repeat(room),
    ...wrap(text, room),
  ]);
  const height = Math.max(...wrapped.map(({ length }) => length));
  return Array.from({ length: height }, (_, line) =>
    wrapped
      .map((lines) => padded(lines[line] ?? "", room))
      .join(GAP)
      .trimEnd(),
  );
}

function wrap(text: string, width: number): string[] {
  return text.split("\n").flatMap((line) => wrapLine(line, width));
}

function wrapLine(line: string, width: number): string[] {
  const lines: string[] = [];
  let rest = Array.from(line);
  while (rest.length > width) {
    const blank = rest.lastIndexOf(" ", width);
    const end = blank > 0 ? blank : width;
    lines.push(rest.slice(0, end).join(""));
    rest = rest.slice(blank > 0 ? end + 1 : end);
  }
  return [...lines, rest.join("")];
}

function padded(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - Array.from(text).length));
}
