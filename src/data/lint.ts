import { KitError } from "../support/errors.js";
import type { Example } from "./example.js";
import { type Fault, faultsOfRow, type LintedRow, type LintRule, shorten, textOf } from "./lint-rules.js";
import type { Message, Segment, Template } from "./template.js";
import type { Tokenizer } from "./tokenizer.js";

export type { LintRule } from "./lint-rules.js";

/** One fault, where it was first seen, and on how many rows. */
export interface LintFinding {
  readonly rule: LintRule;
  /** An "error" trains or scores something wrong; a "warning" is to be looked at. */
  readonly severity: Fault["severity"];
  /** Id of the first row. */
  readonly row: string;
  /** Rows with the fault. */
  readonly rows: number;
  readonly excerpt: string;
  readonly cure: string;
}

/** What was looked at and what was found, errors first. */
export interface LintReport {
  readonly template: string;
  readonly rows: number;
  readonly findings: readonly LintFinding[];
}

/**
 * Renders rows under a template and looks for what real template sets got wrong. Nothing is changed.
 * @param examples rows that the template is meant for
 */
export function lintTemplate(
  template: Template,
  examples: readonly Example[],
  tokenizer: Tokenizer,
): LintReport {
  const found = new Map<string, LintFinding>();
  const report = (fault: Fault, row: string): void => {
    const key = JSON.stringify([fault.rule, fault.severity, fault.cure]);
    const known = found.get(key);
    found.set(key, known === undefined ? { ...fault, row, rows: 1 } : { ...known, rows: known.rows + 1 });
  };
  const seen = new UsedFields();
  for (const example of examples) {
    try {
      for (const fault of faultsOf(example, template, tokenizer, seen)) report(fault, example.id);
    } catch (error) {
      if (!(error instanceof KitError)) throw error;
      report(faultOfError(error), example.id);
    }
  }
  for (const fault of seen.faults()) report(fault, fault.row);
  const order = { error: 0, warning: 1 };
  const findings = [...found.values()].sort(
    (a, b) => order[a.severity] - order[b.severity] || b.rows - a.rows,
  );
  return { template: template.name, rows: examples.length, findings };
}

function faultsOf(
  example: Example,
  template: Template,
  tokenizer: Tokenizer,
  seen: UsedFields,
): readonly Fault[] {
  const messages = template.render(example);
  const row: LintedRow = {
    example,
    template,
    tokenizer,
    prompt: segmentsOf(messages.slice(0, -1)),
    response: segmentsOf(messages.slice(-1)),
  };
  seen.add(row);
  return faultsOfRow(row);
}

function faultOfError(error: KitError): Fault {
  const problem = error.message.replace(/ To mend it: .*$/s, "");
  if (problem.includes("BOS") && problem.includes("a second time"))
    return { rule: "doubled-bos", severity: "error", excerpt: problem, cure: error.cure };
  return { rule: "not-renderable", severity: "error", excerpt: problem, cure: error.cure };
}

/** Fields that rows have and no rendering shows. */
class UsedFields {
  readonly #given = new Map<string, { readonly row: string; readonly text: string }>();
  readonly #used = new Set<string>();

  add({ example, template, prompt, response }: LintedRow): void {
    const text = textOf([...prompt, ...response]);
    const fields: Readonly<Record<string, string | undefined>> = {
      ...(template.format === "ift" ? { instruction: example.instruction } : {}),
      input: example.input,
      output: example.outputs[0],
    };
    for (const [name, value] of Object.entries(fields)) {
      if (value === undefined || value.trim() === "") continue;
      if (!this.#given.has(name)) this.#given.set(name, { row: example.id, text: value });
      if (text.includes(value.trim())) this.#used.add(name);
    }
  }

  faults(): (Fault & { readonly row: string })[] {
    return [...this.#given]
      .filter(([name]) => !this.#used.has(name))
      .map(([name, { row, text }]) => ({
        rule: "unused-field",
        severity: "warning",
        row,
        excerpt: `${name}: ${shorten(text)}`,
        cure: `show {${name}}, or leave the field out of the data`,
      }));
  }
}

function segmentsOf(messages: readonly Message[]): Segment[] {
  return messages.flatMap(({ segments }) => segments);
}
