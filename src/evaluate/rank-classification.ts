import type { Example } from "../data/example.js";
import { fitPrompt, renderSpans } from "../data/render.js";
import type { RenderPolicy } from "../data/spans.js";
import type { Template } from "../data/template.js";
import type { Tokenizer } from "../data/tokenizer.js";
import { KitError } from "../support/errors.js";
import type { LoadedModel } from "./model-folder.js";
import { type OptionRequest, scoreOptions } from "./option-scores.js";
import { optionPanel } from "./panel.js";
import { type RankedExample, type RankSummary, summarizeRanks } from "./rank-summary.js";
import { scoreTargets, type ScoreOptions } from "./score.js";
import type { BootstrapOptions } from "./statistics/bootstrap.js";

/** What a rank classification decides; all of it changes the numbers. */
export interface RankSettings {
  readonly template: Template;
  /** `maxTokens` is the longest prompt and option together. */
  readonly policy: Pick<RenderPolicy, "maxTokens" | "overlong" | "demonstrations">;
  /** Whether the end token is part of each option: with it "no" does not win over "no one" by being its beginning. */
  readonly scoreEnd: boolean;
  readonly bootstrap: BootstrapOptions;
}

/** A summary, and the rows behind it. */
export interface RankClassification extends RankSummary {
  readonly examples: readonly RankedExample[];
  /** Rows whose prompt leaves no room for their longest option. */
  readonly leftOut: readonly { readonly id: string; readonly taskType: string }[];
  /** Rows without options, which cannot be ranked. */
  readonly withoutOptions: number;
}

/** The rows that were ranked, in their order, and those that do not fit. */
export type RankedRows = Pick<RankClassification, "examples" | "leftOut">;

/**
 * Chooses among each row's options by their log-probabilities, by all methods of the panel at once. Prompts are computed
 * once for all their options.
 * @returns undefined when the signal aborts
 * @throws KitError when no row has options, or a row's references are not among its options
 */
export async function rankClassify(
  model: LoadedModel,
  examples: readonly Example[],
  settings: RankSettings,
  run: ScoreOptions,
): Promise<RankClassification | undefined> {
  const ranked = await rankRows(model, examples, settings, run);
  if (ranked === undefined) return undefined;
  return {
    ...summarizeRanks(ranked.examples, settings.bootstrap),
    ...ranked,
    withoutOptions: examples.length - ranked.examples.length - ranked.leftOut.length,
  };
}

/** The rows of `rankClassify` without a summary. @throws KitError as it does */
export async function rankRows(
  { decoder, tokenizer }: LoadedModel,
  examples: readonly Example[],
  settings: Omit<RankSettings, "bootstrap">,
  run: ScoreOptions,
): Promise<RankedRows | undefined> {
  const ranked = examples.filter(({ options }) => options !== undefined && options.length > 0);
  const prepared = ranked.map((example) => prepare(example, settings, tokenizer));
  const rows = prepared.flatMap((row) =>
    row.request === undefined ? [] : [{ ...row, request: row.request }],
  );
  if (rows.length === 0) {
    throw new KitError(
      "no row has options to rank",
      "use data with options, or give the labels of each task with withTaskLabels",
      { field: "options" },
    );
  }
  const alone = await scoreAlone(decoder, rows, tokenizer, run);
  const scores = await scoreOptions(
    decoder,
    rows.map(({ request }) => request),
    run,
  );
  if (run.signal?.aborted === true) return undefined;
  const results = rows.map(({ example, request, right }, row): RankedExample => ({
    id: example.id,
    task: example.task,
    taskType: example.taskType,
    options: example.options ?? [],
    right,
    prompt: request.prompt,
    panels: (example.options ?? []).map((text, option) =>
      optionPanel({
        text,
        tokens: request.options[option]?.length ?? 0,
        logprob: scores[row]?.[option]?.logprob ?? Number.NaN,
        alone: alone.get(keyOf(request.options[option] ?? [])) ?? Number.NaN,
      }),
    ),
  }));
  return {
    examples: results,
    leftOut: prepared.flatMap(({ example: { id, taskType }, request }) =>
      request === undefined ? [{ id, taskType }] : [],
    ),
  };
}

