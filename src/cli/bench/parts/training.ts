import type { BenchContext } from "../context.js";
import { peers } from "../context.js";
import type { Contest } from "../contest.js";
import { OwnTraining } from "../own-training.js";
import { flopsPerToken, OPTIMIZER, type Workload, WORKLOADS, workloadRows } from "../workload.js";
import { parameterSpecs } from "../../../model/parameters.js";

/** Training steps of decoders beside PyTorch. */
export function trainingContests(context: BenchContext, sizes: readonly Workload["name"][]): Contest[] {
  return WORKLOADS.filter(({ name }) => sizes.includes(name)).map((workload) => contestOf(context, workload));
}

function contestOf(context: BenchContext, workload: Workload): Contest {
  const compiled = context.engine.backend === "tensorflow";
  const kinds = compiled
    ? (["float32", "bfloat16", ...(context.withEager ? (["eager"] as const) : [])] as const)
    : (["eager"] as const);
  const parameters = parameterSpecs(workload.config).reduce(
    (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
    0,
  );
  const variants = [false, ...(context.torchCompile ? [true] : [])].flatMap((compile) =>
    (["float32", "bfloat16"] as const).map((precision) => ({
      task: "training",
      config: workload.config,
      optimizer: OPTIMIZER,
      rows: workloadRows(workload),
      precision,
      compile,
    })),
  );
  return {
    part: "training",
    what: workload.what,
    unit: "tokens/s",
    contestants: [
      ...kinds.map((kind) => () => Promise.resolve(new OwnTraining(workload, kind))),
      ...peers(context, variants, parameters),
    ],
    lapSeconds: 0.7,
    laps: { least: 3, most: 40, warmUp: true },
    flopsPerUnit: flopsPerToken(workload, parameters),
  };
}
