import { KitError } from "../../support/errors.js";
import { hashJson, sha256 } from "../../support/hash.js";
import { answerRows } from "../answer-rows.js";
import { ifevalAccuracies, type IfevalAccuracies, scoreConstraints } from "../ifeval/score.js";
import type { ResultExample, ResultMetric } from "../result/schema.js";
import { meanInterval } from "../statistics/bootstrap.js";
import { metricOf, type Protocol, type ProtocolInput, type ProtocolOutcome } from "./types.js";

/** IFEval (Zhou et al. 2023): greedy answers held against constraints that a program can check. */
export const ifeval: Protocol = {
  name: "ifeval",
  description: "greedy answers held against checkable constraints, strictly and loosely",
  severalTemplates: false,
  evaluate: evaluateIfeval,
};

async function evaluateIfeval({
  model,
  examples,
  templates: [template],
  settings,
  run,
}: ProtocolInput): Promise<ProtocolOutcome | undefined> {
  if (template === undefined) return undefined;
  const constrained = examples.filter(({ constraints = [] }) => constraints.length > 0);
  if (constrained.length === 0) {
    throw new KitError("no row has constraints to check", "give data such as IFEval's", {
      field: "constraints",
    });
  }
  // Templates want a reference, which such rows do not have; no prompt shows it.
  const asked = constrained.map((example) => ({ ...example, outputs: [""] }));
  const rows = await answerRows(model, asked, { ...settings, template }, run);
  if (rows === undefined) return undefined;
  const scored = rows.answered.map((row) => {
    const constraints = row.example.constraints ?? [];
    return { ...row, constraints, scores: scoreConstraints(row.output, constraints) };
  });
  if (scored.length === 0) {
    throw new KitError(
      "every prompt is too long for the model",
      "ask for fewer new tokens, or use a longer context",
    );
  }
  const accuracies = ifevalAccuracies(scored.map(({ scores }) => scores));
  const floor = ifevalAccuracies(
    scored.map(({ example, constraints }) => scoreConstraints(example.input, constraints)),
  );
  const lines = scored.map(
    ({ example, constraints, prompt, output, scores: { strict, loose } }): ResultExample => ({
      id: example.id,
      task: example.task,
      taskType: example.taskType,
      template: template.name,
      promptHash: sha256(model.tokenizer.decode(prompt.ids)),
      targetHash: hashJson(constraints),
      outputHash: sha256(output),
      output,
      scores: {
        "prompt strict": strict.every(Boolean) ? 1 : 0,
        "prompt loose": loose.every(Boolean) ? 1 : 0,
      },
    }),
  );
  return {
    metrics: metricsOf(accuracies, floor, lines, template.name, settings.bootstrap),
    examples: lines,
    notes:
      rows.leftOut.length === 0
        ? []
        : [`${rows.leftOut.length} rows left out: their prompt leaves no room for the answer.`],
  };
}

function metricsOf(
  accuracies: IfevalAccuracies,
  floor: IfevalAccuracies,
  lines: readonly ResultExample[],
  template: string,
  bootstrap: ProtocolInput["settings"]["bootstrap"],
): ResultMetric[] {
  const place = { scope: "all", of: "all", template, rows: lines.length } as const;
  const prompts = (["strict", "loose"] as const).map((kind): ResultMetric => {
    const metric = `prompt ${kind}`;
    // Prompts are independent; their groups are no task types, so each prompt weighs the same.
    const scores = lines.map(({ id, scores: own }) => ({
      seed: 0,
      taskType: "prompts",
      id,
      score: own[metric] ?? 0,
    }));
    return metricOf({ ...place, metric }, meanInterval(scores, bootstrap), {
      "copy input": kind === "strict" ? floor.promptStrict : floor.promptLoose,
    });
  });
  return [
    ...prompts,
    {
      ...place,
      metric: "instruction strict",
      mean: accuracies.instructionStrict,
      floors: { "copy input": floor.instructionStrict },
    },
    {
      ...place,
      metric: "instruction loose",
      mean: accuracies.instructionLoose,
      floors: { "copy input": floor.instructionLoose },
    },
  ];
}
