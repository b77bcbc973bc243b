import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { readJsonFile } from "../../support/files.js";
import { sha256 } from "../../support/hash.js";
import { validate } from "../../support/validate.js";
import type { Example } from "../example.js";
import { type Format, memberNames, type ReadRequest } from "./format.js";
import { readObjectRows } from "./object-rows.js";
import { checkRow, type RowFault, text, writtenText } from "./rows.js";

const TASKS_BY_TYPE: Readonly<Record<string, readonly string[]>> = {
  Spelling: ["first_word_letter", "second_word_letter", "letters_list", "orthography_starts_with"],
  Morphosyntax: ["singular_to_plural", "active_to_passive"],
  Syntax: ["negation"],
  "Lexical Semantics": ["antonyms", "synonyms", "taxonomy_animal"],
  Phonetics: ["rhymes"],
  Knowledge: ["larger_animal"],
  Semantics: ["cause_and_effect", "common_concept"],
  Style: ["informal_to_formal"],
  Numerical: ["sum", "diff", "num_to_verbal"],
  Multilingual: ["translation_en-de", "translation_en-es", "translation_en-fr"],
  GLUE: ["sentiment", "sentence_similarity", "word_in_context"],
};

/** The groups of the tasks in Table 1 of Honovich et al. 2022 (arXiv 2205.10782). */
const TASK_TYPES: ReadonlyMap<string, string> = new Map(
  Object.entries(TASKS_BY_TYPE).flatMap(([type, tasks]) => tasks.map((task) => [task, type] as const)),
);

const texts = z.array(text);
const pairSchema = z.looseObject({
  input: text,
  output: text,
  possible_translations: texts.optional(),
  possible_outputs: texts.optional(),
  other_rhymes: texts.optional(),
});
const causeSchema = z.looseObject({ cause: writtenText, effect: writtenText });
const conceptSchema = z.looseObject({
  concept: writtenText,
  items: z.array(writtenText).min(1, "it has no entry"),
  all_common_concepts: texts.default([]),
});

/**
 * Instruction induction (Honovich et al. 2022): `{metadata, examples: {"1": {...}}}`, one file a task, with the wordings of
 * its instruction in `annotations/<task>.json`: the first is the instruction, the others are paraphrases. Rows differ by
 * task: `input` and `output`; a cause and its effect (the two sentences are the input, in an order that the text decides,
 * so that the place tells nothing; the cause is the output); or a concept and things that have it. Lists of other right
 * answers become references, without the word itself among its rhymes.
 */
export const instructionInductionFormat: Format = {
  name: "instruction-induction",
  looksLike: 'a JSON object with metadata and examples {"1": {input, output}}',
  recognize(sample) {
    const names = memberNames(sample);
    return names.includes("metadata") && names.includes("examples")
      ? "a JSON object with metadata and examples"
      : undefined;
  },
  read: readTask,
};

async function* readTask({ path, name, collector, wantsTask }: ReadRequest): AsyncGenerator<Example> {
  const task = basename(path).replace(/\.json(\.gz)?$/, "");
  if (!wantsTask(task)) return;
  const [instruction, ...paraphrases] = wordingsOf(path, task);
  const ofTask = {
    task,
    taskType: TASK_TYPES.get(task) ?? task,
    source: task,
    ...(instruction === undefined ? {} : { instruction }),
    ...(paraphrases.length === 0 ? {} : { paraphrases }),
  };
  yield* readObjectRows(path, "examples", collector, (value, number, key = String(number)) => {
    const read = readRow(value);
    if ("fault" in read) return read;
    const { input, outputs, field } = read.row;
    return { draft: { example: { id: `${name}-${key}`, input, ...ofTask }, outputs }, field };
  });
}

interface TaskRow {
  readonly input: string;
  readonly outputs: readonly string[];
  readonly field: string;
}

function readRow(value: unknown): { readonly row: TaskRow } | { readonly fault: RowFault } {
  const has = (field: string): boolean => typeof value === "object" && value !== null && field in value;
  if (has("cause")) {
    const checked = checkRow(causeSchema, value);
    if ("fault" in checked) return checked;
    const { cause, effect } = checked.row;
    const isCauseFirst = Number.parseInt(sha256(cause).slice(0, 1), 16) < 8;
    const [first, second] = isCauseFirst ? [cause, effect] : [effect, cause];
    return { row: { input: `Sentence 1: ${first} Sentence 2: ${second}`, outputs: [cause], field: "cause" } };
  }
  if (has("concept")) {
    const checked = checkRow(conceptSchema, value);
    if ("fault" in checked) return checked;
    const { concept, items, all_common_concepts: others } = checked.row;
    return { row: { input: items.join(", "), outputs: [concept, ...others], field: "concept" } };
  }
  const checked = checkRow(pairSchema, value);
  if ("fault" in checked) return checked;
  const {
    input,
    output,
    possible_translations: translations = [],
    possible_outputs: outputs = [],
  } = checked.row;
  const rhymes = (checked.row.other_rhymes ?? []).filter((rhyme) => rhyme !== input);
  return { row: { input, outputs: [output, ...translations, ...outputs, ...rhymes], field: "output" } };
}

/** The wordings of a task's instruction, from the `annotations` folder beside its folder or one or two above. */
function wordingsOf(path: string, task: string): readonly string[] {
  const folder = dirname(path);
  const file = [folder, dirname(folder), dirname(dirname(folder))]
    .map((place) => join(place, "annotations", `${task}.json`))
    .find(existsSync);
  if (file === undefined) return [];
  const schema = z.looseObject({ annotations: z.array(writtenText).min(1) });
  const { annotations } = validate(schema, readJsonFile(file), "the list of wordings", { file });
  return [...new Set(annotations)];
}
