import { KitError } from "../support/errors.js";
import { normalizedInput } from "./few-shot.js";
import type { LintFinding } from "./lint.js";
import { type Fault, shorten } from "./lint-rules.js";
import { promptSourceName, type PromptSourceTemplate, PromptSourceWriter } from "./templates/promptsource.js";

/** A raw row of a data set, and its name for messages. */
export interface RawRow {
  readonly id: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What a PromptSource template does with some rows. */
export interface PromptSourceLintReport {
  readonly template: string;
  readonly rows: number;
  /** Rows that the template passes over because their target is empty. */
  readonly passedOver: number;
  readonly findings: readonly LintFinding[];
}

/**
 * Applies a PromptSource template to raw rows and looks for variables that no row has, answers that stand in the prompt,
 * choices that miss the target, and braces that were left over.
 */
export function lintPromptSource(
  template: PromptSourceTemplate,
  rows: readonly RawRow[],
): PromptSourceLintReport {
  const found = new Map<string, LintFinding>();
  const report = ({ rule, severity, excerpt, cure }: Fault, row: string): void => {
    const known = found.get(rule + cure);
    found.set(
      rule + cure,
      known === undefined
        ? { rule, severity, row, rows: 1, excerpt, cure }
        : { ...known, rows: known.rows + 1 },
    );
  };
  let passedOver = 0;
  try {
    const writer = new PromptSourceWriter(template);
    for (const { id, fields } of rows) {
      const faults = faultsOf(writer, { id, fields });
      if (faults === undefined) passedOver++;
      else for (const fault of faults) report(fault, id);
    }
  } catch (error) {
    report(faultOfError(error), rows[0]?.id ?? "");
  }
  return {
    template: promptSourceName(template),
    rows: rows.length,
    passedOver,
    findings: [...found.values()],
  };
}

/** Undefined for a row that the template passes over. */
function faultsOf(writer: PromptSourceWriter, { id, fields }: RawRow): Fault[] | undefined {
  const unknown = [...writer.fields()].filter((name) => !(name in fields));
  const undefinedVariables = unknown.map((name): Fault => ({
    rule: "stray-placeholder",
    severity: "error",
    excerpt: `{{${name}}}`,
    cure: `the row has no field "${name}", so nothing stands in its place: correct the template or the row`,
  }));
  try {
    const text = writer.apply(fields, { seed: 0, id });
    if (text === undefined) return undefined;
    const { prompt, target, choices } = text;
    const answer = normalizedInput(target);
    return [
      ...undefinedVariables,
      ...(choices !== undefined && !choices.includes(target)
        ? [
            fault(
              "options-miss-target",
              "warning",
              `"${target}" is not in ${JSON.stringify(choices)}`,
              "make the target one of the answer choices, or rank classification cannot score it",
            ),
          ]
        : []),
      ...(choices === undefined && answer.length >= 12 && normalizedInput(prompt).includes(answer)
        ? [
            fault(
              "answer-in-prompt",
              "warning",
              target,
              "know that the answer can be copied from the prompt (as in extractive tasks), or take its field out",
            ),
          ]
        : []),
      ...(/\{\{|\}\}|\{%|%\}/.test(prompt + target)
        ? [fault("stray-placeholder", "error", prompt.slice(0, 60), "correct the braces")]
        : []),
    ];
  } catch (error) {
    return [...undefinedVariables, faultOfError(error)];
  }
}

function fault(rule: Fault["rule"], severity: Fault["severity"], excerpt: string, cure: string): Fault {
  return { rule, severity, excerpt: shorten(excerpt), cure };
}

function faultOfError(error: unknown): Fault {
  if (!(error instanceof KitError)) throw error;
  return fault("not-renderable", "error", error.message.replace(/ To mend it: .*$/s, ""), error.cure);
}
