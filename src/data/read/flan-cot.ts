import { KitError } from "../../support/errors.js";
import type { Example } from "../example.js";
import { readTextLines } from "./container/lines.js";
import { findFlanCategories, type FlanCategories } from "./flan.js";
import type { Format, ReadRequest } from "./format.js";

/** What the first line of a table with a header has in each cell: a name. */
const COLUMN_NAME = /^[A-Za-z_][\w .-]{0,40}$/;

/**
 * Chain-of-thought tables of the FLAN collection: question TAB answer TAB rationale, without a header. Nothing is quoted (a
 * quotation mark is a letter), and a line end inside a cell is the two characters `\n`. The rationale goes to
 * `Example.rationale`. The task is the file, without "_train"; its type the category in `flan_collection_info.csv`, which
 * calls it "cot_..." or "stream_...".
 */
export const flanCotFormat: Format = {
  name: "flan-cot",
  looksLike: "lines of question TAB answer TAB rationale, without a header",
  recognize(sample) {
    if (sample.kind !== "records" || sample.container !== "tsv") return undefined;
    const lines = sample.lines.slice(0, 20).map((line) => line.split("\t"));
    const isHeader = lines[0]?.every((cell) => COLUMN_NAME.test(cell)) ?? true;
    const fits = !isHeader && lines.every((cells) => cells.length === 3);
    return fits ? "lines of three cells between tabs, without a header" : undefined;
  },
  read: readTable,
};

async function* readTable({ path, name, collector, wantsTask }: ReadRequest): AsyncGenerator<Example> {
  const task = name.replace(/_train$/, "");
  if (!wantsTask(task)) return;
  const taskType = categoryOf(task, await findFlanCategories(path)) ?? task;
  try {
    for await (const item of readTextLines(path)) {
      const place = { file: path, line: item.line };
      if ("problem" in item) {
        collector.drop("malformed", item.problem, "correct the line", place);
        continue;
      }
      if (item.text.trim() === "") continue;
      const cells = item.text.split("\t").map((cell) => cell.replaceAll("\\n", "\n"));
      const [question, answer, rationale] = cells;
      if (cells.length !== 3 || question === undefined || answer === undefined || rationale === undefined) {
        const problem = `the line has ${cells.length} cells between tabs, not 3`;
        collector.drop("malformed", problem, "correct the line", place);
        continue;
      }
      const example = collector.take(
        {
          id: `${name}-${item.line}`,
          task,
          taskType,
          input: question,
          source: task,
          ...(rationale.trim() === "" ? {} : { rationale }),
        },
        [answer],
        { ...place, field: "answer" },
      );
      if (example !== undefined) yield example;
    }
  } catch (error) {
    if (!(error instanceof KitError)) throw error;
    collector.dropFile(error);
  }
}

function categoryOf(task: string, categories: FlanCategories | undefined): string | undefined {
  return categories?.get(`cot_${task}`) ?? categories?.get(`stream_${task}`);
}
