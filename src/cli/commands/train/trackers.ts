import { join } from "node:path";
import { MetricsFile } from "../../../train/track/metrics-file.js";
import { mlflowServer, MlflowTracker } from "../../../train/track/mlflow/mlflow.js";
import { TensorBoardFiles } from "../../../train/track/tensorboard/tensorboard.js";
import type { Tracker } from "../../../train/track/tracker.js";
import type { CommonConfig } from "./common-config.js";

/** What a run is called on a server whose experiment nobody named. */
const EXPERIMENT = "ift-kit";

/**
 * The trackers of a run: its metrics file, TensorBoard's files unless they are turned off, and MLflow where the config or
 * the environment names a server.
 * @param environment MLFLOW_TRACKING_URI, MLFLOW_EXPERIMENT_NAME, MLFLOW_TRACKING_TOKEN
 * @throws KitError for an address that is not one of a server
 */
export function trackersOf(
  out: string,
  name: string,
  { source, tracking }: Pick<CommonConfig, "source" | "tracking">,
  environment: Readonly<Record<string, string | undefined>>,
): Tracker[] {
  const trackers: Tracker[] = [new MetricsFile(join(out, "metrics.jsonl"))];
  if (tracking.tensorboard !== false) trackers.push(new TensorBoardFiles(join(out, "tensorboard")));
  const server = mlflowServer(environment, tracking.mlflow?.uri);
  if (server === undefined) return trackers;
  const experiment = tracking.mlflow?.experiment ?? environment.MLFLOW_EXPERIMENT_NAME ?? EXPERIMENT;
  const parameters = flatten(source);
  const stateFile = join(out, "mlflow.json");
  return [...trackers, new MlflowTracker({ server, experiment, name, parameters, stateFile })];
}

/** A configuration as dotted paths and texts. */
function flatten(value: unknown, path = ""): Record<string, string> {
  if (value === null || typeof value !== "object" || Array.isArray(value))
    return { [path]: typeof value === "string" ? value : JSON.stringify(value) };
  return Object.assign(
    {},
    ...Object.entries(value).map(([name, field]) => flatten(field, path === "" ? name : `${path}.${name}`)),
  ) as Record<string, string>;
}
