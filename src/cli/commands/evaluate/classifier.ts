import type { Example } from "../../../data/example.js";
import type { Template } from "../../../data/template.js";
import { loadBertFolder } from "../../../evaluate/bert-folder.js";
import { trainedPairAt } from "../../../evaluate/chat/trained-template.js";
import { KitError } from "../../../support/errors.js";
import { writeFileAtomic } from "../../../support/files.js";
import { onInterrupt } from "../../interrupt.js";
import { encodeRows, evaluateLabels, labelledText } from "../train/classification-run.js";
import type { EvaluateFlags } from "./flags.js";

/**
 * `ift-kit evaluate` of a BERT that classifies: the template shows the text, the answer is the label. One that was trained
 * on pairs is given pairs.
 * @throws KitError for a BERT with another head, and for a label that the head does not have
 */
export async function evaluateClassifier(
  flags: EvaluateFlags,
  template: Template,
  examples: readonly Example[],
): Promise<void> {
  const { bert, tokenizer } = loadBertFolder(flags.model);
  const { head, contextLength } = bert.config;
  if (head.kind !== "classification") {
    bert.dispose();
    throw new KitError(
      `a BERT is evaluated by the labels that it gives, and the head of this one is ${head.kind}`,
      'tune it with ift-kit train and the objective "classification"',
      { file: flags.model },
    );
  }
  const pairAt = trainedPairAt(flags.model);
  const data = { onUnrenderable: "error" } as const;
  const texts = examples.flatMap((row) => labelledText(row, { template, pairAt, data }) ?? []);
  const overlong = flags.overlong === "drop" ? "drop" : "cut-end";
  const { labels } = head;
  const encoded = encodeRows(texts, tokenizer, { labels, maxTokens: contextLength, overlong });
  const interrupt = onInterrupt("Stopping; nothing is written.");
  try {
    const evaluation = await evaluateLabels(bert, encoded.rows, labels, interrupt.signal, `of ${flags.data}`);
    if (evaluation === undefined) return;
    const { predictions, ...scores } = evaluation.scores;
    const described = {
      model: flags.model,
      data: flags.data,
      template: template.name,
      leftOut: encoded.overlong,
      ...scores,
    };
    if (flags.out !== undefined) {
      writeFileAtomic(flags.out, `${JSON.stringify({ ...described, predictions }, null, 2)}\n`);
    }
    console.log(flags.json === true ? JSON.stringify(described, null, 2) : evaluation.text);
  } finally {
    interrupt.release();
    bert.dispose();
  }
}
