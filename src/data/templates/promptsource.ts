import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseDocument, type ScalarTag, type CollectionTag, YAMLMap } from "yaml";
import { z } from "zod";
import { KitError, messageOf } from "../../support/errors.js";
import { readTextFile } from "../../support/files.js";
import { hashJson } from "../../support/hash.js";
import { Random } from "../../support/random.js";
import { validate } from "../../support/validate.js";
import type { Segment, Template } from "../template.js";
import { align, hasMark, markOf, type Slot } from "./align.js";
import { JinjaTemplate } from "./jinja/template.js";
import { missing } from "./pattern.js";

/** A template of PromptSource, with its data set. */
export interface PromptSourceTemplate {
  readonly dataset: string;
  readonly subset?: string;
  readonly id: string;
  readonly name: string;
  /** Prompt and target, separated by `|||`. */
  readonly jinja: string;
  /** Jinja that gives the answers to choose from, separated by `|||`. */
  readonly answerChoices?: string;
  /** Whether the template asks for the data set's own task; others ask for its inverse, say. */
  readonly originalTask?: boolean;
}

/** What a template makes of a row. */
export interface PromptSourceText {
  readonly prompt: string;
  readonly target: string;
  readonly choices?: readonly string[];
}

const SEPARATOR = "|||";
/** Stands for `|||` in a row's own texts while the template is cut. */
const PROTECTED = "\uE002";

const templateSchema = z.looseObject({
  name: z.string(),
  id: z.string(),
  jinja: z.string(),
  answer_choices: z.string().nullish(),
  metadata: z.looseObject({ original_task: z.boolean().nullish() }).nullish(),
});

const fileSchema = z.looseObject({
  dataset: z.string(),
  subset: z.string().nullish(),
  templates: z.record(z.string(), templateSchema),
});

/** PromptSource's own tags; a mapping under one is a plain mapping, nothing is made of it. */
const TAGS: (ScalarTag | CollectionTag)[] = ["!Template", "!TemplateMetadata"].map((tag) => ({
  tag,
  collection: "map",
  nodeClass: YAMLMap,
}));

/**
 * The templates of a PromptSource folder (all `templates.yaml` below it) or of one file, in the order of their paths and ids.
 * @throws KitError for a file that is no YAML or has no templates, with the file and the field
 */
export function readPromptSource(path: string): PromptSourceTemplate[] {
  const files = path.endsWith(".yaml") ? [path] : yamlFiles(path);
  if (files.length === 0) {
    throw new KitError("there is no templates.yaml here", "give a folder of PromptSource templates", {
      file: path,
    });
  }
  return files.flatMap(readFile);
}

/**
 * A row under a template, as `Template.apply` of PromptSource: both parts without the white space around them.
 * @param draw seed of the filter `choice`; with the row's id, it decides what is drawn
 * @returns undefined where the template passes the row over: its target is empty
 * @throws KitError when the template and the row do not fit together
 */
export function applyPromptSource(
  template: PromptSourceTemplate,
  row: Readonly<Record<string, unknown>>,
  draw: Draw = { seed: 0, id: "" },
): PromptSourceText | undefined {
  return new PromptSourceWriter(template).apply(row, draw);
}

/**
 * A PromptSource template as a template of the kit, for examples with the raw `fields` of their row. The response is the
 * template's target, which need not be the example's reference. A line end stands between prompt and target, where T5 has its border between
 * encoder and decoder.
 */
export function promptSourceTemplate(template: PromptSourceTemplate, seed: number): Template {
  const writer = new PromptSourceWriter(template);
  const name = promptSourceName(template);
  return {
    name,
    format: "ift",
    stop: [],
    hash: hashJson({ kind: "promptsource", version: 1, ...template, seed }),
    render(example) {
      const { fields, id } = example;
      if (fields === undefined) throw missing(name, example, "fields");
      const segments = writer.segments(fields, { seed, id });
      if (segments === undefined) {
        throw new KitError(
          `template "${name}" passes example "${id}" over: its target is empty`,
          "leave the row out",
          { field: "fields" },
        );
      }
      return [
        { role: "user", segments: [...segments.prompt, { text: "\n", source: "scaffold" }] },
        { role: "assistant", segments: [{ text: segments.target, source: "response" }] },
      ];
    },
  };
}

/** Such as "super_glue/cb/GPT-3 style". */
export function promptSourceName({ dataset, subset, name }: PromptSourceTemplate): string {
  return [dataset, ...(subset === undefined ? [] : [subset]), name].join("/");
}

/** What decides a random choice. */
interface Draw {
  readonly seed: number;
  readonly id: string;
}

/** A template made ready once for many rows. */
export class PromptSourceWriter {
  readonly #what: string;
  readonly #template: PromptSourceTemplate;
  readonly #jinja: JinjaTemplate;
  readonly #choices: JinjaTemplate | undefined;

  /** @throws KitError for a template that is not Jinja */
  constructor(template: PromptSourceTemplate) {
    this.#what = `PromptSource template "${promptSourceName(template)}"`;
    this.#template = template;
    this.#jinja = new JinjaTemplate(this.#what, template.jinja, "promptsource");
    this.#choices =
      template.answerChoices === undefined
        ? undefined
        : new JinjaTemplate(`the answer choices of ${this.#what}`, template.answerChoices, "promptsource");
  }

