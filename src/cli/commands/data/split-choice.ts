import { type Command, InvalidArgumentError, Option } from "commander";
import type { Example } from "../../../data/example.js";
import { hasOfficialSplit, readOfficialSplit } from "../../../data/read/index.js";
import type { SplitChoice } from "../../../data/split/choice.js";
import { type ClusterTable, FLAN_CLUSTERS } from "../../../data/split/clusters.js";
import {
  FLAN_RELATIONS,
  NATURAL_INSTRUCTIONS_RELATIONS,
  type Relation,
  T0_RELATIONS,
} from "../../../data/split/relations.js";
import { T0_CLUSTERS, type T0Variant } from "../../../data/split/t0.js";
import type { SplitOptions } from "../../../data/split/task-split.js";
import type { LeakKind } from "../../../similarity/leakage/leak.js";
import { KitError } from "../../../support/errors.js";
import { wholeNumber } from "../../options.js";

type TableName = "flan" | "t0";

/** The options that say how to split. */
export interface ChoiceFlags {
  readonly heldOut?: readonly string[];
  readonly heldOutFraction?: number;
  readonly official?: true;
  readonly t0?: T0Variant | true;
  readonly task?: readonly string[];
  readonly heldOutTemplate?: readonly string[];
  readonly leaveOneOut?: true;
  readonly clusters?: TableName;
  readonly relations?: keyof typeof RELATIONS;
  readonly flanRelations?: true;
  readonly keepSiblings?: true;
  readonly templateField?: string;
  readonly exampleField?: string;
  readonly testShare: number;
  readonly seed: number;
  readonly allowSharedSources?: true;
  readonly excludeSharedSources?: true;
}

/** The ways to split, of which one is given. */
const WAYS = [
  ["heldOut", "--held-out"],
  ["heldOutFraction", "--held-out-fraction"],
  ["official", "--official"],
  ["t0", "--t0"],
  ["task", "--task"],
  ["heldOutTemplate", "--held-out-template"],
  ["leaveOneOut", "--leave-one-out"],
] as const;

const TABLES: Readonly<Record<TableName, ClusterTable>> = { flan: FLAN_CLUSTERS, t0: T0_CLUSTERS };

const RELATIONS = {
  flan: FLAN_RELATIONS,
  t0: T0_RELATIONS,
  "natural-instructions": NATURAL_INSTRUCTIONS_RELATIONS,
  none: [],
} as const satisfies Readonly<Record<string, readonly Relation[]>>;

/** Adds the options of `ChoiceFlags` to a command. */
export function withChoiceFlags(command: Command): Command {
  return command
    .option("--held-out <type...>", "task types to hold out (clusters, with --clusters)")
    .option("--held-out-fraction <share>", "share of the task types to hold out at random", share)
    .option("--official", "the official split lists of a Super-NaturalInstructions folder")
    .addOption(
      new Option("--t0 [variant]", "T0's split by data set; T0 where no variant is named").choices([
        "T0",
        "T0+",
        "T0++",
      ]),
    )
    .option("--task <task...>", "tasks to hold out while their task type goes on being trained")
    .option(
      "--held-out-template <name...>",
      "templates to hold out, of rows rendered from the same examples; needs --example-field",
    )
    .option("--leave-one-out", "a table: each task type (or cluster) held out alone, with what would leak")
    .addOption(
      new Option("--clusters <table>", "split by the clusters of FLAN or T0, not by task type").choices(
        Object.keys(TABLES),
      ),
    )
    .addOption(
      new Option(
        "--relations <set>",
        "leave task types out of training that are related to a held-out one; with --clusters those of the table unless none",
      ).choices(Object.keys(RELATIONS)),
    )
    .option("--flan-relations", "the same as --relations flan")
    .option("--keep-siblings", "--task: go on training tasks of the same source")
    .option("--template-field <name>", "field of a row that names its template; its task where left out")
    .option("--example-field <name>", "field of a row that is the same for all templates of one example")
    .option("--test-share <share>", "--held-out-template: share of the examples to test", share, 0.2)
    .option("--seed <n>", "seed of the random choice", wholeNumber, 0)
    .option("--allow-shared-sources", "let one source data set stand on both sides")
    .option("--exclude-shared-sources", "leave the sources of held-out rows out of training");
}

/** The ways to split that the flags name. */
export function waysGiven(flags: ChoiceFlags): string[] {
  return WAYS.flatMap(([name, option]) => (flags[name] === undefined ? [] : [option]));
}

/** Ways that leave it open what becomes of shared sources. */
const BY_SOURCE = ["--held-out", "--held-out-fraction", "--official", "--t0", "--leave-one-out"];

/** Options that go with some ways to split only. */
const GOES_WITH: readonly (readonly [keyof ChoiceFlags, string, readonly string[]])[] = [
  ["clusters", "--clusters", ["--held-out", "--leave-one-out"]],
  ["relations", "--relations", ["--held-out", "--held-out-fraction", "--leave-one-out"]],
  ["flanRelations", "--flan-relations", ["--held-out", "--held-out-fraction", "--leave-one-out"]],
  ["keepSiblings", "--keep-siblings", ["--task"]],
  ["templateField", "--template-field", ["--held-out-template"]],
  ["exampleField", "--example-field", ["--held-out-template"]],
  ["allowSharedSources", "--allow-shared-sources", BY_SOURCE],
  ["excludeSharedSources", "--exclude-shared-sources", BY_SOURCE],
];

