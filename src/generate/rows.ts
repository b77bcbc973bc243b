import type { Example } from "../data/example.js";
import type { Draft } from "./pipeline/draft.js";
import type { Method } from "./pipeline/pipeline.js";

/** What was kept as rows: those of the method where it makes its own, else a row an instance. */
export function rowsOf(method: Method, kept: readonly Draft[]): Example[] {
  return method.rows?.(kept) ?? kept.flatMap((draft) => rowsOfDraft(method.name, draft));
}

/** The constraints follow the instruction on a line of their own, as the reader of Unnatural Instructions has them. */
function rowsOfDraft(method: string, draft: Draft): Example[] {
  const { instruction, constraints, instances, paraphrases, options, isClassification, parents } = draft;
  const task = `${method}-${draft.id}`;
  const kind = isClassification === undefined ? method : isClassification ? "classification" : "generation";
  return instances.map(({ input, output }, index) => ({
    id: instances.length === 1 ? task : `${task}-${index + 1}`,
    task,
    taskType: kind,
    instruction: constraints === "" ? instruction : `${instruction}\n${constraints}`,
    ...(paraphrases.length === 0 ? {} : { paraphrases }),
    input,
    outputs: [output],
    ...(options === undefined ? {} : { options }),
    source: `generated-by-${method}`,
    fields: {
      parents,
      ...(draft.operation === undefined ? {} : { operation: draft.operation }),
      ...(draft.score === undefined ? {} : { score: draft.score }),
    },
  }));
}
