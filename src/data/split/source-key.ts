/** Collections whose name stands before that of the data set, as in "glue_qqp", "super_glue/rte", "kilt_tasks/hotpotqa". */
const COLLECTIONS = /^(?:super_?glue|glue|kilt_tasks)[/_ ]+/;

/** Other spellings of data sets in FLAN, T0 and Super-NaturalInstructions, letters and digits only. */
const SPELLINGS: Readonly<Record<string, string>> = {
  arc: "ai2arc",
  adverserialqa: "adversarialqa",
  e2e: "e2enlg",
  enhancedwsc: "wsc",
  imdbreviews: "imdb",
  mathmaticsdataset: "mathdataset",
  multinli: "mnli",
  pawswiki: "paws",
  rottentomatoe: "rottentomatoes",
  rocstories: "storycloze",
  squad11: "squad",
  squad20: "squadv2",
  squadv1: "squad",
  winogradwsc: "wsc",
  wscfiexed: "wsc",
  wscfixed: "wsc",
  yelppolarityreviews: "yelppolarity",
};

/**
 * The data sets that a row comes from, each under one name however it is written: "glue/qqp", "GLUE_QQP" and "qqp" are
 * `qqp`, "common_gen" and "commongen" are `commongen`. A configuration after a slash is left out ("anli/r1" is `anli`), and
 * "a + b" are two.
 */
export function sourceKeys(source: string): string[] {
  const keys = source.split(/ \+ |[;,] /).map((name) => {
    const [dataset = ""] = name.trim().toLowerCase().replace(COLLECTIONS, "").split("/");
    const key = dataset.replaceAll(/[^\p{L}\p{N}]+/gu, "");
    return SPELLINGS[key] ?? key;
  });
  return [...new Set(keys.filter((key) => key !== ""))];
}
