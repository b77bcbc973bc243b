import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CORPUS_MIX,
  corpusOf,
  corpusStream,
  DOCUMENT_SHARES,
} from "../../../src/data/mini/corpus/documents.js";
import { corpusLines, countTokens, sentencePairs } from "../../../src/data/mini/corpus/write.js";
import { factsOf, RELATIONS, type RelationName } from "../../../src/data/mini/facts.js";
import { partition } from "../../../src/data/mini/partition.js";
import { expand } from "../../../src/data/mini/grammar/alternatives.js";
import { frame } from "../../../src/data/mini/grammar/frame.js";
import { noun, verb, withArticle } from "../../../src/data/mini/grammar/words.js";
import { createWorld } from "../../../src/data/mini/world.js";
import { sha256 } from "../../../src/support/hash.js";
import { Random } from "../../../src/support/random.js";

test("words inflect by rule, by exception and by agreement", () => {
  assert.deepEqual(
    ["lamp", "box", "cherry", "toy"].map((text) => noun(text).plural),
    ["lamps", "boxes", "cherries", "toys"],
  );
  const forms = ["carry", "drop", "write wrote written", "move"].map(verb);
  assert.deepEqual(
    forms.map(({ third }) => third),
    ["carries", "drops", "writes", "moves"],
  );
  assert.deepEqual(
    forms.map(({ past }) => past),
    ["carried", "dropped", "wrote", "moved"],
  );
  assert.deepEqual(
    forms.map(({ participle }) => participle),
    ["carried", "dropped", "written", "moved"],
  );
  assert.deepEqual(
    forms.map(({ ing }) => ing),
    ["carrying", "dropping", "writing", "moving"],
  );
  assert.deepEqual(["owl", "uniform", "umbrella", "hour", "boat"].map(withArticle), [
    "an owl",
    "a uniform",
    "an umbrella",
    "an hour",
    "a boat",
  ]);
  const agreeing = frame("{who} {move|agrees:who} {thing|a}.");
  assert.equal(agreeing.fill({ who: "she", move: verb("carry"), thing: "egg" }), "She carries an egg.");
  const they = { text: "they", number: "plural" } as const;
  assert.equal(agreeing.fill({ who: they, move: verb("carry"), thing: "pan" }), "They carry a pan.");
  assert.throws(() => frame("{who|past}").fill({ who: "Mia" }), /no form "past"/);
});

test("a frame reads back what it wrote, and nothing else", () => {
  const sentence = frame("{who} put {thing|a} into {place|a}.");
  const terms = { who: "Mia Brook", thing: "owl", place: "box" };
  assert.deepEqual(sentence.match(sentence.fill(terms)), terms);
  assert.equal(sentence.match("Mia Brook took an owl out of a box."), undefined);
  assert.deepEqual(expand("[A|B] c[|d]"), ["A c", "A cd", "B c", "B cd"]);
});

test("the facts of a world are consistent: one object for each subject of a relation", () => {
  const facts = factsOf(createWorld(1));
  const objects = new Map<string, string>();
  for (const { relation, subject, object } of facts) {
    const key = `${relation}|${subject}`;
    assert.equal(objects.get(key), undefined, `${key} is said twice`);
    objects.set(key, object);
  }
  assert.equal(objects.get("book-author|Pride and Prejudice"), "Jane Austen");
  assert.ok(facts.length > 900);
  const question = RELATIONS["book-author"].questions[0]?.fill({ subject: "Pride and Prejudice" });
  assert.equal(question, "Who is the author of 'Pride and Prejudice'?");
  assert.notDeepEqual(factsOf(createWorld(2)), facts);
});

test("parts of a list are disjoint and together the list", () => {
  const { train, validation, test: rest } = partition(Array.from("abcdefghij"), 1, "letters");
  assert.deepEqual([...train, ...validation, ...rest].sort(), Array.from("abcdefghij"));
  assert.deepEqual([train.length, validation.length, rest.length], [7, 1, 2]);
  assert.ok(Object.values(partition([1, 2, 3], 1, "few")).every((part) => part.length === 1));
});

