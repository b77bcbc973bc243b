import type { Segment } from "../template.js";

/** A text that goes into a template, and what its segment will say. */
export type Slot = Segment & {
  /** Whether the template may take white space from the ends of the text (row text), or not (special tokens). */
  readonly trimmable: boolean;
};

/** A stretch of a rendered text: the template's own, or that of a slot. */
export interface AlignedPiece {
  readonly text: string;
  /** Index of the slot; undefined for the template's own text. */
  readonly slot?: number;
}

/** Beginning and end of a mark: private-use characters that no text of a row may have. */
const OPEN = "\uE000";
const CLOSE = "\uE001";

/** What stands for a slot while the template is rendered a second time. */
export function markOf(slot: number): string {
  return `${OPEN}${slot}${CLOSE}`;
}

/** Whether a text could be taken for a mark. */
export function hasMark(text: string): boolean {
  return text.includes(OPEN) || text.includes(CLOSE);
}

/**
 * Where each slot's text stands in a rendered text. The template is rendered twice: with the texts, and with marks in
 * their place. What stands between the marks is the template's own text, so nothing is searched for in what a row says:
 * a row may say `<|im_end|>`, or repeat the answer.
 * @param marked the template rendered with `markOf(index)` for each slot
 * @param text the template rendered with the slots' texts
 * @returns undefined where the two do not agree: the template changes a text, or decides by what it says
 */
export function align(marked: string, text: string, slots: readonly Slot[]): AlignedPiece[] | undefined {
  const parts = marked.split(new RegExp(`${OPEN}(\\d+)${CLOSE}`, "u"));
  const pieces: AlignedPiece[] = [];
  const match = (part: number, at: number): boolean => {
    const own = parts[part] ?? "";
    if (!text.startsWith(own, at)) return false;
    const kept = pieces.length;
    if (own !== "") pieces.push({ text: own });
    const behind = at + own.length;
    if (part === parts.length - 1) {
      if (behind === text.length) return true;
      pieces.length = kept;
      return false;
    }
    const slot = Number(parts[part + 1]);
    for (const form of formsOf(slots[slot])) {
      if (!text.startsWith(form, behind)) continue;
      pieces.push({ text: form, slot });
      if (match(part + 2, behind + form.length)) return true;
      pieces.pop();
    }
    pieces.length = kept;
    return false;
  };
  return match(0, 0) ? pieces : undefined;
}

/** What a template may make of a text: itself, or itself without white space at its ends. */
function formsOf(slot: Slot | undefined): readonly string[] {
  if (slot === undefined) return [];
  const { text, trimmable } = slot;
  if (!trimmable || text.trim() === text) return [text];
  return [...new Set([text, text.trim(), text.trimEnd(), text.trimStart()])];
}
