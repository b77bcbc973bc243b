import { z } from "zod";
import type { RowContext, RowReading, RowSchema } from "./format.js";
import { readChecked, rowFormat } from "./row-format.js";
import { text, writtenText } from "./rows.js";
import { readEachInstance } from "./self-instruct.js";

const rowSchema = z.looseObject({
  instruction: writtenText,
  instances: z.array(z.unknown()),
  reformulations: z.array(z.looseObject({ instruction: writtenText })).optional(),
});

const instanceSchema = z.looseObject({
  input: text,
  output: text,
  constraints: text.nullish(),
});

/**
 * Unnatural Instructions (Honovich et al. 2022): `{instruction, instances: [{input, instruction_with_input, constraints,
 * output}]}`; the full data add `reformulations`, whose wordings become paraphrases. They have "{INPUT}" where the input
 * goes. The constraints of an instance ("The output should be one of ...") belong to what is asked: they follow the
 * instruction, on a line of their own, where there are any.
 */
const unnaturalRows: RowSchema = {
  name: "unnatural-instructions",
  looksLike: "{instruction, instances: [{input, instruction_with_input, constraints, output}]}",
  recognize(first) {
    if (!("instruction" in first) || !Array.isArray(first.instances)) return undefined;
    const instance: unknown = first.instances[0];
    const fits = typeof instance === "object" && instance !== null && "instruction_with_input" in instance;
    return fits ? "the instances of the first row have instruction_with_input" : undefined;
  },
  rows: (record, context) => readChecked(rowSchema, record, context, (row) => readInstances(row, context)),
};

/** Unnatural Instructions, core and full. */
export const unnaturalInstructionsFormat = rowFormat(unnaturalRows);

function readInstances(
  { instruction, instances, reformulations = [] }: z.output<typeof rowSchema>,
  { name, number }: RowContext,
): readonly RowReading[] {
  const task = `${name}-${number}`;
  const paraphrases = [...new Set(reformulations.map((other) => other.instruction))].filter(
    (other) => other !== instruction,
  );
  return readEachInstance(instances, instanceSchema, task, ({ input, output, constraints }, index) => ({
    example: {
      id: instances.length === 1 ? task : `${task}-${index + 1}`,
      task,
      taskType: name,
      instruction: isConstraint(constraints) ? `${instruction}\n${constraints}` : instruction,
      input,
      source: name,
      ...(paraphrases.length === 0 ? {} : { paraphrases }),
    },
    outputs: [output],
  }));
}

/** The data write "None." where there is no constraint. */
function isConstraint(constraints: string | null | undefined): constraints is string {
  return constraints !== null && constraints !== undefined && !/^\s*(none\.?)?\s*$/i.test(constraints);
}
