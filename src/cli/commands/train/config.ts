import { KitError } from "../../../support/errors.js";
import { readJsonFile } from "../../../support/files.js";
import { ANSWER_SCHEMAS, type AnswerObjective, parseAnswerConfig, type RunConfig } from "./run-config.js";
import {
  type ClassificationConfig,
  type MaskedConfig,
  ENCODER_SCHEMAS,
  parseClassificationConfig,
  parseMaskedConfig,
} from "./encoder-config.js";
import { parseSpanConfig, SPAN_SCHEMA, type SpanConfig } from "./span-config.js";

/** What `ift-kit train` can be told to do, told apart by `objective`. */
export type AnyRunConfig = RunConfig | ClassificationConfig | MaskedConfig | SpanConfig;

/** The fields of the file for each objective. */
const SCHEMAS = { ...ANSWER_SCHEMAS, ...ENCODER_SCHEMAS, "span-corruption": SPAN_SCHEMA } as const;
type ObjectiveName = keyof typeof SCHEMAS;
const NAMES = Object.keys(SCHEMAS) as ObjectiveName[];

/**
 * Reads and checks the configuration of any run; the model's shape is checked when the vocabulary is known.
 * @throws KitError that names the file and the wrong field; for a field that belongs to another objective, which
 */
export function readRunConfig(file: string): AnyRunConfig {
  const source = readJsonFile(file);
  const objective = objectiveOf(source, file);
  refuseForeignFields(source, objective, file);
  switch (objective) {
    case "classification":
      return parseClassificationConfig(source, file);
    case "masked-language":
    case "masked-language-next-sentence":
      return parseMaskedConfig(source, objective, file);
    case "span-corruption":
      return parseSpanConfig(source, file);
    case "next-token":
    case "sequence-to-sequence":
      return parseAnswerConfig(source, objective satisfies AnswerObjective, file);
  }
}

function objectiveOf(source: unknown, file: string): ObjectiveName {
  const given =
    typeof source === "object" && source !== null && "objective" in source ? source.objective : "next-token";
  const name = NAMES.find((known) => known === given);
  if (name !== undefined) return name;
  throw new KitError(
    `there is no objective ${JSON.stringify(given)}`,
    `use one of ${NAMES.map((known) => `"${known}"`).join(", ")}`,
    { file, field: "objective" },
  );
}

/** A field that another objective has is refused with the name of that one; any other is the schema's business. */
function refuseForeignFields(source: unknown, objective: ObjectiveName, file: string): void {
  if (typeof source !== "object" || source === null) return;
  for (const field of Object.keys(source)) {
    if (field in SCHEMAS[objective].shape) continue;
    const owners = NAMES.filter((name) => field in SCHEMAS[name].shape);
    if (owners.length === 0) continue;
    const left = "objective" in source ? "" : " (the objective is left out)";
    throw new KitError(
      `the field belongs to ${owners.map((name) => `"${name}"`).join(", ")}, and this run's objective is "${objective}"${left}`,
      `remove it, or give the objective that is meant; "${objective}" has ${Object.keys(SCHEMAS[objective].shape).join(", ")}`,
      { file, field },
    );
  }
}
