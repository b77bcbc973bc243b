import { KitError } from "../../support/errors.js";

/** Rows that are drawn as one: a task, a task type, a data set. */
export interface MixtureGroup {
  readonly name: string;
  /** Number of its rows, at least 1. */
  readonly rows: number;
}

/** How often each group is drawn. */
export type RatePolicy =
  | {
      /**
       * In proportion to the rows, of which at most `cap` count for each group: FLAN's examples-proportional mixing (its cap is
       * 3,000), after Raffel et al. 2020. "none" for no cap.
       */
      readonly kind: "proportional";
      readonly cap: number | "none";
    }
  | {
      /** In proportion to min(rows, cap)^(1/temperature): T5's mixing. 1 is proportional, larger is more even. */
      readonly kind: "temperature";
      readonly temperature: number;
      readonly cap: number | "none";
    }
  | {
      /** As given; any positive numbers, one for each group. */
      readonly kind: "fixed";
      readonly rates: Readonly<Record<string, number>>;
    };

/**
 * The share of the draws that each group gets; the shares add up to 1.
 * @throws KitError when a group has no rows or a number cannot be used, when fixed rates lack a group or name one that is not there
 */
export function mixtureRates(groups: readonly MixtureGroup[], policy: RatePolicy): number[] {
  checkGroups(groups);
  const weights = groups.map(weightBy(policy, groups));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

function checkGroups(groups: readonly MixtureGroup[]): void {
  if (groups.length === 0) throw new KitError("there is nothing to mix", "give at least one group of rows");
  const names = new Set<string>();
  for (const { name, rows } of groups) {
    if (names.has(name)) throw new KitError(`the group "${name}" is there twice`, "join its rows into one");
    names.add(name);
    if (!Number.isInteger(rows) || rows < 1) {
      throw new KitError(
        `the group "${name}" has ${rows} rows`,
        "leave it out of the mixture, or give it rows",
      );
    }
  }
}

function weightBy(policy: RatePolicy, groups: readonly MixtureGroup[]): (group: MixtureGroup) => number {
  switch (policy.kind) {
    case "proportional":
      checkCap(policy.cap);
      return ({ rows }) => capped(rows, policy.cap);
    case "temperature": {
      const { temperature, cap } = policy;
      checkCap(cap);
      if (!(temperature > 0 && temperature < Infinity)) {
        throw new KitError(
          `a temperature of ${temperature} mixes nothing`,
          "give a number above 0; 1 is proportional",
          {
            field: "temperature",
          },
        );
      }
      return ({ rows }) => capped(rows, cap) ** (1 / temperature);
    }
    case "fixed":
      return fixedWeights(policy.rates, groups);
  }
}

function fixedWeights(
  rates: Readonly<Record<string, number>>,
  groups: readonly MixtureGroup[],
): (group: MixtureGroup) => number {
  const names = groups.map(({ name }) => name);
  const unknown = Object.keys(rates).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new KitError(
      `a rate is given for "${unknown}", which has no rows`,
      "remove it, or check the name",
      {
        field: `rates.${unknown}`,
      },
    );
  }
  return ({ name }) => {
    const rate = rates[name];
    if (rate !== undefined && rate > 0 && rate < Infinity) return rate;
    const problem = rate === undefined ? `"${name}" has no rate` : `the rate of "${name}" is ${rate}`;
    throw new KitError(problem, "give a positive number for each group, or leave its rows out", {
      field: `rates.${name}`,
    });
  };
}

function capped(rows: number, cap: number | "none"): number {
  return cap === "none" ? rows : Math.min(rows, cap);
}

function checkCap(cap: number | "none"): void {
  if (cap !== "none" && !(Number.isInteger(cap) && cap >= 1)) {
    throw new KitError(
      `a cap of ${cap} rows leaves nothing`,
      'give a whole number of at least 1, or "none"',
      {
        field: "cap",
      },
    );
  }
}
