import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readExamples } from "../../src/data/read/index.js";
import { compileConstraint, CONSTRAINT_KINDS } from "../../src/evaluate/ifeval/checks.js";
import { detectLanguage } from "../../src/evaluate/ifeval/language.js";
import { ifevalAccuracies, scoreConstraints } from "../../src/evaluate/ifeval/score.js";
import { countSentences } from "../../src/evaluate/ifeval/sentences.js";
import { treebankWords } from "../../src/evaluate/ifeval/treebank-words.js";
import { KitError } from "../../src/support/errors.js";
import { NO_SHARED_DATA, sharedData } from "../data/fixtures.js";

interface Goldens {
  readonly answers: readonly string[];
  readonly languages: Readonly<Record<string, string>>;
  readonly constraints: readonly {
    readonly kind: string;
    readonly settings: Readonly<Record<string, unknown>>;
    /** A "1" for each answer that holds to it. */
    readonly strict: string;
    readonly loose: string;
  }[];
  readonly sentences: readonly { readonly text: string; readonly count: number }[];
  readonly words: readonly { readonly text: string; readonly words: readonly string[] }[];
}

const GOLDEN = JSON.parse(readFileSync(new URL("golden/ifeval.json", import.meta.url), "utf8")) as Goldens;

/** Checks that ask for a language; langdetect guesses on a few words, and finds none in capitals. */
const LANGUAGE_KINDS = [
  "language:response_language",
  "change_case:english_capital",
  "change_case:english_lowercase",
];

test("each of the 25 checks equals the reference on 118 answers, strictly and loosely", () => {
  assert.equal(CONSTRAINT_KINDS.length, 25);
  for (const { kind, settings, strict, loose } of GOLDEN.constraints) {
    GOLDEN.answers.forEach((answer, index) => {
      const letters = answer.match(/\p{L}/gu)?.length ?? 0;
      if (LANGUAGE_KINDS.includes(kind) && letters > 0 && letters < 40) return;
      const scores = scoreConstraints(answer, [{ kind, settings }]);
      const message = `${kind} ${JSON.stringify(settings)} on ${JSON.stringify(answer)}`;
      assert.equal(scores.strict[0], strict[index] === "1", `strict ${message}`);
      // Loosely, the rest of an answer may be short.
      if (!LANGUAGE_KINDS.includes(kind))
        assert.equal(scores.loose[0], loose[index] === "1", `loose ${message}`);
    });
  }
});

test("the goldens hold to each kind and break it, strictly and loosely", () => {
  for (const kind of CONSTRAINT_KINDS) {
    const results = GOLDEN.constraints.filter((one) => one.kind === kind);
    for (const all of [
      results.map(({ strict }) => strict).join(""),
      results.map(({ loose }) => loose).join(""),
    ]) {
      assert.ok(all.includes("1") && all.includes("0"), kind);
    }
  }
  const changed = GOLDEN.constraints.filter(({ strict, loose }) => strict !== loose);
  assert.ok(new Set(changed.map(({ kind }) => kind)).size > 10, "loose checking matters");
});

test("the languages of the prompts are found", () => {
  for (const [code, text] of Object.entries(GOLDEN.languages)) assert.equal(detectLanguage(text), code);
  assert.equal(detectLanguage("日本語のテキスト"), "ja");
  assert.equal(detectLanguage("人人生而自由"), "zh-cn");
  assert.equal(detectLanguage("123 !?"), undefined);
});

test("sentences and words are counted as NLTK does, on 150 paragraphs of a novel", () => {
  for (const { text, count } of GOLDEN.sentences) assert.equal(countSentences(text), count, text);
  for (const { text, words } of GOLDEN.words) assert.deepEqual(treebankWords(text), words, text);
});

test("negative control: counting end marks is not counting sentences", () => {
  const differ = GOLDEN.sentences.filter(({ text, count }) => (text.match(/[.?!]+/g)?.length ?? 0) !== count);
  assert.ok(differ.length > 20, `${differ.length} paragraphs`);
});

const PROMPTS = sharedData("ifeval/input_data.jsonl");
test(
  "every constraint of the published prompts can be checked",
  { skip: PROMPTS === undefined && NO_SHARED_DATA },
  async () => {
    const { examples } = await readExamples(PROMPTS ?? "");
    assert.equal(examples.length, 541);
    const kinds = new Set<string>();
    const scores = examples.map(({ id, input, constraints = [] }) => {
      constraints.forEach(({ kind }) => kinds.add(kind));
      return scoreConstraints(input, constraints, { field: id });
    });
    assert.equal(kinds.size, 25);
    // Answers that repeat the prompt hold to few of the constraints, but to some.
    const { promptStrict, promptLoose, instructionStrict, instructionLoose } = ifevalAccuracies(scores);
    assert.ok(0 < promptStrict && promptStrict <= promptLoose && promptLoose < 0.5);
    assert.ok(promptStrict < instructionStrict && instructionStrict <= instructionLoose);
  },
);

test("a constraint that cannot be checked is an error that names the kind or the setting", () => {
  const refuses = (run: () => unknown, message: RegExp): void => {
    assert.throws(run, (error) => error instanceof KitError && message.test(error.message));
  };
  refuses(
    () => compileConstraint({ kind: "keywords:rhyme", settings: {} }),
    /"keywords:rhyme" cannot be checked/,
  );
  const words = { num_words: 5, relation: "more than" };
  refuses(
    () => compileConstraint({ kind: "length_constraints:number_words", settings: words }, { line: 3 }),
    /field "relation".*"more than".*"less than", "at least"/,
  );
  refuses(() => ifevalAccuracies([]), /no answers/);
});
