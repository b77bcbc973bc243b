import { Random } from "../../support/random.js";
import { layOutEpoch, type Objective } from "../objective.js";
import type { TrainingRow } from "../rows.js";
import { type CheckResult, judged } from "./check.js";

const NAME = {
  check: "redraw",
  what: "rows that are drawn anew (masks, spans): the same in any batch, and as long in every epoch",
};

/** Whether what is drawn for a row depends on seed, row and epoch alone. @param seed of the run */
export function checkRedraw(objective: Objective, rows: readonly TrainingRow[], seed: number): CheckResult {
  const places = rows.map((_, index) => [index]);
  /** The targets of so many rows a batch, one after another: they change with what is drawn, and padding has none. */
  const targets = (batchRows: number, epoch: number): string => {
    const drawn: number[] = [];
    for (let first = 0; first < places.length; first += batchRows) {
      const batch = places.slice(first, first + batchRows);
      drawn.push(...layOutEpoch(objective, rows, batch, { layout: "bucketed", seed, epoch }).targets);
    }
    return drawn.join();
  };
  const wrong = {
    "differ by their batch": targets(1, 0) === targets(rows.length, 0) ? 0 : rows.length,
    "change their length": rows.filter((row, index) => {
      const drawn = objective.redraw?.(row, Random.derive(seed, `row ${index} in epoch 1`));
      return lengths(drawn) !== lengths(row);
    }).length,
  };
  // A text that loses one span always loses its end: nothing wrong, but good to know.
  const changes = targets(1, 0) === targets(1, 1) ? ", the same in every epoch" : "";
  const found = Object.entries(wrong).filter(([, count]) => count > 0);
  return judged(
    NAME,
    found.reduce((sum, [, count]) => sum + count, 0),
    0,
    {
      detail:
        found.length === 0
          ? `${rows.length} rows${changes}`
          : found.map(([problem, count]) => `${count} of ${rows.length} rows ${problem}`).join(", "),
      cure: "draw from the generator that a row is given, and from nothing else",
    },
  );
}

function lengths(row: TrainingRow | undefined): string {
  return [row?.inputs.length, row?.targets.length, row?.decoderInputs?.length].join();
}
