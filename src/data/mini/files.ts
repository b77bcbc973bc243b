import { createHash } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { fileError, writeFileAtomic } from "../../support/files.js";
import type { ProgressBar } from "../../support/progress.js";
import type { Example } from "../example.js";
import { corpusOf } from "./corpus/documents.js";
import { corpusLines, type CorpusSize } from "./corpus/write.js";
import { drawGrid } from "./grid/rows.js";
import { ARTICLE_ROWS } from "./tasks/article.js";
import { drawTaskRows } from "./tasks/rows.js";

/** What is written of the mini world. */
export interface MiniSize {
  readonly seed: number;
  /** Training rows of each task, and of each grid cell; a fifth of it for validation, half of it for the test. */
  readonly rowsPerTask: number;
  /** Words and punctuation marks of the training corpus; a twentieth of it for validation. */
  readonly corpusTokens: number;
}

/** A file that was written. */
export interface MiniFile {
  /** In the folder, with slashes. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Rows, or documents of a corpus. */
  readonly rows: number;
}

/** What was written, and from what: the same size and seed give the same bytes on every machine. */
export interface MiniManifest extends MiniSize {
  readonly files: readonly MiniFile[];
  /** Words and punctuation marks of the training corpus. */
  readonly tokens: number;
  /** How often the training corpus says every fact at least. */
  readonly factExposures: number;
}

/** Exposures of a fact below which a small model was seen not to learn it (`probe-mini-tasks.md`: 85 to 150). */
export const ENOUGH_EXPOSURES = 85;

const VALIDATION_CORPUS = 20;
/** Rows of each grid test level, in training rows of a cell. */
const LEVEL_ROWS = 5;
/** Text that is held back before it is written, in characters. */
const CHUNK = 1 << 20;

/** Rows of each task, and test rows of a grid level, for a number of training rows. */
export function sizesOf(rowsPerTask: number): {
  readonly tasks: { readonly train: number; readonly validation: number; readonly test: number };
  readonly grid: { readonly rowsPerCell: number; readonly testRows: number };
} {
  return {
    tasks: {
      train: rowsPerTask,
      validation: Math.ceil(rowsPerTask / 5),
      test: Math.ceil(rowsPerTask / 2),
    },
    grid: { rowsPerCell: rowsPerTask, testRows: LEVEL_ROWS * rowsPerTask },
  };
}

/**
 * Writes corpus, grid, tasks and the article's rows into a folder, and a manifest at last. The corpus is streamed, so that
 * memory does not grow with it; each file appears when it is complete.
 * @param progress told the share of the work that is done; the corpus is nearly all of it
 * @throws KitError when a file cannot be written, and the signal's reason when it is aborted
 */
export async function writeMini(
  folder: string,
  size: MiniSize,
  progress: ProgressBar,
  signal: AbortSignal,
): Promise<MiniManifest> {
  const { seed, rowsPerTask, corpusTokens } = size;
  const files: MiniFile[] = [];
  const write = async (path: string, lines: Iterable<string>): Promise<void> => {
    files.push(await writeStream(folder, path, lines, signal));
  };
  const { grid: gridSize, tasks: taskSize } = sizesOf(rowsPerTask);
  const grid = drawGrid(gridSize, seed);
  await write("grid/train.jsonl", jsonLines(grid.train));
  await write("grid/validation.jsonl", jsonLines(grid.validation));
  for (const [level, rows] of Object.entries(grid.tests))
    await write(`grid/test-${level}.jsonl`, jsonLines(rows));
  const tasks = drawTaskRows(taskSize, seed);
  for (const [split, rows] of Object.entries(tasks)) await write(`task-rows/${split}.jsonl`, jsonLines(rows));
  await write("article.jsonl", jsonLines(ARTICLE_ROWS));

  const train = corpusOf(seed, "train");
  let tokens = 0;
  const onDocument = (written: CorpusSize): void => {
    tokens = written.tokens;
    if (written.documents % 500 === 0) {
      progress.update(Math.min(1, tokens / corpusTokens), `${tokens.toLocaleString("en")} tokens`);
    }
  };
  await write("corpus/train.txt", corpusLines(train, corpusTokens, onDocument));
  const validation = corpusLines(corpusOf(seed, "validation"), corpusTokens / VALIDATION_CORPUS);
  await write("corpus/validation.txt", validation);
  progress.update(1, `${tokens.toLocaleString("en")} tokens`);
  progress.stop();
  const manifest: MiniManifest = { ...size, tokens, factExposures: train.factExposures, files };
  writeFileAtomic(join(folder, "manifest.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  return manifest;
}

function* jsonLines(rows: readonly Example[]): Generator<string> {
  for (const row of rows) yield `${JSON.stringify(row)}\n`;
}

/** Writes texts one after the other to a temporary name, then renames it into place. */
async function writeStream(
  folder: string,
  path: string,
  texts: Iterable<string>,
  signal: AbortSignal,
): Promise<MiniFile> {
  const target = join(folder, path);
  const temporary = `${target}.${process.pid}.part`;
  const hash = createHash("sha256");
  let bytes = 0;
  let rows = 0;
  let waiting = "";
  let file: number | undefined;
  try {
    mkdirSync(dirname(target), { recursive: true });
    file = openSync(temporary, "w");
    const flush = (to: number): void => {
      const chunk = Buffer.from(waiting);
      waiting = "";
      hash.update(chunk);
      for (let at = 0; at < chunk.length;) at += writeSync(to, chunk, at);
      bytes += chunk.length;
    };
    for (const text of texts) {
      waiting += text;
      rows++;
      if (waiting.length < CHUNK) continue;
      flush(file);
      // Between chunks the process may hear a Ctrl-C.
      await setImmediate();
      signal.throwIfAborted();
    }
    flush(file);
    fsyncSync(file);
    closeSync(file);
    file = undefined;
    renameSync(temporary, target);
    return { path, bytes, sha256: hash.digest("hex"), rows };
  } catch (error) {
    if (file !== undefined) closeSync(file);
    rmSync(temporary, { force: true });
    throw signal.aborted ? error : fileError(target, "written", error);
  }
}
