import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { Command } from "commander";
import { RunStore } from "../../experiment/store.js";
import { planStatuses } from "../../experiment/store/overview.js";
import { reportOfStoredPlan } from "../../report/experiments/run-plan.js";
import { readReport } from "../../report/read-report.js";
import { writeReport } from "../../report/report.js";
import { KitError } from "../../support/errors.js";

/** `ift-kit report RUNS`: the reports of all plans of a store, or the page and the pictures of a stored report again. */
export function command(): Command {
  return new Command("report")
    .argument("<path>", "store of `ift-kit experiment`, folder of runs, folder of a report, or a report.json")
    .option("--out <folder>", "where to write (default: beside the report.json; of a store its reports/)")
    .action(report);
}

async function report(path: string, { out }: { readonly out?: string }): Promise<void> {
  if (existsSync(join(path, "runs.sqlite"))) {
    await reportStore(path, out);
    return;
  }
  const file = findReport(path);
  const written = await writeReport(out ?? dirname(file), readReport(file));
  console.log(`Report: ${written.html}`);
}

/** Writes a report for every plan of a store that has finished runs, those that are still at work too. */
async function reportStore(folder: string, out = join(folder, "reports")): Promise<void> {
  const store = new RunStore(folder);
  try {
    let written = 0;
    for (const status of planStatuses(store)) {
      const found = reportOfStoredPlan(status, store);
      if (found === undefined) {
        console.log(`${status.name}: no run is finished yet`);
        continue;
      }
      for (const line of found.summary) console.log(`${status.name}: ${line}`);
      console.log(`Report: ${(await writeReport(join(out, status.name), found)).html}`);
      written++;
    }
    if (written > 0) return;
    throw new KitError("the store has no finished run of a plan", "run one: ift-kit experiment run PLAN", {
      file: folder,
    });
  } finally {
    store.close();
  }
}

function findReport(path: string): string {
  if (!existsSync(path)) throw new KitError("no such file or folder", "check the path", { file: path });
  if (!statSync(path).isDirectory()) return path;
  const file = [join(path, "report.json"), join(path, "report", "report.json")].find((candidate) =>
    existsSync(candidate),
  );
  if (file !== undefined) return file;
  throw new KitError(
    "the folder has no report.json, nor report/report.json",
    "give a folder that `ift-kit start` wrote its report to",
    {
      file: path,
    },
  );
}
