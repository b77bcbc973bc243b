import { readdirSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { KitError } from "../../support/errors.js";
import { fileError } from "../../support/files.js";
import type { FormatName } from "./format.js";
import { type ChosenFormat, formatByName, recognizeFormat, unknownFormat } from "./formats.js";
import { isFolder, takeSample } from "./sample.js";
import { sideFile } from "./side-files.js";

/** A file to read (or a folder that is one data set, such as that of Super-NaturalInstructions), and how. */
export interface DataFile {
  readonly path: string;
  /** What its rows are called after. */
  readonly name: string;
  readonly chosen: ChosenFormat;
}

/** A file whose format could not be told. */
export interface UnreadableFile {
  readonly path: string;
  readonly error: KitError;
}

/** A file that holds no rows, and what it is. */
export interface SideFile {
  readonly path: string;
  readonly what: string;
}

/** What is to be read at a path. */
export interface DataFiles {
  readonly files: readonly (DataFile | UnreadableFile)[];
  readonly sideFiles: readonly SideFile[];
}

const DEEPEST_FOLDER = 8;

/**
 * The files of rows at a path: the path itself, or all in a folder and the folders in it, in the order of their names.
 * @param format of all of them, instead of telling it from each
 * @throws KitError when nothing is there, or the path is one file of no known format
 */
export async function findDataFiles(path: string, format: FormatName | undefined): Promise<DataFiles> {
  if (!isFolder(path)) {
    const chosen = await chooseFormat(path, format);
    return { files: [{ path, name: fileName(path), chosen }], sideFiles: [] };
  }
  const files: (Omit<DataFile, "name"> | UnreadableFile)[] = [];
  const sideFiles: SideFile[] = [];
  await visit(path, format, 0, files, sideFiles);
  if (files.length === 0) throw noRows(path, sideFiles);
  const names = files.map((file) => fileName(file.path));
  const named = files.map((file, index): DataFile | UnreadableFile => {
    if ("error" in file) return file;
    const own = names[index] ?? "";
    const isUnique = names.filter((name) => name === own).length === 1;
    return { ...file, name: isUnique ? own : withoutEnding(relative(path, file.path)) };
  });
  return { files: named, sideFiles };
}

function noRows(path: string, sideFiles: readonly SideFile[]): KitError {
  const kinds = [...new Set(sideFiles.map(({ what }) => what))].slice(0, 5);
  const found = kinds.length === 0 ? "" : ` (it has ${sideFiles.length} others: ${kinds.join(", ")})`;
  return new KitError(`the folder has no file of rows${found}`, "check the path", { file: path });
}

async function visit(
  folder: string,
  format: FormatName | undefined,
  depth: number,
  files: (Omit<DataFile, "name"> | UnreadableFile)[],
  sideFiles: SideFile[],
): Promise<void> {
  if (depth > DEEPEST_FOLDER)
    throw new KitError(`folders are nested more than ${DEEPEST_FOLDER} deep`, "give one of the inner ones", {
      file: folder,
    });
  const names = listFolder(folder);
  if (depth === 0 && names.length === 0)
    throw new KitError("the folder is empty", "check the path", { file: folder });
  // A folder of a format of its own is read as a whole, unless another format was asked for.
  const whole = recognizeFormat({ kind: "folder", names });
  if (whole !== undefined && (format === undefined || whole.format.name === format)) {
    files.push({ path: folder, chosen: format === undefined ? whole : byName(format) });
    return;
  }
  for (const name of names) {
    const path = join(folder, name);
    if (isFolder(path)) {
      await visit(path, format, depth + 1, files, sideFiles);
      continue;
    }
    const what = sideFile(path);
    if (what !== undefined) {
      sideFiles.push({ path, what });
      continue;
    }
    try {
      files.push({ path, chosen: await chooseFormat(path, format) });
    } catch (error) {
      if (!(error instanceof KitError)) throw error;
      files.push({ path, error });
    }
  }
}

async function chooseFormat(path: string, format: FormatName | undefined): Promise<ChosenFormat> {
  if (format !== undefined) return byName(format);
  const sample = await takeSample(path);
  const chosen = recognizeFormat(sample);
  if (chosen === undefined) throw unknownFormat(path, sample);
  return chosen;
}

function byName(format: FormatName): ChosenFormat {
  return { format: formatByName(format), why: "the caller named it" };
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => !name.startsWith("."))
      .sort();
  } catch (error) {
    throw fileError(folder, "opened", error);
  }
}

/** A file's name without folder and ending; ".gz" counts as a second ending. */
function fileName(path: string): string {
  return withoutEnding(basename(path));
}

function withoutEnding(path: string): string {
  return path.replace(/(\.[A-Za-z]\w*)?(\.gz)?$/i, "");
}
