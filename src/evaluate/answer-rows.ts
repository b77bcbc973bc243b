import type { Example } from "../data/example.js";
import { endToken, fitPrompt, type FittedPrompt } from "../data/render.js";
import type { RenderPolicy } from "../data/spans.js";
import type { Template } from "../data/template.js";
import { answerOf } from "../data/answer.js";
import type { CompileOption } from "./compiling.js";
import { type Ending, generate } from "./generate.js";
import type { LoadedModel } from "./model-folder.js";

/** How rows become prompts, and how long an answer may be. */
export interface AnswerSettings {
  readonly template: Template;
  /** `maxTokens` is the longest prompt and answer together. */
  readonly policy: Pick<RenderPolicy, "maxTokens" | "overlong">;
  /** Longest answer, in tokens. */
  readonly maxNewTokens: number;
}

/** What does not change the answers. */
export interface AnswerRun extends CompileOption {
  readonly batchSize: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** A row and what the model said. */
export interface AnsweredRow {
  readonly example: Example;
  readonly prompt: FittedPrompt;
  readonly output: string;
  readonly ending: Ending;
}

/**
 * Answers rows greedily.
 * @returns the rows that were answered and those whose prompt leaves no room, in their order; undefined when the signal
 *   aborts
 * @throws KitError when a row lacks what the template shows
 */
export async function answerRows(
  { decoder, tokenizer }: LoadedModel,
  examples: readonly Example[],
  { template, policy, maxNewTokens }: AnswerSettings,
  run: AnswerRun,
): Promise<{ readonly answered: readonly AnsweredRow[]; readonly leftOut: readonly Example[] } | undefined> {
  const fitted = examples.map((example) => ({
    example,
    prompt: fitPrompt(example, template, tokenizer, { ...policy, lossOn: "response" }, maxNewTokens),
  }));
  const asked = fitted.flatMap(({ example, prompt }) => (prompt === undefined ? [] : [{ example, prompt }]));
  const answers = await generate(
    decoder,
    asked.map(({ prompt }) => prompt.ids),
    {
      ...run,
      maxNewTokens,
      eos: endToken(template, tokenizer),
      ...(template.stop.length === 0 ? {} : { stop: { texts: template.stop, tokenizer } }),
    },
  );
  if (run.signal?.aborted === true) return undefined;
  return {
    answered: asked.map((row, index) => {
      const answer = answers[index];
      return {
        ...row,
        output: answerOf(template, answer?.text ?? tokenizer.decode(answer?.ids ?? [])),
        ending: answer?.ending ?? "length",
      };
    }),
    leftOut: fitted.filter(({ prompt }) => prompt === undefined).map(({ example }) => example),
  };
}
