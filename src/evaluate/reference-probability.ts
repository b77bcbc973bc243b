import type { Example } from "../data/example.js";
import { renderSpans } from "../data/render.js";
import type { RenderPolicy } from "../data/spans.js";
import type { Template } from "../data/template.js";
import { KitError } from "../support/errors.js";
import type { LoadedModel } from "./model-folder.js";
import { scoreTargets } from "./score.js";

const BATCH_TOKENS = 8192;

/**
 * How probable each row's first reference is after its prompt, as the whole answer: the token that ends it counts.
 * @returns probabilities from 0 to 1, in the order of the rows
 * @throws KitError when a row is too long or cannot be shown with the template
 */
export async function referenceProbabilities(
  { decoder, tokenizer }: LoadedModel,
  examples: readonly Example[],
  template: Template,
  policy: Pick<RenderPolicy, "maxTokens" | "overlong">,
): Promise<number[]> {
  const requests = examples.map((example) => {
    const outcome = renderSpans(example, template, tokenizer, { ...policy, lossOn: "response" });
    if (outcome.kind === "dropped") {
      throw new KitError(
        `example "${example.id}" cannot be scored (${outcome.reason})`,
        "raise maxTokens, or leave the row out",
      );
    }
    const { ids, promptLength } = outcome.spans;
    return { prompt: ids.slice(0, promptLength), target: ids.slice(promptLength) };
  });
  const scores = await scoreTargets(decoder, requests, { batchTokens: BATCH_TOKENS });
  return scores.map(({ logprob }) => Math.exp(logprob));
}
