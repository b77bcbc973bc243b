import type { Spans } from "../../data/spans.js";
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

function checkEach(
  name: CheckName,
  rows: readonly Spans[],
  isGood: (row: Spans) => boolean,
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
