import { hashJson } from "../../support/hash.js";
import type { Template } from "../template.js";
import { conversation } from "./pattern.js";
import { definitionSegments, taskSegments } from "./tk-instruct.js";

/** The texts of the template, for its hash. */
const TEXTS = {
  definition: "Definition: ",
  afterDefinition: "\n\nNow complete the following example -\n",
  input: "Input: ",
  afterInput: "\n",
  cue: "Output:",
} as const;

/**
 * The task's definition and the input in the words of Tk-Instruct, without examples (`tkInstruct` has those, and says where
 * the text differs from the source):
 *
 *     Definition: Say whether the review is positive or negative.
 *
 *     Now complete the following example -
 *     Input: Great movie!
 *     Output:Positive
 */
export const iftDefinition: Template = {
  name: "ift-definition",
  format: "ift",
  stop: [],
  hash: hashJson({ kind: "tk-instruct-definition", version: 1, texts: TEXTS }),
  render: (example) =>
    conversation([...definitionSegments("ift-definition", example), ...taskSegments(example)], example),
};
