import { type Command, InvalidArgumentError, Option } from "commander";
import { localPlace } from "../../../experiment/places/local.js";
import type { RunPlace } from "../../../experiment/places/place.js";
import { rayPlace } from "../../../experiment/places/ray/place.js";
import { KitError } from "../../../support/errors.js";
import { positiveInteger } from "../../options.js";

/** Where the runs of a plan are done, as the command line says it. */
export interface PlaceFlags {
  readonly processes?: number;
  readonly threads: number;
  /** Address of a cluster; without it the runs are done on this machine. */
  readonly on?: string;
  readonly gpus?: number;
  readonly memory?: number;
  readonly kit?: string;
  readonly upload?: string;
}

/** Adds the options of `placeOf` to a command. */
export function withPlaceOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--processes <number>",
        "runs at the same time (default: as many as cores and memory, or the cluster's nodes, allow)",
      ).argParser(positiveInteger),
    )
    .addOption(
      new Option(
        "--threads <number>",
        "threads of each run; another number may change the last bits of a result",
      )
        .argParser(positiveInteger)
        .default(1),
    )
    .option(
      "--on <address>",
      "do the runs on a Ray cluster: http://HOST:PORT of its dashboard, or ray://HOST; a run asks for as many processors as it has threads",
    )
    .addOption(new Option("--gpus <number>", "with --on: GPUs of a run (default: 0)").argParser(share))
    .addOption(
      new Option("--memory <GiB>", "with --on: memory of a run (default: Ray's own)").argParser(share),
    )
    .option(
      "--kit <folder>",
      "with --on: where the kit, set up, lies on the nodes (default: the same path as here)",
    )
    .option(
      "--upload <host>",
      "with --on: the nodes do not see the store's folder; they fetch and send by HTTP, and reach this machine as HOST",
    );
}

/**
 * The place that the flags name.
 * @throws KitError when the cluster does not answer, and for flags that would do nothing
 */
export async function placeOf(
  flags: PlaceFlags,
  onLog: (run: string, line: string) => void,
): Promise<RunPlace> {
  const { processes, threads, on, gpus = 0, memory, kit, upload } = flags;
  if (on === undefined) {
    for (const name of ["gpus", "memory", "kit", "upload"] as const) {
      if (flags[name] === undefined) continue;
      throw new KitError(`--${name} is for runs on a cluster`, "add --on ADDRESS, or leave it out");
    }
    return localPlace({ threads, ...(processes === undefined ? {} : { processes }) });
  }
  return rayPlace({
    address: on,
    resources: { cpus: threads, gpus, ...(memory === undefined ? {} : { memory: memory * 2 ** 30 }) },
    store: upload === undefined ? { kind: "shared" } : { kind: "upload", host: upload },
    onLog,
    ...(processes === undefined ? {} : { capacity: processes }),
    ...(kit === undefined ? {} : { kit }),
  });
}

function share(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError("Give a number above 0.");
  return value;
}
