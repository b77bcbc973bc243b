import type { RunResult } from "../../experiment/result.js";
import { groupBy } from "../../support/group.js";

/** What can be scored on held-out rows without a model. */
export interface MeasuredFloor {
  readonly name: string;
  /** Mean over task types, each the same: as an arm's score is. */
  readonly mean: number;
  readonly byTaskType: ReadonlyMap<string, number>;
}

/**
 * The floors of held-out rows by one metric, as the runs measured them, in their order. Arms whose prompts are longer are asked fewer
 * rows, so their floors differ a little: each is the mean over the runs that have it.
 */
export function measuredFloors(results: readonly RunResult[], metric: string): MeasuredFloor[] {
  const own = results
    .flatMap(({ floors = [] }) => floors)
    .filter((floor) => floor.metric === metric && floor.part === "held-out" && floor.level === undefined);
  return [...groupBy(own, ({ name }) => name)].map(([name, floors]) => {
    const byTaskType = new Map(
      [...groupBy(floors, ({ taskType }) => taskType)].map(([taskType, same]) => [
        taskType,
        mean(same.map(({ value }) => value)),
      ]),
    );
    return { name, mean: mean([...byTaskType.values()]), byTaskType };
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
