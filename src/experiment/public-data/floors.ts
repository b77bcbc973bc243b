import type { Example } from "../../data/example.js";
import { floors } from "../../evaluate/floors.js";
import { groupBy } from "../../support/group.js";
import type { RunFloor } from "../result.js";
import type { PublicTest } from "./rows.js";

/** What the tests score without a model, for each part and each level of it. */
export function floorsOf(train: readonly Example[], tests: readonly PublicTest[]): RunFloor[] {
  return [...groupBy(tests, ({ part }) => part)].flatMap(([part, own]) => [
    ...floorsOfRows(
      train,
      own.flatMap(({ examples }) => examples),
    ).map((floor) => ({ part, ...floor })),
    ...own.flatMap(({ level, examples }) =>
      floorsOfRows(train, examples).map((floor) => ({ part, level, ...floor })),
    ),
  ]);
}

type FloorOfType = Omit<RunFloor, "part" | "level">;

function floorsOfRows(train: readonly Example[], rows: readonly Example[]): FloorOfType[] {
  const chance = new Map(
    [...groupBy(rows, ({ taskType }) => taskType)].map(([taskType, own]) => [taskType, randomOption(own)]),
  );
  return floors(train, rows, { match: "normalized", stem: false }).flatMap(
    ({ taskType, majorityLabel, copyInput }) => {
      const floor = (name: string, value: number): FloorOfType => ({
        taskType,
        metric: "exact-match",
        name,
        value,
      });
      const random = chance.get(taskType);
      return [
        ...(random === undefined ? [] : [floor("random option", random)]),
        floor("most frequent answer", majorityLabel.exactMatch),
        floor("copies the input", copyInput.exactMatch),
      ];
    },
  );
}

/** The expected accuracy of an option drawn at random; undefined where a row has none. */
function randomOption(rows: readonly Example[]): number | undefined {
  const shares = rows.flatMap(({ options = [], outputs }) =>
    options.length === 0
      ? []
      : [options.filter((option) => outputs.includes(option)).length / options.length],
  );
  return shares.length < rows.length
    ? undefined
    : shares.reduce((sum, share) => sum + share, 0) / shares.length;
}