  /** Names of the fields that the template reads. */
  fields(): ReadonlySet<string> {
    const names = new Set([...this.#jinja.variables(), ...(this.#choices?.variables() ?? [])]);
    names.delete("answer_choices");
    return names;
  }

  /** As `applyPromptSource`. */
  apply(row: Readonly<Record<string, unknown>>, draw: Draw): PromptSourceText | undefined {
    const safe = this.#protect(row);
    const choices = this.#choicesOf(safe, draw);
    const [prompt, target] = this.#cut(this.#render(safe, choices, draw));
    if (target === "") return undefined;
    return { prompt, target, ...(choices === undefined ? {} : { choices: choices.map(unprotect) }) };
  }

  /** The prompt in pieces: the row's texts are input, the rest is the template's. Undefined as `apply`. */
  segments(
    row: Readonly<Record<string, unknown>>,
    draw: Draw,
  ): { readonly prompt: readonly Segment[]; readonly target: string } | undefined {
    const text = this.apply(row, draw);
    if (text === undefined) return undefined;
    return { prompt: this.#promptSegments(row, text.prompt, draw), target: text.target };
  }

  #promptSegments(row: Readonly<Record<string, unknown>>, prompt: string, draw: Draw): readonly Segment[] {
    const whole: readonly Segment[] = [{ text: prompt, source: "scaffold" }];
    const names = Object.keys(row).filter((name) => typeof row[name] === "string" && row[name] !== "");
    const slots = names.map((name): Slot => {
      return { text: String(row[name]), source: "input", trimmable: true };
    });
    if (slots.some(({ text }) => hasMark(text))) return whole;
    const marks = Object.fromEntries(names.map((name, index) => [name, markOf(index)]));
    try {
      const choices = this.#choicesOf(this.#protect(row), draw);
      const [marked] = this.#cut(this.#render({ ...this.#protect(row), ...marks }, choices, draw));
      const pieces = align(marked, prompt, slots);
      return (
        pieces?.map(({ text, slot }) => ({ text, source: slot === undefined ? "scaffold" : "input" })) ??
        whole
      );
    } catch (error) {
      // A template that computes with a text cannot be marked: its prompt is one piece, and is never cut.
      if (error instanceof KitError) return whole;
      throw error;
    }
  }

  #render(
    row: Readonly<Record<string, unknown>>,
    choices: readonly string[] | undefined,
    draw: Draw,
  ): string {
    const random = Random.derive(draw.seed, `${this.#template.id} on ${draw.id}`);
    return this.#jinja.render({ ...row, answer_choices: choices ?? null }, random);
  }

  #choicesOf(row: Readonly<Record<string, unknown>>, draw: Draw): readonly string[] | undefined {
    const random = Random.derive(draw.seed, `answer choices of ${this.#template.id} on ${draw.id}`);
    return this.#choices
      ?.render(row, random)
      .split(SEPARATOR)
      .map((choice) => choice.trim());
  }

  #protect(row: Readonly<Record<string, unknown>>): Record<string, unknown> {
    if ("answer_choices" in row) {
      throw new KitError(
        `the row has the field "answer_choices", which ${this.#what} sets itself`,
        "rename the field",
        { field: "answer_choices" },
      );
    }
    return Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        typeof value === "string" ? value.replaceAll(SEPARATOR, PROTECTED) : value,
      ]),
    );
  }

  #cut(text: string): [prompt: string, target: string] {
    const parts = text.split(SEPARATOR).map((part) => unprotect(part).trim());
    // A template whose condition fails writes nothing at all: the row is passed over.
    const [prompt = "", target = "", ...more] = parts;
    if (more.length > 0) {
      throw new KitError(
        `${this.#what} writes ${parts.length} parts`,
        `separate prompt and target by one ${SEPARATOR}`,
      );
    }
    return [prompt, target];
  }
}

function unprotect(text: string): string {
  return text.replaceAll(PROTECTED, SEPARATOR);
}

function yamlFiles(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith("templates.yaml"))
      .sort()
      .map((name) => join(folder, name));
  } catch (error) {
    throw new KitError(`the folder cannot be read (${messageOf(error)})`, "check the path", { file: folder });
  }
}

function readFile(file: string): PromptSourceTemplate[] {
  const document = parseDocument(readTextFile(file), { customTags: TAGS, schema: "core" });
  const [problem] = document.errors;
  if (problem !== undefined) {
    const line = problem.linePos?.[0].line;
    throw new KitError(
      `not valid YAML (${problem.message.split("\n")[0] ?? problem.code})`,
      "restore the file",
      { file, ...(line === undefined ? {} : { line }) },
      { cause: problem },
    );
  }
  const { dataset, subset, templates } = validate(fileSchema, document.toJS(), "the template file", { file });
  return Object.values(templates).map((template) => ({
    dataset,
    ...(subset == null ? {} : { subset }),
    id: template.id,
    name: template.name,
    jinja: template.jinja,
    ...(template.answer_choices == null ? {} : { answerChoices: template.answer_choices }),
    ...(template.metadata?.original_task == null ? {} : { originalTask: template.metadata.original_task }),
  }));
}
