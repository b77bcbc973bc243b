import { INFERENCE_TASKS } from "./inference.js";
import { FACT_TO_QUESTION, OPEN_QUESTION_TASKS } from "./open-questions.js";
import { PARAPHRASE_TASKS } from "./paraphrase.js";
import { RECORD_TASKS } from "./records.js";
import { DIALOGUE_TASKS, GRAMMAR_TASKS, TRANSLATION_TASKS } from "./sentences.js";
import { SENTIMENT_TASKS } from "./sentiment.js";
import { STORY_TASKS } from "./stories.js";
import { SUMMARY_TASKS } from "./summaries.js";
import type { MiniTask } from "./task.js";
import { TOPIC_TASKS } from "./topic.js";
import { ANALOGY_TASKS, CATEGORY_TASKS } from "./words.js";
import { REWRITING_TASKS, SORTING_TASKS } from "./lists.js";

/** All tasks of the mini world besides the grid. */
export const MINI_TASKS: readonly MiniTask[] = [
  ...SENTIMENT_TASKS,
  ...TOPIC_TASKS,
  ...INFERENCE_TASKS,
  ...PARAPHRASE_TASKS,
  ...OPEN_QUESTION_TASKS,
  ...STORY_TASKS,
  FACT_TO_QUESTION,
  ...SUMMARY_TASKS,
  ...RECORD_TASKS,
  ...ANALOGY_TASKS,
  ...SORTING_TASKS,
  ...REWRITING_TASKS,
  ...CATEGORY_TASKS,
  ...GRAMMAR_TASKS,
  ...TRANSLATION_TASKS,
  ...DIALOGUE_TASKS,
];
