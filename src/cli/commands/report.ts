import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { Command } from "commander";
import { readReport } from "../../report/read-report.js";
import { writeReport } from "../../report/report.js";
import { KitError } from "../../support/errors.js";

/** `ift-kit report RUNS`: draws the page and the pictures of a stored report again. */
export function command(): Command {
  return new Command("report")
    .argument("<path>", "folder of runs, folder of a report, or a report.json")
    .option("--out <folder>", "where to write (default: beside the report.json)")
    .action(report);
}

async function report(path: string, { out }: { readonly out?: string }): Promise<void> {
  const file = findReport(path);
  const written = await writeReport(out ?? dirname(file), readReport(file));
  console.log(`Report: ${written.html}`);
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
