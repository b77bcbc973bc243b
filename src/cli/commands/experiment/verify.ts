import { Command } from "commander";
import { verifyRun } from "../../../experiment/verify.js";
import { KitError } from "../../../support/errors.js";
import { progressBar } from "../../../support/progress.js";
import { onInterrupt } from "../../interrupt.js";
import { DEFAULT_STORE } from "./run.js";
import { openStore } from "./status.js";

/** `ift-kit experiment verify RUN`: repeats a run and compares bits. */
export function verifyCommand(): Command {
  return new Command("verify")
    .description("repeat a finished run and compare weights, losses and answers bit by bit")
    .argument("<run>", "the beginning of its key, or its name, as `experiment status` prints them")
    .option("--store <folder>", "where runs are kept", DEFAULT_STORE)
    .option("--json", "print the result as JSON")
    .action(verify);
}

async function verify(name: string, flags: { readonly store: string; readonly json?: true }): Promise<void> {
  const store = openStore(flags.store);
  const interrupt = onInterrupt("Stopping.");
  const bar = progressBar("repeating");
  try {
    const verification = await verifyRun(store, name, {
      signal: interrupt.signal,
      onProgress: ({ fraction }) => bar.update(fraction),
    });
    bar.stop();
    const { id, key, same, differences, environment } = verification;
    if (flags.json === true) console.log(JSON.stringify(verification, undefined, 2));
    else if (same) console.log(`${id} (${key.slice(0, 12)}): the same bits`);
    if (flags.json !== true) for (const line of environment) console.log(`other than then: ${line}`);
    if (same) return;
    throw new KitError(
      `${id} gave other bits than are stored: ${differences.join("; ")}`,
      environment.length > 0
        ? "repeat it where it was done: machine or versions are others"
        : "distrust the stored result, and run it again",
    );
  } finally {
    bar.stop();
    store.close();
    interrupt.release();
  }
}
