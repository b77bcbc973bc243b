import type { Proposed } from "./pipeline.js";
import type { Reason } from "./draft.js";
import type { TeacherReply } from "../teacher/teacher.js";

/** Beginnings by which a model says that it will not do what it is asked. */
const REFUSAL =
  /^\W*(?:(?:i(?:['’]m| am) )?(?:very |so |truly )?sorry\b|i apologi[sz]e\b|(?:unfortunately,? )?i (?:cannot|can['’]t|can not|am (?:not able|unable)|won['’]t|will not)\b|as an ai\b|i must decline\b)/i;

/** Whether a text refuses instead of answering. */
export function isRefusal(text: string): boolean {
  return REFUSAL.test(text);
}

/** What is wrong with a reply as a whole; whether it was cut off is for the reader of its parts to judge. */
export function replyProblem({ text, ending }: TeacherReply): Reason | undefined {
  if (ending === "not-taken") return "not-taken";
  if (ending === "refused") return "refused";
  if (text.trim() === "") return ending === "length" ? "truncated" : "empty-reply";
  return isRefusal(text) ? "refused" : undefined;
}

/** As `replyProblem`, for replies that are of use only as a whole. */
export function wholeReplyProblem(reply: TeacherReply): Reason | undefined {
  return replyProblem(reply) ?? (reply.ending === "length" ? "truncated" : undefined);
}

/** A proposal that is none. */
export function rejected(reason: Reason, text: string): Proposed {
  return { kind: "rejected", reason, text };
}

/** White space as single blanks, none at the ends. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

/** The items of a list with numbers, in order; what stands before the first number belongs to none. */
export function numberedItems(text: string): string[] {
  const parts = text.split(/^[ \t#*]*\d+\s?[.):][ \t*]*/m);
  return parts.slice(1).map((item) => item.trim());
}

/**
 * The parts of a text behind labels at the beginnings of lines ("Instruction: ..."), by label; of a label that comes twice
 * the first. Marks of emphasis around a label do not matter.
 */
export function labelledParts<Label extends string>(
  text: string,
  labels: readonly Label[],
): Partial<Record<Label, string>> {
  const parts: Partial<Record<Label, string>> = {};
  for (const { label, content } of labelledSections(text, labels)) parts[label] ??= content;
  return parts;
}

/** As `labelledParts`, all of them in their order. */
export function labelledSections<Label extends string>(
  text: string,
  labels: readonly Label[],
): { readonly label: Label; readonly content: string }[] {
  const mark = new RegExp(
    `^[ \\t>*#]*(?:\\d+\\s*[.)]\\s*)?(${labels.join("|")})(?:[ \\t]+\\d+)?[*]*[ \\t]*:[*]*`,
    "gim",
  );
  const found = [...text.matchAll(mark)];
  return found.flatMap((match, index) => {
    const label = labels.find((name) => name.toLowerCase() === match[1]?.toLowerCase());
    if (label === undefined) return [];
    const end = found[index + 1]?.index ?? text.length;
    return [{ label, content: text.slice(match.index + match[0].length, end).trim() }];
  });
}

/** Most openings that are tried as the beginning of a JSON value. */
const MOST_OPENINGS = 50;

/** The first JSON object or list in a text, whatever stands around it; undefined where there is none. */
export function jsonIn(text: string): unknown {
  let tried = 0;
  for (let at = text.search(/[[{]/); at >= 0 && tried < MOST_OPENINGS; tried++) {
    const end = closingOf(text, at);
    if (end !== undefined) {
      try {
        return JSON.parse(text.slice(at, end));
      } catch {
        // Brackets in running text: another may open JSON.
      }
    }
    const next = text.slice(at + 1).search(/[[{]/);
    at = next < 0 ? -1 : at + 1 + next;
  }
  return undefined;
}

/** Where the bracket that opens at a place is closed again; brackets in strings do not count. */
function closingOf(text: string, start: number): number | undefined {
  let depth = 0;
  let inString = false;
  for (let at = start; at < text.length; at++) {
    const character = text[at];
    if (inString) {
      if (character === "\\") at++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "{" || character === "[") depth++;
    else if ((character === "}" || character === "]") && --depth === 0) return at + 1;
  }
  return undefined;
}
