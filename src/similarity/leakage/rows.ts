import type { Example } from "../../data/example.js";
import { groupBy } from "../../support/group.js";
import { findContained } from "../containment.js";
import { findDuplicates } from "../duplicates.js";
import { textOf } from "../example-text.js";
import { plainText } from "../words.js";
import type { LeakBook } from "./leak.js";

/** Rows by a text of theirs, without its accidents. */
type RowsByText = ReadonlyMap<string, readonly Example[]>;

const inputOf = textOf("input");
const promptOf = textOf("prompt");

/**
 * Books held-out rows whose input, alone or with the instruction, is that of a training row: a copy may have it all in one field
 * (AlpacaEval's instructions are the instruction and input of Self-Instruct).
 */
export function findSameInputs(train: readonly Example[], heldOut: readonly Example[], book: LeakBook): void {
  const trained = rowsByTexts(train);
  for (const [text, rows] of rowsByTexts(heldOut)) {
    for (const other of trained.get(text) ?? [])
      for (const row of rows) book.addRows("same-input", other, row, text);
  }
}

/** Books held-out rows whose input is nearly that of a training row, but not the same. */
export function findNearInputs(
  train: readonly Example[],
  heldOut: readonly Example[],
  threshold: number,
  book: LeakBook,
  progress?: (share: number) => void,
): void {
  const trained = rowsByInput(train);
  const tested = rowsByInput(heldOut);
  // Texts on both sides are booked as the same.
  const texts = [...trained.keys(), ...[...tested.keys()].filter((text) => !trained.has(text))];
  const border = trained.size;
  const { pairs } = findDuplicates(texts, {
    threshold,
    wantsPair: (a, b) => a < border && b >= border,
    progress: { update: (share) => progress?.(share), stop: () => undefined },
  });
  for (const { a, b, similarity } of pairs) {
    const text = texts[b] ?? "";
    for (const other of trained.get(texts[a] ?? "") ?? []) {
      for (const row of tested.get(text) ?? []) book.addRows("near-duplicate", other, row, text, similarity);
    }
  }
}

/**
 * Books inputs of at least `minWords` words that stand in a row of the other side: a held-out input in all that a training row
 * shows, or a training input in a held-out input.
 */
export function findContainedInputs(
  train: readonly Example[],
  heldOut: readonly Example[],
  minWords: number,
  book: LeakBook,
  progress?: (share: number) => void,
): void {
  const trained = rowsByInput(train);
  const tested = rowsByInput(heldOut);
  const shown = groupBy(train, (row) => plainText([promptOf(row), ...row.outputs].join("\n")));
  const inTraining = { needles: tested, haystacks: shown, isHeldOut: true };
  const inTest = { needles: trained, haystacks: tested, isHeldOut: false };
  for (const [part, { needles, haystacks, isHeldOut }] of [inTraining, inTest].entries()) {
    const wanted = [...needles.keys()];
    const texts = [...haystacks.keys()];
    const report = (share: number): void => progress?.((part + share) / 2);
    for (const { needle, haystack } of findContained(wanted, texts, { minWords, progress: report })) {
      const text = wanted[needle] ?? "";
      for (const inner of needles.get(text) ?? []) {
        for (const outer of haystacks.get(texts[haystack] ?? "") ?? []) {
          const [trainRow, heldOutRow] = isHeldOut ? [outer, inner] : [inner, outer];
          if (!areSame(trainRow, heldOutRow)) book.addRows("contained-input", trainRow, heldOutRow, text);
        }
      }
    }
  }
}

/**
 * Books held-out rows that a prompt shows with their answer: as a demonstration of a training task, or of a held-out one (there
 * the training row of the leak is the held-out row that carries the demonstration).
 */
export function findShownRows(train: readonly Example[], heldOut: readonly Example[], book: LeakBook): void {
  const tested = rowsByInput(heldOut);
  for (const rows of [train, heldOut]) {
    const seen = new Set<string>();
    for (const row of rows) {
      for (const { input } of [...(row.positive ?? []), ...(row.negative ?? [])]) {
        const text = plainText(input);
        // All rows of a task carry the same demonstrations: the first stands for them.
        if (text === "" || seen.has(`${row.task}\n${text}`)) continue;
        seen.add(`${row.task}\n${text}`);
        for (const item of tested.get(text) ?? []) {
          if (rows === train || item.task === row.task) book.addRows("demonstration", row, item, text);
        }
      }
    }
  }
}

/** Whether two rows have been booked as having the same input. */
function areSame(a: Example, b: Example): boolean {
  const texts = new Set(textsOf(a));
  return textsOf(b).some((text) => texts.has(text));
}

function textsOf(row: Example): string[] {
  return [...new Set([inputOf(row), promptOf(row)].map(plainText))].filter((text) => text !== "");
}

function rowsByTexts(rows: readonly Example[]): RowsByText {
  const pairs = rows.flatMap((row) => textsOf(row).map((text) => ({ text, row })));
  return new Map(
    [...groupBy(pairs, ({ text }) => text)].map(([text, group]) => [text, group.map(({ row }) => row)]),
  );
}

function rowsByInput(rows: readonly Example[]): RowsByText {
  const groups = groupBy(rows, (row) => plainText(inputOf(row)));
  groups.delete("");
  return groups;
}
