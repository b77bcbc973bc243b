import type { Example } from "../../example.js";

/** The article's own three examples, as rows that a tuned model has to answer. */
export const ARTICLE_ROWS: readonly Example[] = [
  articleRow(
    "film-sentiment",
    "sentiment",
    "Classify the sentiment of the following review.",
    "The movie was fantastic!",
    "Positive",
    ["Positive", "Negative"],
  ),
  articleRow(
    "market-summary",
    "summarization",
    "Summarize the following article.",
    "The stock market saw significant gains today, driven by…",
    "The stock market experienced gains due to increased investor confidence.",
  ),
  articleRow(
    "book-questions",
    "open-questions",
    "Answer the following question.",
    "Who is the author of 'Pride and Prejudice'?",
    "Jane Austen",
  ),
];

function articleRow(
  task: string,
  taskType: string,
  instruction: string,
  input: string,
  output: string,
  options?: readonly string[],
): Example {
  return {
    id: `mini-article-${task}`,
    task: `mini-${task}`,
    taskType,
    instruction,
    input,
    outputs: [output],
    ...(options === undefined ? {} : { options }),
    source: `mini-${task}`,
  };
}
