import { createHash } from "node:crypto";
import { canonicalJson, hashJson } from "../../support/hash.js";
import type { DiversityOptions, VerbObject } from "../diversity/index.js";
import type { Example } from "../example.js";
import type { RenderPolicy } from "../spans.js";
import type { Tokenizer } from "../tokenizer.js";
import { checkFormats, type FormatOutcome, type Formats, isRendered, renderPair } from "./pair.js";
import { outputLength, shownInstruction, Tally } from "./tally.js";
import type { FormatComparison, LeftOutRow } from "./types.js";

export type { Formats } from "./pair.js";
export type { LabelBalance } from "./labels.js";
export type { Distribution } from "./lengths.js";
export * from "./matched.js";
export type * from "./types.js";

export type CompareOptions = Omit<DiversityOptions, "known">;

const ALL = "(all)";
const LEFT_OUT_KEPT = 100;

/**
 * Renders the same rows in several formats and tells what differs, for each task type and in total. Nothing is trained;
 * `matchFormats` turns the same arguments into the inputs of runs.
 *
 *     compareFormats(examples, { sft: sftPlain, ift: iftDefinition }, tokenizer, policy)
 *
 * @throws KitError when fewer than two formats are given, or the tokenizer cannot write a reference
 */
export function compareFormats(
  examples: readonly Example[],
  formats: Formats,
  tokenizer: Tokenizer,
  policy: RenderPolicy,
  options: CompareOptions = {},
): FormatComparison {
  checkFormats(formats);
  const templates = Object.entries(formats);
  const total = new Tally(ALL, formats);
  const byTaskType = new Map<string, Tally>();
  const leftOut: LeftOutRow[] = [];
  for (const example of examples) {
    const { taskType } = example;
    const tally = byTaskType.get(taskType) ?? new Tally(taskType, formats);
    byTaskType.set(taskType, tally);
    const pair = renderPair(example, formats, tokenizer, policy);
    const paired = pair.outcomes.every(isRendered);
    const instructions = paired ? templates.map(([, template]) => shownInstruction(example, template)) : [];
    const length = outputLength(example, tokenizer);
    for (const one of [tally, total]) one.add(example, pair, instructions, length);
    if (!paired && leftOut.length < LEFT_OUT_KEPT)
      leftOut.push(leftOutRow(example, templates, pair.outcomes));
  }
  const known = new Map<string, VerbObject | undefined>();
  const shared = {
    dataHash: hashExamples(examples),
    tokenizer: { kind: tokenizer.kind, vocabularySize: tokenizer.vocabularySize, hash: tokenizer.hash },
    policy,
    formats: templates.map(([name, { name: template, format, hash }]) => ({
      name,
      template,
      kind: format,
      templateHash: hash,
    })),
  };
  return {
    version: 1,
    hash: hashJson(shared),
    ...shared,
    taskTypes: [...byTaskType]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, tally]) => tally.result({ ...options, known })),
    total: total.result({ ...options, known }),
    leftOut,
  };
}

/** SHA-256 of all fields of all rows, in order. */
export function hashExamples(examples: Iterable<Example>): string {
  const hash = createHash("sha256");
  for (const example of examples) hash.update(`${canonicalJson(example)}\n`);
  return hash.digest("hex");
}

function leftOutRow(
  { id, taskType }: Example,
  templates: readonly (readonly [string, unknown])[],
  outcomes: readonly FormatOutcome[],
): LeftOutRow {
  const reasons = templates.map(([name], index): [string, string] => {
    const outcome = outcomes[index];
    if (outcome === undefined || isRendered(outcome)) return [name, "none"];
    return [name, "problem" in outcome ? (outcome.problem ?? outcome.reason) : outcome.reason];
  });
  return { id, taskType, reasons: Object.fromEntries(reasons) };
}