test("the corpus says every fact once a round, and no fact wrongly", () => {
  const world = createWorld(1);
  const facts = factsOf(world);
  const byRelation = new Map<RelationName, Map<string, string>>();
  for (const { relation, subject, object } of facts) {
    const known = byRelation.get(relation) ?? new Map<string, string>();
    byRelation.set(relation, known.set(subject.toLowerCase(), object));
  }
  const stream = corpusStream(world, "train");
  const said = new Map<string, number>();
  while (stream.factExposures < 2) {
    const { kind, sentences } = stream.next();
    if (kind !== "facts") continue;
    for (const sentence of sentences) {
      const key = [...byRelation].flatMap(([relation, known]) =>
        RELATIONS[relation].statements.flatMap((statement) => {
          const found = statement.match(sentence);
          const object = found === undefined ? undefined : known.get(found.subject.toLowerCase());
          return object?.toLowerCase() === found?.object.toLowerCase() && found !== undefined
            ? [`${relation}|${found.subject.toLowerCase()}`]
            : [];
        }),
      )[0];
      assert.ok(key !== undefined, `no fact says: ${sentence}`);
      said.set(key, (said.get(key) ?? 0) + 1);
    }
  }
  assert.equal(said.size, facts.length);
  assert.ok([...said.values()].every((times) => times >= 2));
});

test("the corpus has the size asked for, the same bytes on every machine, and documents of every kind", () => {
  const written = [...corpusLines(corpusOf(1, "train"), 20_000)].join("");
  const tokens = countTokens(written);
  assert.ok(tokens >= 20_000 && tokens < 20_200, `${tokens} tokens`);
  assert.equal(sha256(written), CORPUS_HASH);
  assert.notEqual(sha256([...corpusLines(corpusOf(1, "validation"), 20_000)].join("")), CORPUS_HASH);
  const stream = corpusOf(1, "train");
  const kinds = new Set(Array.from({ length: 200 }, () => stream.next().kind));
  assert.equal(kinds.size, Object.keys(DOCUMENT_SHARES).length);
  assert.equal(
    Object.values(DOCUMENT_SHARES).reduce((sum, share) => sum + share, 0),
    100,
  );
});

test("sentence pairs are neighbours in one document, and strangers, in turn", () => {
  const stream = corpusOf(1, "train");
  const documents: string[] = [];
  const spy = {
    factExposures: 0,
    next: () => {
      const document = stream.next();
      documents.push(`${document.sentences.join("\n")}\n`);
      return document;
    },
  };
  const random = new Random(1);
  const pairs = sentencePairs(spy, (limit) => random.integer(limit));
  for (let index = 0; index < 400; index++) {
    const { first, second, isNext } = pairs.next().value;
    assert.equal(isNext, index % 2 === 0);
    if (isNext) assert.ok(documents.some((text) => text.includes(`${first}\n${second}\n`)));
  }
});

/** Of the first 20,000 tokens of the corpus of seed 1; a change of world or wording changes it. */
const CORPUS_HASH = "0d705533e24a00af22eb33823c21b81c6e7d6494774009e62fe2d4075ff5ef38";

test("a mix changes which documents there are and how much is told of a text; the default is the corpus that ships", () => {
  const documents = (mix = CORPUS_MIX): { kind: string; sentences: readonly string[] }[] => {
    const stream = corpusOf(1, "train", mix);
    return Array.from({ length: 300 }, () => stream.next());
  };
  assert.deepEqual(documents(), documents({ shares: DOCUMENT_SHARES, tellings: 3 }));
  const none = { facts: 0, story: 0, dialogue: 0, review: 0, news: 0, selections: 0, formats: 0 };
  const told = documents({ shares: { ...none, selections: 3, formats: 1 }, tellings: 6 });
  assert.deepEqual(new Set(told.map(({ kind }) => kind)), new Set(["selections", "formats"]));
  const selections = told.filter(({ kind }) => kind === "selections");
  assert.ok(selections.length > 180 && selections.length < 270);
  // A text, who read it, and what is told; a selector may find nothing in a text.
  const most = (of: readonly { sentences: readonly string[] }[]): number =>
    Math.max(...of.map(({ sentences }) => sentences.length));
  assert.equal(most(selections), 8);
  assert.equal(most(documents().filter(({ kind }) => kind === "selections")), 5);
});
