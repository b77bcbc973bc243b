import type { Example } from "../example.js";
import { sourceKeys } from "./source-key.js";

/** Which cluster of tasks each data set belongs to. */
export interface ClusterTable {
  readonly name: string;
  readonly clusters: Readonly<Record<string, readonly string[]>>;
}

/** The clusters of FLAN (Wei et al. 2022), data sets as in `flan/task_splits.py`, without their versions. */
export const FLAN_CLUSTERS: ClusterTable = {
  name: "FLAN",
  clusters: {
    summarization: [
      "aeslc",
      "cnn_dailymail",
      "gigaword",
      "multi_news",
      "newsroom",
      "samsum",
      "xsum",
      "ag_news",
      "opinion_abstracts",
      "wiki_lingua",
    ],
    structure_to_text: ["web_nlg", "common_gen", "e2e_nlg", "dart"],
    reading_comprehension: ["squad", "squad_v2", "drop", "multirc", "openbookqa", "boolq"],
    open_domain_qa: ["trivia_qa", "natural_questions", "ai2_arc"],
    paraphrase: ["mrpc", "qqp", "paws", "stsb"],
    sentiment: ["imdb", "sentiment140", "yelp_polarity", "sst2"],
    text_formatting: ["true_case", "fix_punct", "word_segment"],
    common_sense: ["copa", "hellaswag", "story_cloze", "piqa"],
    translation: ["para_crawl", "wmt14", "wmt16"],
    coreference: ["definite_pronoun_resolution", "winogrande", "wsc"],
    entailment: ["anli", "cb", "rte", "mnli", "qnli", "wnli", "snli"],
    math: ["math_dataset"],
    conversational_qa: ["quac", "coqa"],
    word_disambiguation: ["wic"],
    linguistic_acceptability: ["cola"],
    question_classification: ["trec"],
    read_comp_and_common_sense: ["record", "cosmos_qa"],
  },
};

/** The cluster of a row by its sources; undefined where the table has none of them, or several clusters claim it. */
export function clusterOf({ source }: Example, table: ClusterTable): string | undefined {
  const clusters = clustersByKey(table);
  const found = new Set(sourceKeys(source).flatMap((key) => clusters.get(key) ?? []));
  const [only, ...others] = found;
  return others.length === 0 ? only : undefined;
}

const KEYED = new WeakMap<ClusterTable, ReadonlyMap<string, string>>();

function clustersByKey(table: ClusterTable): ReadonlyMap<string, string> {
  const known = KEYED.get(table);
  if (known !== undefined) return known;
  const keyed = new Map(
    Object.entries(table.clusters).flatMap(([cluster, datasets]) =>
      datasets.flatMap(sourceKeys).map((key) => [key, cluster] as const),
    ),
  );
  KEYED.set(table, keyed);
  return keyed;
}
