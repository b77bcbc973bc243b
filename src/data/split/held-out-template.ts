import { KitError } from "../../support/errors.js";
import { Random } from "../../support/random.js";
import type { Example } from "../example.js";
import { assignSides, type Placement } from "./assign.js";
import type { TaskSplit } from "./task-split.js";

/**
 * Held-out templates: rows that were rendered from the same examples by several templates. Templates and underlying examples are
 * both divided, so that no example stands on both sides under two templates; what is left over is excluded.
 *
 *                          training templates   held-out templates
 *     training examples    train                excluded
 *     test examples        excluded             held out
 */
export interface TemplateChoice {
  readonly kind: "templates";
  /** The template of a row, such as `({ task }) => task` where each task is one template. */
  readonly templateOf: (row: Example) => string;
  /** The example under a row: the same text for all rows that were rendered from it. */
  readonly exampleOf: (row: Example) => string;
  /** Names of the templates to hold out. */
  readonly heldOut: readonly string[];
  /** Share of the underlying examples that are for testing, above 0 and below 1. */
  readonly testShare: number;
  readonly seed: number;
}

/**
 * Splits by template.
 * @throws KitError when a template is not there, a side would be empty, or the share cannot be taken
 */
export function splitByTemplate(rows: readonly Example[], choice: TemplateChoice): TaskSplit {
  const { templateOf, exampleOf, testShare, seed } = choice;
  const templates = new Set(rows.map(templateOf));
  const unknown = choice.heldOut.find((name) => !templates.has(name));
  if (unknown !== undefined) {
    const shown = [...templates].sort().slice(0, 20).join(", ");
    throw new KitError(`no row has the template "${unknown}"`, `use some of ${shown}`, { field: "heldOut" });
  }
  if (!(testShare > 0 && testShare < 1)) {
    throw new KitError(`a share of ${testShare} cannot be for testing`, "give a number above 0 and below 1", {
      field: "testShare",
    });
  }
  const heldOut = new Set(choice.heldOut);
  const examples = [...new Set(rows.map(exampleOf))].sort();
  const count = Math.min(examples.length - 1, Math.max(1, Math.round(testShare * examples.length)));
  const tested = new Set(Random.derive(seed, "test examples").shuffled(examples).slice(0, count));
  const place = (row: Example): Placement => {
    const heldOutTemplate = heldOut.has(templateOf(row));
    if (heldOutTemplate === tested.has(exampleOf(row))) return heldOutTemplate ? "held-out" : "train";
    const why = heldOutTemplate
      ? "their template is held out"
      : "their examples are tested under another template";
    return { what: "rows", name: row.task, why };
  };
  // A template may be one of several of a task, and a data set has rows under all of its templates.
  return assignSides(rows, place, { sharedSources: "allow", bothSides: ["task type", "task"] });
}
