import { z } from "zod";
import type { ErrorLocation } from "../support/errors.js";
import { validate } from "../support/validate.js";
import type { RunBudget } from "./budget.js";
import type { RunSuite } from "./context.js";
import type { RunSize } from "./cost/size.js";

/** What the settings of every suite have: the parts of a plan with the same names go there. */
export interface SuiteSettings {
  readonly budget: RunBudget;
  /** What is held out of training. */
  readonly split: object;
  /** What is asked after training, and how it is answered. */
  readonly evaluation: object;
}

/** The heavy half of a suite, loaded when a run is done or measured. */
export interface SuiteModule<Settings> {
  /** Does one run, given what `specify` made of its settings. */
  readonly run: RunSuite;
  /** How large a run is, from its rows, without training: what its cost is reckoned from. */
  readonly size: (settings: Settings, seed: number) => Promise<RunSize>;
}

/**
 * A world of tasks, with everything that one run on it can be told. To add a suite, write its settings and its runs,
 * `defineSuite` them, and put the suite into the list in `suites.ts`; plans can then address each setting by name.
 */
export interface SuiteDefinition<Settings extends SuiteSettings> {
  readonly name: string;
  /** All settings of one run: strict objects, each field with `.describe("what it is, in which unit")`. */
  readonly schema: z.ZodType<Settings>;
  /** What holds where a plan says nothing. What has no sensible default is missing here: a plan must give it. */
  readonly defaults: Partial<Settings>;
  /** The metrics that answers are scored by, each from 0 to 1. */
  readonly metrics: readonly string[];
  /**
   * What a run is asked to do: the fields of its specification beside suite, names and seed. Whatever a run reads from
   * files must be in it as a hash, so that other contents are another run.
   */
  readonly specify: (settings: Settings) => Promise<Readonly<Record<string, unknown>>>;
  /**
   * The module whose imports are the code that decides a result, which is a part of the content address of every run:
   * `new URL("./run.js", import.meta.url)`.
   */
  readonly entry: URL;
  readonly load: () => Promise<SuiteModule<Settings>>;
}

/** A suite whose settings are checked on the way in, so that all suites are of one type. */
export interface Suite {
  readonly name: string;
  readonly schema: z.ZodType;
  /** The names of the settings, outermost level. */
  readonly settings: readonly string[];
  readonly defaults: Readonly<Record<string, unknown>>;
  readonly metrics: readonly string[];
  readonly entry: URL;
  /** @throws KitError that names the wrong setting and what it may be */
  readonly specify: (
    settings: unknown,
    location?: ErrorLocation,
  ) => Promise<Readonly<Record<string, unknown>>>;
  readonly size: (settings: unknown, seed: number) => Promise<RunSize>;
  readonly run: RunSuite;
}

/** A suite, for the list in `suites.ts`. */
export function defineSuite<Settings extends SuiteSettings>(definition: SuiteDefinition<Settings>): Suite {
  const { name, schema, defaults, metrics, entry, load } = definition;
  const checked = (settings: unknown, location?: ErrorLocation): Settings =>
    validate(schema, settings, `a run of the suite "${name}"`, location);
  return {
    name,
    schema,
    settings: schema instanceof z.ZodObject ? Object.keys(schema.shape) : [],
    defaults: { ...defaults },
    metrics,
    entry,
    specify: async (settings, location) => definition.specify(checked(settings, location)),
    size: async (settings, seed) => (await load()).size(checked(settings), seed),
    run: async (specification, context) => (await load()).run(specification, context),
  };
}
