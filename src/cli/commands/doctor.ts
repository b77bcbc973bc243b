import { Command } from "commander";
import { diagnose, type Diagnosis } from "../../engine/install/inspect.js";

/** `ift-kit doctor`: what runs here, what is missing and how to get it. */
export function command(): Command {
  return new Command("doctor")
    .description(
      "Shows which engine runs, what is missing and how to get it. Exit code 0 when the kit can be used.",
    )
    .option("--json", "print the findings as JSON")
    .action(async ({ json }: { readonly json?: true }) => {
      const diagnosis = await diagnose();
      console.log(json === true ? JSON.stringify(diagnosis, null, 2) : describe(diagnosis));
      process.exitCode = diagnosis.usable ? 0 : 1;
    });
}

function describe({ engine, jupyter, missing, ...found }: Diagnosis): string {
  const rows: [string, string][] = [
    [
      "engine",
      engine === null
        ? "none"
        : `${engine.backend} backend${engine.tensorflowVersion === undefined ? "" : `, TensorFlow ${engine.tensorflowVersion}`}`,
    ],
    ["device", engine === null ? "-" : `${engine.device}, ${engine.threads} of ${found.cores} threads`],
    ["notebooks", jupyter.ready ? `JupyterLab ${jupyter.version ?? "?"}, kernel "ift-kit"` : "not set up"],
    ["Node", found.node],
    ["Python", found.python ?? "not found"],
    ["C++ compiler", found.compiler ?? "not found"],
    ["cache", `${found.cache.folder} (${(found.cache.bytes / 1e6).toFixed(0)} MB)`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    ...rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`),
    ...missing.flatMap(({ what, cost, cure }) => [
      `missing: ${what}: ${cost}`,
      `         to get it: ${cure}`,
    ]),
    missing.length === 0 ? "all there" : "",
  ]
    .filter((line) => line !== "")
    .join("\n");
}
