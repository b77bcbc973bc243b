import { z } from "zod";
import { oneExample, readChecked, rowFormat } from "./row-format.js";
import { writtenText } from "./rows.js";

const rowSchema = z
  .looseObject({
    key: z.union([z.number(), writtenText]),
    prompt: writtenText,
    instruction_id_list: z.array(writtenText).min(1, "it has no entry"),
    kwargs: z.array(z.record(z.string(), z.unknown())),
  })
  .refine((row) => row.instruction_id_list.length === row.kwargs.length, {
    path: ["kwargs"],
    message: "one entry for each of instruction_id_list was expected",
  });

/**
 * IFEval (Zhou et al. 2023): `{key, prompt, instruction_id_list, kwargs}`, the two lists of the same length. There is no
 * reference: an answer is right when it holds to the constraints. The task type is the group of the first constraint
 * ("length_constraints"). For evaluation only. Arguments that are null (as in the Parquet copy, which has each argument in
 * each row) are left out.
 */
export const ifevalFormat = rowFormat({
  name: "ifeval",
  looksLike: "{key, prompt, instruction_id_list, kwargs}",
  recognize: (first) =>
    "prompt" in first && "instruction_id_list" in first && "kwargs" in first
      ? "the first row has prompt, instruction_id_list and kwargs"
      : undefined,
  rows: (record, context) =>
    readChecked(rowSchema, record, context, ({ key, prompt, instruction_id_list: kinds, kwargs }) => {
      const { name } = context;
      const constraints = kinds.map((kind, index) => ({ kind, settings: given(kwargs[index] ?? {}) }));
      const group = kinds[0]?.split(":")[0] ?? name;
      const example = {
        id: `${name}-${key}`,
        task: `${name}/${group}`,
        taskType: group,
        input: prompt,
        source: name,
        constraints,
        evaluationOnly: true,
      } as const;
      return oneExample(example, [], "instruction_id_list");
    }),
});

function given(settings: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(settings).filter(([, value]) => value !== null && value !== undefined),
  );
}
