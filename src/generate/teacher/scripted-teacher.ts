import { hashJson } from "../../support/hash.js";
import { Random } from "../../support/random.js";
import { estimateTokens, type Teacher, type TeacherRequest } from "./teacher.js";
import { estimatePromptTokens } from "./teacher.js";

/**
 * A teacher that follows a script: it knows the kit's own questions by their words and answers in made-up English, drawn from the
 * question alone. It shows what the pipelines do where no model can be asked; what it says is of no use to a model.
 */
export function scriptedTeacher(name = "script"): Teacher {
  return {
    name,
    ask: (request) => {
      const text = scriptedAnswer(request);
      return Promise.resolve({
        text,
        ending: "stop",
        promptTokens: estimatePromptTokens(request),
        answerTokens: estimateTokens(text),
      });
    },
  };
}

/** What the script answers. */
export function scriptedAnswer(request: Pick<TeacherRequest, "messages" | "seed">): string {
  const content = request.messages.at(-1)?.content ?? "";
  const random = Random.derive(request.seed, hashJson(content));
  const line = SCRIPT.find(({ asks }) => content.includes(asks));
  return line === undefined ? sentence(random) : line.answer(content, random);
}

const VERBS =
  "Describe Explain Compare Summarise Outline Discuss Invent Correct Plan Review Defend Shorten".split(" ");
const THINGS =
  "a letter|a recipe|two old bridges|the habits|a short story|three rules|a timetable|the history|a speech|the price|a riddle|the repair|an advertisement|a complaint|the colours|a quarrel".split(
    "|",
  );
const SUBJECTS =
  "swallows in autumn|a village bakery|night trains|an orchard|the tides|wooden toys|a mountain school|glass bottles|a lost umbrella|early clocks|salt mines|a choir of millers|river ferries|tea houses|paper kites|stone walls|winter markets|a lighthouse".split(
    "|",
  );
const READERS =
  "for children|for a new neighbour|in a friendly tone|as a list of five points|for somebody in a hurry|in two sentences|with one example|for the town council|without difficult words|for travellers".split(
    "|",
  );
const JUDGEMENTS = ["Classify", "Decide whether", "Say if"] as const;
const LABELS = ["yes", "no"] as const;

function instruction(random: Random): string {
  const [thing, subject] = [random.choice(THINGS), random.choice(SUBJECTS)];
  if (random.next() < 0.15)
    return `${random.choice(JUDGEMENTS)} the remark about ${subject} and ${random.choice(SUBJECTS)} is ${random.choice(["kind", "true", "old", "serious"])}.`;
  return `${random.choice(VERBS)} ${thing} of ${subject} ${random.choice(READERS)}.`;
}

function sentence(random: Random): string {
  const count = 1 + random.integer(3);
  return Array.from({ length: count }, () => {
    const [first, second] = [random.choice(SUBJECTS), random.choice(SUBJECTS)];
    return `What one should know of ${first} is told best by ${random.choice(THINGS)}, long before ${second} was there.`;
  }).join(" ");
}

interface Line {
  /** Words of the question. */
  readonly asks: string;
  readonly answer: (content: string, random: Random) => string;
}

const SCRIPT: readonly Line[] = [
  {
    asks: "beginning of a list of tasks",
    answer: (_, random) =>
      Array.from(
        { length: 8 },
        (__, index) => `${index === 0 ? "" : `${index + 9}. `}${instruction(random)}`,
      ).join("\n"),
  },
  {
    asks: "Few fixed answers:",
    answer: (content) => {
      const task = content.slice(content.lastIndexOf("Task: ") + 6);
      return JUDGEMENTS.some((word) => task.startsWith(word)) ? " yes" : " no";
    },
  },
  {
    asks: "Write examples for the last task",
    answer: (_, random) => LABELS.map((label) => `Label: ${label}\nInput: ${sentence(random)}`).join("\n"),
  },
  {
    asks: "examples for the last task",
    answer: (_, random) => {
      const count = 1 + random.integer(2);
      const example = (): string =>
        `Input: ${count === 1 ? "none" : sentence(random)}\nOutput: ${sentence(random)}`;
      return Array.from({ length: count }, example).join("\n");
    },
  },
  {
    asks: "Write a list of",
    answer: (_, random) =>
      Array.from({ length: 17 }, (__, index) => {
        const input = random.next() < 0.5 ? "none" : sentence(random);
        return `${index === 0 ? "" : `### ${index + 4}\n`}Instruction: ${instruction(random)}\nInput: ${input}\nOutput: ${sentence(random)}`;
      }).join("\n"),
  },
  {
    asks: "Rewrite a request",
    answer: (content, random) => {
      const request = lastPart(content);
      return random.next() < 0.2
        ? request
        : `${request} Mention ${random.choice(SUBJECTS)} as well, ${random.choice(READERS)}.`;
    },
  },
  {
    asks: "Compare two requests",
    answer: (content) => {
      const [, first = "", second = ""] = /First:\n(.*)\n\nSecond:\n(.*)\n\nReply/s.exec(content) ?? [];
      return JSON.stringify({ same: first === second });
    },
  },
  {
    asks: "Judge how well",
    answer: (_, random) => JSON.stringify({ reason: sentence(random), score: 2 + random.integer(4) }),
  },
  {
    asks: "Somebody asked an assistant",
    answer: (content, random) => {
      const words = lastPart(content).split(/\s+/).slice(0, 6).join(" ");
      return `${random.choice(VERBS)} what happens in a text that begins with "${words}".`;
    },
  },
  {
    asks: "Each task has an instruction, an input",
    answer: (_, random) =>
      `Instruction: ${instruction(random)}\nInput: ${sentence(random)}\nConstraints: ${random.choice(["None.", "The answer is one sentence."])}`,
  },
  {
    asks: "Say the last instruction in other words",
    answer: (content, random) => {
      const task = /.*Instruction: (.*)\nOther wording:$/s.exec(content)?.[1] ?? "";
      return random.next() < 0.8
        ? `Here is something to work on: {INPUT} Now do this: ${task}`
        : `Do this: ${task}`;
    },
  },
  {
    asks: "Below are rows of one task",
    answer: (content, random) => {
      const labels = /answers to choose from: (.*)\.$/m.exec(content)?.[1];
      const ending = labels === undefined ? "" : ` Answer with one of: ${labels}.`;
      const wordings = Array.from(
        { length: 8 },
        () =>
          `${random.choice(["Read", "Look at", "Take", "Study"])} the text and ${random.choice(["give what is asked for", "answer as the examples do", "find the right output", "say what follows"])}.${random.next() < 0.9 ? ending : ""}`,
      );
      return JSON.stringify(wordings);
    },
  },
  {
    asks: "Think of",
    answer: (_, random) =>
      JSON.stringify({
        instruction: instruction(random),
        input: random.next() < 0.5 ? "" : sentence(random),
      }),
  },
];

/** What stands behind the last blank line. */
function lastPart(content: string): string {
  const text = /(?:The request|The text):\n(.*)$/s.exec(content)?.[1];
  return (text ?? content).trim();
}
