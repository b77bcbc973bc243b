import { RUN_RESULT_VERSION, type RunResult, type RunSpecification } from "../../src/experiment/result.js";

/** The result of a run that nobody did: the given parts, and a manifest and a training that say nothing. */
export function madeUpResult(
  run: RunSpecification,
  parts: Partial<Pick<RunResult, "key" | "rows">> = {},
): RunResult {
  return {
    version: RUN_RESULT_VERSION,
    key: "",
    suite: run.suite,
    arm: run.arm,
    seed: run.seed,
    specification: { ...run },
    resolved: {},
    manifest: {
      kitVersion: "0",
      commit: "",
      sourceHash: "",
      node: "",
      dependencies: {},
      engine: { backend: "tensorflow", tensorflowVersion: null, device: "", threads: 1 },
      processor: "",
      trainingDataHash: "",
      testDataHash: "",
      template: { name: "", hash: "" },
      tokenizerHash: "",
      parameterCount: 1000,
      rules: {},
    },
    training: {
      steps: 10,
      supervisedTokens: 1000,
      totalTokens: 3000,
      epochs: 0.5,
      seconds: 1,
      rows: 100,
      droppedRows: 0,
      truncatedRows: 0,
      flops: 0,
      weightsHash: "",
    },
    ledger: [],
    curve: [{ step: 10, supervisedTokens: 1000, loss: 0.5 }],
    rows: [],
    ...parts,
  };
}
