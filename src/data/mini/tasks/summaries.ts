import { MARKETS } from "../lexicon/news.js";
import { drawMarketNews, drawNews, retell, TOPICS } from "../scenes/news.js";
import { type MiniTask, wordings } from "./task.js";

const OTHER_TOPICS = TOPICS.filter((topic) => topic !== "Business");

/** The headline of an article. Easy rows have its first sentence, the others all of it. */
const headline: MiniTask = {
  name: "news-headline",
  taskType: "summarization",
  separates: "materials",
  difficulties: ["easy", "medium"],
  instructions: wordings(
    "[Write|Give|Find] a headline for [the following|this] article.",
    "[What would be a good headline?|Which headline fits the article?]",
    "[Put|Sum up] the article in[to|] a few words.",
  ),
  draw: ({ random, materials, difficulty }) => {
    const { sentences, headlines } = drawNews(random.choice(OTHER_TOPICS), materials, random);
    return { input: difficulty === "easy" ? (sentences[0] ?? "") : sentences.join(" "), outputs: headlines };
  },
  solve: (input) => retell(input, "headlines"),
};

const newsSummary: MiniTask = {
  name: "news-summary",
  taskType: "summarization",
  separates: "materials",
  difficulties: ["easy", "medium"],
  instructions: wordings(
    "Summarize the [following |]article.",
    "[Write|Give] a [short|brief] summary of [the|this] article.",
    "[Say|Tell me] in one sentence what [happened|the article says].",
  ),
  draw: ({ random, materials, difficulty }) => {
    const { sentences, summaries } = drawNews(random.choice(OTHER_TOPICS), materials, random);
    return { input: difficulty === "easy" ? (sentences[0] ?? "") : sentences.join(" "), outputs: summaries };
  },
  solve: (input) => retell(input, "summaries"),
};

/**
 * Summaries of news of markets, in the words of the article's own example. Hard rows are cut off before the reason, as
 * that example is: the reason has to be known, and in the world's newspapers it is always the same for a market and a
 * direction.
 */
const marketSummary: MiniTask = {
  name: "market-summary",
  taskType: "summarization",
  separates: "inputs",
  instructions: newsSummary.instructions,
  draw: ({ random, difficulty }) => {
    const news = drawMarketNews(
      random.choice(MARKETS),
      random.integer(2) === 0,
      difficulty === "hard",
      random,
    );
    return {
      input: difficulty === "easy" ? (news.sentences[0] ?? "") : news.sentences.join(" "),
      outputs: news.summaries,
    };
  },
  solve: (input) => retell(input, "summaries"),
};

export const SUMMARY_TASKS: readonly MiniTask[] = [newsSummary, headline, marketSummary];
