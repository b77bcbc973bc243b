import { KitError } from "../support/errors.js";
import type { RunSuite } from "./context.js";

/** The code that does the runs of a suite, loaded when it is needed. */
export async function suiteByName(name: string): Promise<RunSuite> {
  switch (name) {
    case "mini-grid":
      return (await import("./mini/run.js")).runMini;
    case "string-rewrite":
      return (await import("./rewrite/run.js")).runRewrite;
    case "natural-instructions":
      return (await import("./natural-instructions/run.js")).runNaturalInstructions;
    default:
      throw new KitError(
        `there is no suite "${name}"`,
        'use "mini-grid", "string-rewrite" or "natural-instructions"',
      );
  }
}
