import type { Example } from "../../data/example.js";
import { numberTasks, withShuffledInstructions, withTaskTags } from "../../data/rewrite/arms.js";
import { drawRewriteSuite } from "../../data/rewrite/suite.js";
import { patternTemplate } from "../../data/templates/pattern.js";
import type { Template } from "../../data/template.js";
import type { Tokenizer } from "../../data/tokenizer.js";
import { CharacterTokenizer } from "../../tokenizer/character.js";
import type { RewriteRun } from "./plan.js";

/** The input alone: "abcab=". */
export const REWRITE_SFT = patternTemplate({ name: "rewrite-sft", format: "sft", prompt: "{input}=" });
/** The rule, then the input: "ab>xyz|abcab=". */
export const REWRITE_IFT = patternTemplate({
  name: "rewrite-ift",
  format: "ift",
  prompt: "{instruction}|{input}=",
});

/** What a run trains on and is tested on, as its arm shows it. */
export interface RewriteRows {
  readonly train: readonly Example[];
  readonly seenTest: readonly Example[];
  readonly heldOutTest: readonly Example[];
  readonly template: Template;
  readonly tokenizer: Tokenizer;
}

/**
 * The rows of a run. For one seed the arms have the same rules, strings and answers in the same order, and differ only
 * in what is shown beside them. Shuffled instructions are shuffled in training only: the test asks with true ones.
 */
export function rewriteRows(
  run: Pick<RewriteRun, "format" | "trainingRules" | "seed" | "settings">,
): RewriteRows {
  const { settings, seed } = run;
  const suite = drawRewriteSuite(
    settings.language,
    {
      trainingRules: run.trainingRules,
      trainingRows: settings.trainingRows,
      heldOutRules: settings.split.heldOutRules,
      testRows: settings.evaluation.testRows,
    },
    seed,
  );
  const symbols = Array.from(`${settings.language.alphabet}=>|`);
  switch (run.format) {
    case "sft":
      return { ...suite, template: REWRITE_SFT, tokenizer: CharacterTokenizer.fromAlphabet(symbols) };
    case "ift":
      return { ...suite, template: REWRITE_IFT, tokenizer: CharacterTokenizer.fromAlphabet(symbols) };
    case "ift-shuffled":
      return {
        ...suite,
        train: withShuffledInstructions(suite.train, seed),
        template: REWRITE_IFT,
        tokenizer: CharacterTokenizer.fromAlphabet(symbols),
      };
    case "sft-tag": {
      const numbers = numberTasks([...suite.train, ...suite.heldOutTest]);
      const tagged = {
        train: withTaskTags(suite.train, numbers),
        seenTest: withTaskTags(suite.seenTest, numbers),
        heldOutTest: withTaskTags(suite.heldOutTest, numbers),
      };
      const tags = new Set(
        [...tagged.train, ...tagged.heldOutTest].map(({ instruction }) => instruction ?? ""),
      );
      return {
        ...tagged,
        template: REWRITE_IFT,
        tokenizer: CharacterTokenizer.fromAlphabet([...symbols, ...tags]),
      };
    }
  }
}
