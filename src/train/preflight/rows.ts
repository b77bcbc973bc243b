import type { Spans } from "../../data/spans.js";
import type { PairTokens } from "../objectives/sentence-pairs.js";
import type { TrainingRow } from "../rows.js";
import { type CheckName, type CheckResult, judged, notApplicable } from "./check.js";

/** The tokens that rows are checked for. */
export interface RowTokens {
  /** Absent where the tokenizer has none. */
  readonly bos?: number;
  /** What may end a row: the EOS, or the template's stop token (`endToken`). */
  readonly ends: readonly number[];
}

/** How many rows a detail names. */
const NAMED_ROWS = 3;

/** The checks that need no model. */
export function checkRows(rows: readonly Spans[], tokens: RowTokens | undefined): CheckResult[] {
  const end = { check: "EOS", what: "every row ends with a supervised end token" };
  const start = { check: "BOS", what: "every row has exactly one BOS, at its start" };
  const masked = checkEach(
    { check: "mask", what: "every row has a supervised token after its first" },
    rows,
    ({ supervised }) => supervised.indexOf(true, 1) > 0,
    "drop these rows when rendering (a reference without tokens, or one that was cut away)",
  );
  if (tokens === undefined) {
    const unknown = "the special tokens were not given";
    return [masked, notApplicable(end, unknown), notApplicable(start, unknown)];
  }
  const { bos, ends } = tokens;
  return [
    masked,
    checkEach(
      end,
      rows,
      ({ ids, supervised }) => supervised.at(-1) === true && ends.includes(ids.at(-1) ?? NaN),
      "render with the kit's renderer, which ends and supervises each row, or mend the template's stop token",
    ),
    bos === undefined
      ? notApplicable(start, "the tokenizer has no BOS")
      : checkEach(
          start,
          rows,
          // Where one token is BOS and EOS (GPT-2), the one that ends the row is no BOS.
          ({ ids }) => ids[0] === bos && !ids.slice(1, ends.includes(bos) ? -1 : undefined).includes(bos),
          "take the BOS out of the template: the renderer writes the one BOS",
        ),
  ];
}

/** The checks of an encoder's rows (masked words, classes) that need no model. @param marks of the tokenizer */
export function checkEncoderRows(
  rows: readonly TrainingRow[],
  { first, separator }: PairTokens,
): CheckResult[] {
  return [
    checkTargets(rows),
    checkEach(
      {
        check: "marks",
        what: "every row has one [CLS], at its start, and one [SEP] at the end of each text",
      },
      rows,
      ({ inputs, tokenTypes }) =>
        inputs.every((id, place) => {
          const type = tokenTypes?.[place] ?? 0;
          const endsText = place === inputs.length - 1 || (tokenTypes?.[place + 1] ?? 0) !== type;
          return (id === first) === (place === 0) && (id === separator) === endsText;
        }),
      "make rows with encodeTexts, and see that no text has the marks in it",
    ),
  ];
}

/** What the rows of an encoder-decoder are checked for. */
export interface SequenceTokens extends Pick<RowTokens, "ends"> {
  readonly decoderStart: number;
  /** The token that ends each input; absent for none. */
  readonly inputEnd?: number;
}

/** The checks of an encoder-decoder's rows that need no model. */
export function checkSequenceRows(rows: readonly TrainingRow[], tokens: SequenceTokens): CheckResult[] {
  const { ends, decoderStart, inputEnd } = tokens;
  const inputEnds = { check: "input end", what: "every input has exactly one end token, at its end" };
  return [
    checkTargets(rows),
    checkEach(
      { check: "EOS", what: "what is to be said ends with an end token" },
      rows,
      ({ targets }) => ends.includes(targets.at(-1) ?? NaN),
      "render with the kit's renderer, which ends each row, or mend the template's stop token",
    ),
    checkEach(
      {
        check: "decoder start",
        what: "the decoder reads its start token, then what it is to say but the last",
      },
      rows,
      ({ targets, decoderInputs }) =>
        decoderInputs?.join() === [decoderStart, ...targets.slice(0, -1)].join(),
      "make rows with sequenceRow",
    ),
    inputEnd === undefined
      ? notApplicable(inputEnds, "the model's inputs have no end token")
      : checkEach(
          inputEnds,
          rows,
          ({ inputs }) => inputs.indexOf(inputEnd) === inputs.length - 1,
          "take the end token out of the texts: sequenceRows writes the one there is",
        ),
  ];
}

function checkTargets(rows: readonly TrainingRow[]): CheckResult {
  return checkEach(
    { check: "mask", what: "every row has a supervised target" },
    rows,
    ({ targets }) => targets.length > 0,
    "drop rows that are too short to have one",
  );
}

function checkEach<Row extends { readonly id: string }>(
  name: CheckName,
  rows: readonly Row[],
  isGood: (row: Row) => boolean,
  cure: string,
): CheckResult {
  const bad = rows.filter((row) => !isGood(row));
  const named = bad.slice(0, NAMED_ROWS).map(({ id }) => `"${id}"`);
  const more = bad.length > named.length ? ` and ${bad.length - named.length} more` : "";
  const detail =
    bad.length === 0
      ? `${rows.length} rows`
      : `${bad.length} of ${rows.length} rows: ${named.join(", ")}${more}`;
  return judged(name, bad.length, 0, { detail, cure });
}
