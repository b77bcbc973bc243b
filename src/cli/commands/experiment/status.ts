import { existsSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { RunStore, type RunState } from "../../../experiment/store.js";
import { planStatuses } from "../../../experiment/store/overview.js";
import { KitError } from "../../../support/errors.js";
import { DEFAULT_STORE } from "./run.js";
import { printTable } from "./table.js";

/** `ift-kit experiment status`: the plans of a store, and where their runs stand. */
export function statusCommand(): Command {
  return new Command("status")
    .description("the plans of a store, and where each of their runs stands")
    .option("--store <folder>", "where runs are kept", DEFAULT_STORE)
    .option("--json", "print it as JSON")
    .action(status);
}

function status({ store: folder, json }: { readonly store: string; readonly json?: true }): void {
  const store = openStore(folder);
  const plans = planStatuses(store);
  store.close();
  if (json === true) {
    console.log(JSON.stringify(plans, undefined, 2));
    return;
  }
  if (plans.length === 0) console.log(`${folder}: no plan was run here`);
  for (const { name, runs } of plans) {
    const finished = runs.filter(({ state }) => state.kind === "finished").length;
    console.log(`${name}: ${finished} of ${runs.length} runs are finished`);
    printTable(
      ["run", "key", "state"],
      runs.map(({ id, key, state }) => [id, key.slice(0, 12), describe(state)]),
    );
  }
}

function describe(state: RunState): string {
  switch (state.kind) {
    case "claimed":
      return `at work, ${Math.round(100 * state.progress)} % (process ${state.pid} on ${state.host})`;
    case "failed":
      return `failed: ${state.reason.split("\n")[0] ?? ""}`;
    case "finished":
    case "waiting":
      return state.kind;
  }
}

/**
 * A store that is there.
 * @throws KitError when the folder is none
 */
export function openStore(folder: string): RunStore {
  if (existsSync(join(folder, "runs.sqlite")) || existsSync(join(folder, "results")))
    return new RunStore(folder);
  throw new KitError("this folder has no store of runs", "give the folder of a store with --store", {
    file: folder,
  });
}
