import { KitError } from "../../support/errors.js";
import { hashJson } from "../../support/hash.js";
import { Random } from "../../support/random.js";
import type { Template } from "../template.js";

/**
 * A template that says the instruction in one of its wordings: the row's own or one of its `paraphrases`, chosen by seed and
 * row id. A row without paraphrases keeps its instruction.
 */
export function withParaphrases(base: Template, seed: number): Template {
  return {
    ...base,
    name: `${base.name}+paraphrases`,
    hash: hashJson({ kind: "paraphrases", version: 1, base: base.hash, seed }),
    render(example) {
      const { instruction, paraphrases = [] } = example;
      if (instruction === undefined || paraphrases.length === 0) return base.render(example);
      const wordings = [instruction, ...paraphrases];
      const wording = Random.derive(seed, `paraphrase of ${example.id}`).choice(wordings);
      return base.render({ ...example, instruction: wording });
    },
  };
}

/**
 * One of several templates for each row, chosen by seed and row id, as FLAN and T0 mix theirs.
 * @throws KitError for no template, and for templates that differ in format or in what ends a response
 */
export function seededChoice(name: string, templates: readonly Template[], seed: number): Template {
  const [first] = templates;
  if (first === undefined)
    throw new KitError(`the mixture "${name}" has no template`, "give it at least one");
  const endings = (template: Template): string =>
    JSON.stringify([template.format, template.stop, template.stopToken ?? null]);
  const other = templates.find((template) => endings(template) !== endings(first));
  if (other !== undefined) {
    throw new KitError(
      `the templates "${first.name}" and "${other.name}" differ in format or in what ends a response`,
      "mix templates that agree in both",
    );
  }
  return {
    ...first,
    name,
    hash: hashJson({ kind: "seeded-choice", version: 1, templates: templates.map(({ hash }) => hash), seed }),
    render: (example) => Random.derive(seed, `template of ${example.id}`).choice(templates).render(example),
  };
}
