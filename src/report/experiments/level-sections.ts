import { seedMean } from "../../evaluate/statistics/seed-interval.js";
import { percent, percentInterval } from "../../experiment/claim.js";
import type { RunResult, ScoredRow } from "../../experiment/result.js";
import { armsOf, REPORT_BOOTSTRAP, scoresOf } from "../../experiment/scores.js";
import { groupBy } from "../../support/group.js";
import { scoreStrips } from "../figures/score-strips.js";
import type { Section } from "../report.js";

/** With fewer templates a data set has no spread to show. */
const FEWEST_TEMPLATES = 3;

/** Every level beside its own floors, where the runs measured these by level. */
export function levelSections(results: readonly RunResult[], metric: string): Section[] {
  const floors = results
    .flatMap((result) => result.floors ?? [])
    .filter((floor) => floor.metric === metric && floor.level !== undefined);
  const levels = [...new Set(floors.map(({ level = "" }) => level))];
  if (levels.length === 0) return [];
  const arms = armsOf(results);
  const names = [...new Set(floors.map(({ name }) => name))];
  const asked = (level: string): number =>
    new Set(results.flatMap(({ rows }) => rows.filter((row) => row.level === level).map(({ id }) => id)))
      .size;
  return [
    {
      heading: "Levels and their floors",
      text: [
        "Means over rows in task types, each task type the same, with 95% intervals; floors are means over the same task types. " +
          "A score whose interval reaches its floors says nothing for the model.",
      ],
      table: {
        columns: [
          ...[{ name: "rows" }, { name: "number" }],
          ...names.map((name) => ({ name: `floor: ${name}`, unit: "%" })),
          ...arms.map((name) => ({ name, unit: "%" })),
        ],
        rows: levels.map((level) => [
          ...[level, asked(level)],
          ...names.map((name) => {
            const own = floors.filter((floor) => floor.level === level && floor.name === name);
            return own.length === 0 ? "" : percent(meanOfTypes(own));
          }),
          ...arms.map((arm) => {
            const hasRows = results.some(
              (result) => result.arm === arm && result.rows.some((row) => row.level === level),
            );
            return hasRows
              ? percentInterval(seedMean(scoresOf(results, arm, { level }, metric), REPORT_BOOTSTRAP))
              : "";
          }),
        ]),
      },
    },
  ];
}

/** Arms may have been asked fewer rows of a type: its floor is the mean over the runs. */
function meanOfTypes(floors: readonly { readonly taskType: string; readonly value: number }[]): number {
  const types = [...groupBy(floors, ({ taskType }) => taskType).values()];
  return mean(types.map((own) => mean(own.map(({ value }) => value))));
}

/** Whether each wording is of one task type alone: templates of data sets, not one set of rows in several wordings. */
export function hasTemplatesOfDataSets(rows: readonly ScoredRow[]): boolean {
  const worded = rows.filter(({ wording, level }) => wording !== undefined && level !== undefined);
  return (
    worded.length > 0 &&
    [...groupBy(worded, ({ wording = "" }) => wording).values()].every(
      (own) => new Set(own.map(({ taskType }) => taskType)).size === 1,
    )
  );
}

/** T0's spread: every template of each data set, by arm, from the level furthest from training on. */
export function templateSections(results: readonly RunResult[], metric: string): Section[] {
  const rows = results.flatMap((result) => result.rows.map((row) => ({ arm: result.arm, ...row })));
  if (!hasTemplatesOfDataSets(rows)) return [];
  const arms = armsOf(results);
  const groups = [
    ...groupBy(
      rows.filter(({ wording }) => wording !== undefined),
      ({ arm, level = "", taskType }) => JSON.stringify([arm, level, taskType]),
    ).values(),
  ].flatMap((own) => {
    const [first] = own;
    const values = [...groupBy(own, ({ wording = "" }) => wording)].map(([name, same]) => ({
      name,
      value: mean(same.map(({ scores }) => scores[metric] ?? Number.NaN)),
    }));
    if (first === undefined || values.length < FEWEST_TEMPLATES) return [];
    const { arm, level = "", taskType } = first;
    const sorted = values.map(({ value }) => value).sort((a, b) => a - b);
    return [{ arm, level, taskType, values, sorted, majority: bestConstant(own) }];
  });
  if (groups.length === 0) return [];
  const label = ({ arm, taskType }: (typeof groups)[number]): string =>
    arms.length === 1 ? taskType : `${arm}: ${taskType}`;
  return [
    {
      heading: "Spread over templates",
      text: [
        "Every dot is a template of the data set: the mean over its rows and the seeds. Best constant: the one answer of each template that is right most often among the asked rows.",
      ],
      figure: scoreStrips({
        id: "template-spread",
        title: `${metric} of every template, by data set`,
        valueTitle: `${metric} (0 to 1)`,
        rows: groups.map((group) => ({ label: label(group), values: group.values })),
      }),
      table: {
        columns: [
          ...[{ name: "data set" }, { name: "level" }, { name: "templates" }],
          ...["lowest", "median", "highest", "best constant"].map((name) => ({ name, unit: "%" })),
        ],
        rows: groups.map((group) => [
          ...[label(group), group.level, group.values.length],
          ...[group.sorted[0], median(group.sorted), group.sorted.at(-1), group.majority].map((value) =>
            percent(value ?? Number.NaN),
          ),
        ]),
      },
    },
  ];
}

/** What the best constant answer of each template scores. */
function bestConstant(rows: readonly ScoredRow[]): number {
  const rights = [...groupBy(rows, ({ wording = "" }) => wording).values()].map((own) =>
    Math.max(...[...groupBy(own, ({ target }) => target).values()].map(({ length }) => length)),
  );
  return rights.reduce((sum, count) => sum + count, 0) / rows.length;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(sorted: readonly number[]): number {
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}
