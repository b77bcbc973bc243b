import { Random } from "../../../support/random.js";
import { factsOf } from "../facts.js";
import { BLAME, PRAISE } from "../lexicon/opinions.js";
import { TOWNS } from "../lexicon/places.js";
import { drawDialogue } from "../scenes/dialogue.js";
import { drawNews, TOPICS } from "../scenes/news.js";
import { drawReview, type Polarity, type ReviewTarget } from "../scenes/review.js";
import { drawStory } from "../scenes/story.js";
import { createWorld, type World } from "../world.js";
import { FactRounds } from "./facts.js";
import { narratedFormats, narratedSelections } from "./narrated.js";

/** A text of the pre-training corpus: sentences that belong together, in order. */
export interface CorpusDocument {
  readonly kind: DocumentKind;
  readonly sentences: readonly string[];
}

/** Kinds of documents and their weights, here in percent. Facts are the most: each must be met often. */
export const DOCUMENT_SHARES = {
  facts: 34,
  story: 16,
  dialogue: 8,
  review: 8,
  news: 10,
  selections: 12,
  formats: 12,
} as const;
export type DocumentKind = keyof typeof DOCUMENT_SHARES;

/** What a corpus is mixed of. */
export interface CorpusMix {
  /** Weight of each kind among the documents, a whole number. */
  readonly shares: Readonly<Record<DocumentKind, number>>;
  /** What is told of each text in a document of selections, at most. */
  readonly tellings: number;
}

/** The mix of the corpus that ships. */
export const CORPUS_MIX: CorpusMix = { shares: DOCUMENT_SHARES, tellings: 3 };

/** The documents of the corpus, endlessly, and how often each fact was said. */
export interface CorpusStream {
  next(): CorpusDocument;
  /** How often every fact was said at least. */
  readonly factExposures: number;
}

/**
 * The corpus of a world as a stream of documents in constant memory.
 * @param part "train" and "validation" are different documents about the same world
 */
export function corpusStream(
  world: World,
  part: "train" | "validation",
  { shares, tellings }: CorpusMix = CORPUS_MIX,
): CorpusStream {
  const kinds = Object.entries(shares).flatMap(([kind, share]) =>
    Array.from({ length: share }, () => kind as DocumentKind),
  );
  const random = Random.derive(world.seed, `corpus ${part}`);
  const rounds = new FactRounds(factsOf(world), Random.derive(world.seed, `corpus ${part} facts`));
  return {
    next: () => {
      const kind = random.choice(kinds);
      const sentences = kind === "facts" ? rounds.next() : drawDocument(kind, world, tellings, random);
      return { kind, sentences };
    },
    get factExposures() {
      return rounds.rounds;
    },
  };
}

/** The corpus of a seed's world. */
export function corpusOf(
  seed: number,
  part: "train" | "validation",
  mix: CorpusMix = CORPUS_MIX,
): CorpusStream {
  return corpusStream(createWorld(seed), part, mix);
}

function drawDocument(
  kind: Exclude<DocumentKind, "facts">,
  world: World,
  tellings: number,
  random: Random,
): readonly string[] {
  switch (kind) {
    case "story":
      return drawStory({ people: world.people, towns: TOWNS }, random).sentences;
    case "dialogue": {
      const [first, second] = random.shuffled(world.people);
      return drawDialogue(first?.first ?? "", second?.first ?? "", random);
    }
    case "review":
      return drawOpinions(world, random);
    case "news":
      return drawNews(random.choice(TOPICS), { towns: TOWNS }, random).sentences;
    case "selections":
      return narratedSelections(world, tellings, random);
    case "formats":
      return narratedFormats(world, random);
  }
}

/** A review of several sentences of one opinion, and what came of it: the label said in words of its own. */
function drawOpinions({ people }: World, random: Random): string[] {
  const target = random.choice<ReviewTarget>(["film", "book", "shop", "meal"]);
  const polarity = random.choice<Polarity>(["Positive", "Negative"]);
  const words = { praise: PRAISE, blame: BLAME };
  const levels = random.shuffled(["easy", "medium", "hard"] as const).slice(0, 2);
  const name = random.choice(people).first;
  const verdict =
    polarity === "Positive"
      ? ["The review was positive.", `${name} liked the ${target}.`, `So ${name} gave five stars.`]
      : ["The review was negative.", `${name} did not like the ${target}.`, `So ${name} gave one star.`];
  return [
    ...levels.map((level) => drawReview(target, polarity, level, words, random)),
    random.choice(verdict),
  ];
}
