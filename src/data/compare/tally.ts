import { type DiversityOptions, instructionDiversity } from "../diversity/index.js";
import type { Example } from "../example.js";
import { LedgerBuilder, type LedgerLine } from "../ledger.js";
import type { Source, Template } from "../template.js";
import type { Tokenizer } from "../tokenizer.js";
import { labelBalance } from "./labels.js";
import { distributionOf } from "./lengths.js";
import { type FormatOutcome, type Formats, isRendered, type Pair } from "./pair.js";
import type { BudgetFactors, FormatNumbers, TaskTypeComparison } from "./types.js";

/** Counts of one format, for the rows of one task type. */
interface FormatCounts {
  readonly ledger: LedgerBuilder;
  readonly alone: { rows: number; supervisedTokens: number; totalTokens: number };
  readonly bySource: Partial<Record<Source, number>>;
  readonly instructions: Set<string>;
}

/** Adds up rows of one task type (or all), row by row; the tokens of a row are not kept. */
export class Tally {
  readonly #taskType: string;
  readonly #formats: Formats;
  readonly #counts: readonly FormatCounts[];
  readonly #examples: Example[] = [];
  readonly #outputTokens: number[] = [];
  readonly #outputCharacters: number[] = [];
  #cutUnequally = 0;

  constructor(taskType: string, formats: Formats) {
    this.#taskType = taskType;
    this.#formats = formats;
    this.#counts = Object.keys(formats).map(() => ({
      ledger: new LedgerBuilder(),
      alone: { rows: 0, supervisedTokens: 0, totalTokens: 0 },
      bySource: {},
      instructions: new Set(),
    }));
  }

  add(
    example: Example,
    { alone, outcomes }: Pair,
    instructions: readonly string[],
    outputTokens: number | undefined,
  ): void {
    this.#examples.push(example);
    const [output] = example.outputs;
    if (output !== undefined && outputTokens !== undefined) {
      this.#outputTokens.push(outputTokens);
      this.#outputCharacters.push(Array.from(output).length);
    }
    this.#counts.forEach((counts, index) => {
      const outcome = outcomes[index];
      if (outcome === undefined) return;
      counts.ledger.add(this.#taskType, outcome);
      countAlone(counts, alone[index]);
      if (!isRendered(outcome)) return;
      for (const source of outcome.spans.source) counts.bySource[source] = (counts.bySource[source] ?? 0) + 1;
      const shown = instructions[index] ?? "";
      if (shown !== "") counts.instructions.add(shown);
    });
    const cuts = new Set(outcomes.filter(isRendered).map(({ cut }) => cut));
    if (cuts.size > 1) this.#cutUnequally++;
  }

  result(options: DiversityOptions): TaskTypeComparison {
    const lines = this.#counts.map(({ ledger }) => ({ ...ledger.build().total, taskType: this.#taskType }));
    const [base] = lines;
    return {
      taskType: this.#taskType,
      tasks: new Set(this.#examples.map(({ task }) => task)).size,
      rowsIn: this.#examples.length,
      rows: base?.rendered ?? 0,
      cutUnequally: this.#cutUnequally,
      formats: Object.keys(this.#formats).flatMap((format, index) => {
        const [counts, line] = [this.#counts[index], lines[index]];
        if (counts === undefined || line === undefined || base === undefined) return [];
        return [formatNumbers(format, counts, line, base, options)];
      }),
      outputTokens: distributionOf(this.#outputTokens) ?? null,
      outputCharacters: distributionOf(this.#outputCharacters) ?? null,
      labels: labelBalance(this.#examples) ?? null,
    };
  }
}

function countAlone({ alone }: FormatCounts, outcome: FormatOutcome | undefined): void {
  if (outcome === undefined || !isRendered(outcome)) return;
  alone.rows++;
  alone.totalTokens += outcome.spans.ids.length;
  for (const target of outcome.spans.supervised) alone.supervisedTokens += target ? 1 : 0;
}

function formatNumbers(
  format: string,
  { alone, bySource, instructions }: FormatCounts,
  line: LedgerLine,
  base: LedgerLine,
  options: DiversityOptions,
): FormatNumbers {
  return {
    format,
    ...line,
    alone,
    supervisedShare: line.totalTokens === 0 ? null : line.supervisedTokens / line.totalTokens,
    tokensBySource: bySource,
    budget: budgetFactors(line, base),
    diversity: instructions.size === 0 ? null : instructionDiversity(instructions, options),
  };
}

function budgetFactors(line: LedgerLine, base: LedgerLine): BudgetFactors | null {
  if (line.rendered === 0) return null;
  return {
    rowsAtSameSupervisedTokens: base.supervisedTokens / line.supervisedTokens,
    rowsAtSameTotalTokens: base.totalTokens / line.totalTokens,
    rowsAtSameSteps: 1,
    extraTokensPerRow: (line.totalTokens - base.totalTokens) / line.rendered,
  };
}

/** The instruction as a template shows it: the segments that it marks so. */
export function shownInstruction(example: Example, template: Template): string {
  return template
    .render(example)
    .flatMap(({ segments }) => segments)
    .filter(({ source, demonstration }) => source === "instruction" && demonstration === undefined)
    .map(({ text }) => text)
    .join(" ");
}

/** Tokens of the first reference by itself. */
export function outputLength(example: Example, tokenizer: Tokenizer): number | undefined {
  const [output] = example.outputs;
  return output === undefined ? undefined : tokenizer.encode(output).ids.length;
}