/**
 * Refuses all but one way to split, and options that would do nothing with it.
 * @throws KitError that lists the ways
 */
export function checkOneWay(flags: ChoiceFlags): void {
  const given = waysGiven(flags);
  if (given.length !== 1) {
    throw new KitError(
      given.length === 0
        ? "nothing says what is held out"
        : `several options say what is held out: ${given.join(", ")}`,
      `give one of ${WAYS.map(([, option]) => option).join(", ")}, or two sides with --train and --test`,
    );
  }
  const [way = ""] = given;
  for (const [name, option, ways] of GOES_WITH) {
    if (flags[name] !== undefined && !ways.includes(way))
      throw new KitError(
        `${option} does nothing with ${way}`,
        `use it with ${ways.join(", ")}, or leave it out`,
      );
  }
}

/** What the flags choose. @throws KitError for flags that do not go together */
export function choiceOf(flags: ChoiceFlags, paths: readonly string[]): SplitChoice {
  const { heldOut, heldOutFraction, seed, official, t0, task, heldOutTemplate } = flags;
  if (official === true) return { kind: "task list", sideOf: readOfficialSplit(officialFolder(paths)) };
  if (t0 !== undefined) return { kind: "t0", variant: t0 === true ? "T0" : t0 };
  if (task !== undefined)
    return { kind: "tasks", heldOut: task, siblings: flags.keepSiblings === true ? "keep" : "exclude" };
  if (heldOutTemplate !== undefined) return templateChoice(flags, heldOutTemplate);
  const relations = relationsOf(flags);
  if (heldOutFraction !== undefined) {
    return { kind: "share of task types", share: heldOutFraction, seed, relations };
  }
  return namedChoice(flags, heldOut ?? []);
}

/** Named task types held out, or clusters where a table of them is asked for. */
export function namedChoice(flags: ChoiceFlags, heldOut: readonly string[]): SplitChoice {
  const relations = relationsOf(flags);
  return flags.clusters === undefined
    ? { kind: "task types", heldOut, relations }
    : { kind: "clusters", table: TABLES[flags.clusters], heldOut, relations };
}

/** The table of clusters that is asked for. */
export function clusterTableOf({ clusters }: ChoiceFlags): ClusterTable | undefined {
  return clusters === undefined ? undefined : TABLES[clusters];
}

/** What becomes of shared sources. */
export function splitOptionsOf(flags: ChoiceFlags): SplitOptions {
  if (flags.allowSharedSources === true && flags.excludeSharedSources === true)
    throw new KitError(
      "shared sources cannot be allowed and excluded",
      "give --allow-shared-sources or --exclude-shared-sources",
    );
  if (flags.allowSharedSources === true) return { sharedSources: "allow" };
  return flags.excludeSharedSources === true ? { sharedSources: "exclude" } : {};
}

/** Kinds of leaks that a way to split means to have: its own definition puts them on both sides. */
export function leaksByChoice(flags: ChoiceFlags): readonly LeakKind[] {
  const sources: readonly LeakKind[] = ["shared-source", "sibling-task"];
  if (flags.heldOutTemplate !== undefined) return ["shared-task-type", "shared-task", ...sources];
  const largerT0 = flags.t0 === "T0+" || flags.t0 === "T0++";
  return [
    ...(flags.task !== undefined || largerT0 ? (["shared-task-type"] as const) : []),
    ...(flags.allowSharedSources === true || flags.keepSiblings === true ? sources : []),
  ];
}

function relationsOf({ relations, flanRelations, clusters }: ChoiceFlags): readonly Relation[] {
  const given = relations ?? (flanRelations === true ? "flan" : clusters);
  return RELATIONS[given ?? "none"];
}

function officialFolder(paths: readonly string[]): string {
  return paths.find(hasOfficialSplit) ?? paths[0] ?? ".";
}

function templateChoice(
  { templateField, exampleField, testShare, seed }: ChoiceFlags,
  heldOut: readonly string[],
): SplitChoice {
  if (exampleField === undefined)
    throw new KitError(
      "nothing says which rows were rendered from one example",
      "name the field that does with --example-field",
    );
  return {
    kind: "templates",
    templateOf: (row) => (templateField === undefined ? row.task : fieldOf(row, templateField)),
    exampleOf: (row) => fieldOf(row, exampleField),
    heldOut,
    testShare,
    seed,
  };
}

function fieldOf({ id, fields = {} }: Example, name: string): string {
  const value = fields[name];
  if (typeof value === "string" || typeof value === "number") return String(value);
  throw new KitError(
    `the row "${id}" has no text or number there`,
    `name one of its fields: ${Object.keys(fields).join(", ")}`,
    { field: name },
  );
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value > 0 && value < 1)) {
    throw new InvalidArgumentError("Give a number above 0 and below 1.");
  }
  return value;
}
