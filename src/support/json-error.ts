const SPACE = /[ \t\n\r]*/y;
const SCALAR =
  /"(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/uy;

/**
 * Where a text stops being JSON: the offset of the first character that cannot stand there (the length of the text when
 * it breaks off), or undefined when it is JSON. JavaScript's own parser names the place only in some versions.
 */
export function jsonErrorOffset(text: string): number | undefined {
  const open: ("{" | "[")[] = [];
  let at = 0;
  /** What may come next. */
  let expected: "value" | "value or end" | "key" | "key or end" | "comma or end" = "value";
  const skip = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    at += found?.length ?? 0;
    return found;
  };
  for (;;) {
    skip(SPACE);
    const character = text[at];
    if (expected === "comma or end") {
      const container = open.at(-1);
      if (container === undefined) return at < text.length ? at : undefined;
      if (character === ",") expected = container === "{" ? "key" : "value";
      else if (character === (container === "{" ? "}" : "]")) open.pop();
      else return at;
      at++;
    } else if (expected === "key" || expected === "key or end") {
      if (expected === "key or end" && character === "}") {
        at++;
        open.pop();
        expected = "comma or end";
        continue;
      }
      if (character !== '"' || skip(SCALAR) === undefined) return at;
      skip(SPACE);
      if (text[at] !== ":") return at;
      at++;
      expected = "value";
    } else if (expected === "value or end" && character === "]") {
      at++;
      open.pop();
      expected = "comma or end";
    } else if (character === "{" || character === "[") {
      at++;
      open.push(character);
      expected = character === "{" ? "key or end" : "value or end";
    } else {
      if (skip(SCALAR) === undefined) return at;
      expected = "comma or end";
    }
  }
}
