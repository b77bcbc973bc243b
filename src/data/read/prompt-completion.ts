import { basename } from "node:path";
import { z } from "zod";
import type { RowContext, RowReading } from "./format.js";
import { splitRequest } from "./joined-request.js";
import { marksOf } from "./marks.js";
import { oneExample, readChecked, rowFormat } from "./row-format.js";
import { text } from "./rows.js";
import { besideOrAbove, readPromptIndex, readT0Datasets, rememberLast, type T0Dataset } from "./tables.js";

const rowSchema = z.looseObject({ prompt: text, completion: text, instruction: text.optional() });

/** What is known of the template that a file of rendered prompts was made with. */
interface RenderedTemplate {
  readonly cluster: string;
  readonly source: string;
}

/**
 * Prompts and completions: `{prompt, completion}`, the oldest format for tuning a language model. The prompt is the input:
 * an instruction in it is not told apart. Where an `index.jsonl` of rendered P3 prompts stands beside the file or above,
 * the task is the template (the file), its type the T0 cluster, its source the data set (from T0's list of data sets).
 */
export const promptCompletionFormat = rowFormat<RenderedTemplate>({
  name: "prompt-completion",
  looksLike: "{prompt, completion}",
  recognize: (first) =>
    "prompt" in first && "completion" in first ? "the first row has prompt and completion" : undefined,
  table: findTemplate,
  rows: (record, context, table) =>
    readChecked(rowSchema, record, context, (row) => readPair(record, row, context, table)),
});

function readPair(
  record: unknown,
  { prompt, completion, instruction }: z.output<typeof rowSchema>,
  { name, number }: RowContext,
  template: RenderedTemplate | undefined,
): readonly RowReading[] {
  const marks = marksOf(record);
  const example = {
    id: `${name}-${number}`,
    task: name,
    taskType: template?.cluster ?? name,
    input: prompt,
    source: template?.source ?? name,
    ...marks,
  };
  const readings = oneExample(example, [completion], "completion");
  return marks === undefined ? readings : readings.map((reading) => splitRequest(reading, instruction));
}

async function findTemplate(path: string): Promise<RenderedTemplate | undefined> {
  const file = besideOrAbove(path, "index.jsonl");
  if (file === undefined || basename(path) === "index.jsonl") return undefined;
  const name = basename(path).replace(/\.jsonl(\.gz)?$/, "");
  const entry = (await readIndex(file)).find(({ template }) => template === name);
  if (entry === undefined) return undefined;
  const list = besideOrAbove(path, "t0_datasets.csv", "datasets.csv");
  return {
    cluster: entry.cluster,
    source: sourceOf(name, list === undefined ? [] : await readDatasets(list)),
  };
}

// Hundreds of files of one folder ask for the same two tables.
const readIndex = rememberLast(readPromptIndex);
const readDatasets = rememberLast(readT0Datasets);

/** The data set of a template: the longest of T0's names (data set and subset, joined by "_") that its name begins with. */
function sourceOf(template: string, datasets: readonly T0Dataset[]): string {
  const names = datasets.flatMap(({ dataset, subset }) => [
    { prefix: `${dataset}_`, source: dataset },
    ...(subset === undefined ? [] : [{ prefix: `${dataset}_${subset}_`, source: `${dataset}/${subset}` }]),
  ]);
  const [best] = names
    .filter(({ prefix }) => template.startsWith(prefix))
    .sort((a, b) => b.prefix.length - a.prefix.length);
  return best?.source ?? template;
}
