import { BLAME, PRAISE } from "../lexicon/opinions.js";
import { drawReview, type Polarity, polarityOf, type ReviewTarget } from "../scenes/review.js";
import { type MiniTask, wordingsWithOptions } from "./task.js";

const OPTIONS: readonly Polarity[] = ["Positive", "Negative"];

/**
 * Is a review for or against? Easy rows say it with a word, medium ones negate a word, in hard ones a smaller opinion
 * stands against the one about the whole.
 */
export const SENTIMENT_TASKS: readonly MiniTask[] = [
  sentimentTask("film-sentiment", "film", false),
  sentimentTask("book-sentiment", "book", true),
  sentimentTask("shop-sentiment", "shop", true),
  sentimentTask("meal-sentiment", "meal", true),
];

/** @param newWords whether the words of opinion in test rows are in no training row, so that only the corpus tells them */
function sentimentTask(name: string, target: ReviewTarget, newWords: boolean): MiniTask {
  return {
    name,
    taskType: "sentiment",
    options: OPTIONS,
    separates: newWords ? "materials" : "inputs",
    instructions: wordingsWithOptions(
      OPTIONS,
      "Classify the sentiment of [the following|this] review.",
      "[Decide|Say|Tell me] [if|whether] [the|this] review is positive or negative.",
      "What [is the sentiment of|opinion is in] this review?",
    ),
    draw: ({ random, materials, difficulty, label }) => {
      const words = newWords ? materials : { praise: PRAISE, blame: BLAME };
      return { input: drawReview(target, label as Polarity, difficulty, words, random), outputs: [label] };
    },
    solve: (input) => polarityOf(input),
  };
}