/**
 * Gives rows without options the labels of their task: all references that occur in it.
 * @param mostLabels tasks with more labels are no classification, and stay without options
 */
export function withTaskLabels(examples: readonly Example[], mostLabels: number): Example[] {
  const labels = new Map<string, Set<string>>();
  for (const { task, outputs } of examples) {
    const known = labels.get(task) ?? new Set();
    outputs.forEach((output) => known.add(output));
    labels.set(task, known);
  }
  return examples.map((example) => {
    const known = labels.get(example.task) ?? new Set();
    return example.options !== undefined || known.size > mostLabels || known.size < 2
      ? example
      : { ...example, options: [...known].sort() };
  });
}

interface Prepared {
  readonly example: Example;
  readonly right: readonly number[];
  /** Absent where the row does not fit. */
  readonly request?: OptionRequest;
}

function prepare(
  example: Example,
  { template, policy, scoreEnd }: Omit<RankSettings, "bootstrap">,
  tokenizer: Tokenizer,
): Prepared {
  const texts = example.options ?? [];
  const right = texts.flatMap((text, place) => (example.outputs.includes(text) ? [place] : []));
  if (right.length === 0) {
    throw new KitError(
      `the answer of example "${example.id}" is not among its options (${texts.slice(0, 5).join(", ")})`,
      "write answers and options alike, or leave the row out",
      { field: "options" },
    );
  }
  const options = texts.map((text) =>
    optionIds({ ...example, outputs: [text] }, template, tokenizer, scoreEnd),
  );
  const room = Math.max(...options.map((ids) => ids.length));
  const prompt = fitPrompt(example, template, tokenizer, { ...policy, lossOn: "response" }, room);
  return prompt === undefined
    ? { example, right }
    : { example, right, request: { prompt: prompt.ids, options } };
}

/** The tokens of a row's response, as training renders them. */
function optionIds(example: Example, template: Template, tokenizer: Tokenizer, scoreEnd: boolean): number[] {
  const rendered = renderSpans(example, template, tokenizer, {
    maxTokens: Number.MAX_SAFE_INTEGER,
    overlong: "drop",
    lossOn: "response",
  });
  if (rendered.kind === "dropped") {
    throw new KitError(
      `the option "${example.outputs[0] ?? ""}" of example "${example.id}" cannot be written in tokens`,
      "use the model's own tokenizer, or leave the row out",
      { field: "options" },
    );
  }
  const { ids, source, promptLength } = rendered.spans;
  return ids.slice(promptLength, scoreEnd ? undefined : source.lastIndexOf("response") + 1);
}

/** log P(option | nothing): after the BOS alone, or the end token where there is no BOS. */
async function scoreAlone(
  decoder: LoadedModel["decoder"],
  rows: readonly { readonly request: OptionRequest }[],
  tokenizer: Tokenizer,
  { batchTokens, signal, compile }: ScoreOptions,
): Promise<Map<string, number>> {
  const { bos, eos } = tokenizer.special;
  const options = new Map(rows.flatMap(({ request }) => request.options.map((ids) => [keyOf(ids), ids])));
  const scores = await scoreTargets(
    decoder,
    [...options.values()].map((target) => ({ prompt: [bos ?? eos], target })),
    {
      batchTokens,
      ...(signal === undefined ? {} : { signal }),
      ...(compile === undefined ? {} : { compile }),
    },
  );
  return new Map([...options.keys()].map((key, index) => [key, scores[index]?.logprob ?? Number.NaN]));
}

function keyOf(ids: readonly number[]): string {
  return ids.join(" ");
}
