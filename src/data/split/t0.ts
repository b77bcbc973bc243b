import type { Example } from "../example.js";
import type { ClusterTable } from "./clusters.js";
import { sourceKeys } from "./source-key.js";

/** The training mixtures of T0 (Sanh et al. 2022): each holds the one before. */
export type T0Variant = "T0" | "T0+" | "T0++";

/**
 * Who trains on a data set: all variants ("base"), those from T0+ on ("gpt"), T0++ only ("super-glue"), or none. Data sets that a
 * variant does not train on and that are evaluated are held out of it.
 */
type TrainedBy = "base" | "gpt" | "super-glue" | "none";

interface T0Entry {
  readonly trainedBy: TrainedBy;
  readonly evaluated: boolean;
}

/**
 * T0's clusters with the data sets of `t0/datasets.csv` (bigscience-workshop/t-zero), by who trains on them. COPA stands with the
 * sentence completion tasks, as in the paper's figure 2; the table has it among the questions with choices.
 */
const DATASETS: Readonly<
  Record<string, Partial<Record<TrainedBy | "super-glue, evaluated" | "gpt, evaluated", string>>>
> = {
  bias_and_fairness: { none: "crows_pairs jigsaw_toxicity_pred axg wino_bias" },
  coreference: { none: "winogrande", "super-glue, evaluated": "wsc" },
  NLI: { none: "cb rte anli" },
  paraphrase: { base: "mrpc qqp paws" },
  QA_closed_book: { base: "hotpotqa wiki_qa", gpt: "ai2_arc trivia_qa web_questions" },
  QA_extractive: {
    base: "adversarial_qa duorc ropes quoref",
    gpt: "squad_v2",
    "super-glue": "record",
  },
  QA_multiple_choice: {
    base: "cos_e commonsense_qa cosmos_qa dream qasc quail quarel quartz sciq social_i_qa wiki_hop wiqa",
    gpt: "openbookqa race piqa",
    "super-glue": "boolq multirc",
  },
  sentiment: { base: "amazon_polarity app_reviews imdb rotten_tomatoes yelp_review_full" },
  story_completion: { none: "story_cloze", "gpt, evaluated": "hellaswag", "super-glue, evaluated": "copa" },
  structure_to_text: { base: "common_gen wiki_bio" },
  summarization: { base: "cnn_dailymail gigaword multi_news samsum xsum" },
  topic_classification: { base: "ag_news dbpedia_14 trec" },
  word_sense_disambiguation: { "super-glue, evaluated": "wic" },
};

/** T0's clusters of tasks. */
export const T0_CLUSTERS: ClusterTable = {
  name: "T0",
  clusters: Object.fromEntries(
    Object.entries(DATASETS).map(([cluster, byWho]) => [
      cluster,
      Object.values(byWho).flatMap((names) => names.split(" ")),
    ]),
  ),
};

const ENTRIES: ReadonlyMap<string, T0Entry> = new Map(
  Object.values(DATASETS).flatMap((byWho) =>
    Object.entries(byWho).flatMap(([who, names]) => {
      const [trainedBy, evaluated] = who.split(", ") as [TrainedBy, string | undefined];
      const entry = { trainedBy, evaluated: trainedBy === "none" || evaluated !== undefined };
      return names.split(" ").flatMap((name) => sourceKeys(name).map((key) => [key, entry] as const));
    }),
  ),
);

const MIXTURES: Readonly<Record<T0Variant, readonly TrainedBy[]>> = {
  T0: ["base"],
  "T0+": ["base", "gpt"],
  "T0++": ["base", "gpt", "super-glue"],
};

/**
 * The side of a row's data set in T0's split.
 * @returns "unused" for a data set that the variant neither trains on nor is evaluated on, undefined for one not in T0's list
 */
export function t0Side(example: Example, variant: T0Variant): "train" | "held-out" | "unused" | undefined {
  const entries = sourceKeys(example.source).flatMap((key) => ENTRIES.get(key) ?? []);
  const [first] = entries;
  if (first === undefined) return undefined;
  if (entries.some(({ trainedBy }) => MIXTURES[variant].includes(trainedBy))) return "train";
  return entries.some(({ evaluated }) => evaluated) ? "held-out" : "unused";
}
