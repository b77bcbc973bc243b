/**
 * Patterns of the FLAN 2022 collection: `flan/v2/templates.py` of google-research/FLAN@832b2a8 (Apache-2.0), those for data
 * with a definition (`natinst_v2`) and for chains of thought (`cot_gsm8k`, `strategyqa`), in their order there.
 */

/** `PATTERNS["natinst_v2"]`; `{Definition}` is the instruction. */
export const ZERO_SHOT_PATTERNS: readonly string[] = [
  "{Definition}\n\n{input}",
  "You will be given a definition of a task first, then some input of the task.\n{Definition}\n\n{input}\nOutput:",
  "Definition: {Definition}\nInput: {input}\nOutput:",
  "Instructions: {Definition}\nInput: {input}\nOutput:",
  "{Definition}\nQ: {input}\nA: ",
  "Given the task definition and input, reply with output. {Definition}\n\n{input}\n",
  "Teacher:{Definition}\nTeacher: Now, understand the problem? Solve this instance: {input}\nStudent:",
  "Q: {Definition}\n{input}\nA:",
  "Detailed Instructions: {Definition}\nProblem:{input}\nSolution:",
  "Detailed Instructions: {Definition}\nQ: {input}\nA:",
];

/** The parts of a `FewShotPattern`. */
export interface FewShotPattern {
  /** What stands before the demonstrations. */
  readonly head: string;
  readonly inputs: string;
  readonly targets: string;
  readonly inputsPrefix: string;
  readonly targetsPrefix: string;
  /** Between the input and the target of one demonstration. */
  readonly delimiter: string;
  /** Behind each demonstration. */
  readonly separator: string;
}

function fewShot(
  inputsPrefix: string,
  targetsPrefix: string,
  delimiter: string,
  separator: string,
  other: Partial<FewShotPattern> = {},
): FewShotPattern {
  return {
    head: "{Definition}\n\n",
    inputs: "{input}",
    targets: "{output}",
    inputsPrefix,
    targetsPrefix,
    delimiter,
    separator,
    ...other,
  };
}

/** `FEWSHOT_PATTERNS["natinst_v2"]`. */
export const FEW_SHOT_PATTERNS: readonly FewShotPattern[] = [
  fewShot("", "", "\n", "\n\n"),
  fewShot("Ex Input:\n", "Ex Output:\n", "\n\n", "\n\n\n"),
  fewShot("Input: ", "", "\n\n", "\n\n\n", {
    inputs: "Consider Input: {input}",
    targets: "Output: {output}",
  }),
  fewShot("Example Input: ", "Example Output: ", "\n", "\n\n"),
  fewShot("Q: ", "A: ", "\n\n", "\n****\n"),
  fewShot("[Q]: ", "[A]: ", "\n", "\n\n\n"),
  fewShot("[EX Q]: ", "[EX A]: ", "\n", "\n\n"),
  fewShot("Question: ", "Answer: ", "\n\n", "\n\n\n", { head: "{Definition}\n--------\n" }),
  fewShot("PROBLEM: ", "SOLUTION: ", "\n\n", "\n\n", { head: "TASK DEFINITION: {Definition}\n" }),
  fewShot("question:\n", "answer:\n", "\n", "\n\n\n", { head: "instruction:\n{Definition}\n" }),
];

/** A question and how its reasoning and answer are written. */
export interface ChainPattern {
  readonly prompt: string;
  /** Between the reasoning and the answer, and behind the answer. */
  readonly beforeAnswer: string;
  readonly afterAnswer: string;
}

function chain(prompt: string, beforeAnswer: string): ChainPattern {
  return { prompt, beforeAnswer, afterAnswer: "." };
}

/** `PATTERNS["cot_gsm8k"]`. */
export const CHAIN_PATTERNS: readonly ChainPattern[] = [
  chain("{question} Let's think first. Chain of thought:", "\nTherefore, the answer is "),
  chain("{question} Think carefully first, then make a decision:", " So, the answer is "),
  chain("{question} Let's be accurate as possible.", "\nThe answer: "),
  chain("{question} Give me reasons, before answering the question", " So the final answer is "),
  chain(
    "Lizzy: {question}.\nMe: Hmmm, let me think. I think this is the detailed solution:",
    " Final answer: ",
  ),
  chain("Question: {question} Think carefully first, then make a decision:", " So the answer is "),
  chain(
    "Give the step-by-step reasoning process and then the final answer. {question}",
    "\nThe final answer: ",
  ),
  chain("{question}\nThoughts? Step-by-step reasoning:", "\nThus, the answer is "),
  chain("My question is: {question} Your thoughts:", " The final answer: "),
  chain("{question} Let's answer step by step:", " The answer: "),
];

/** `PATTERNS["strategyqa"][2]`: the answer alone. */
export const ANSWER_PATTERN = "Question: {question} Answer:";
