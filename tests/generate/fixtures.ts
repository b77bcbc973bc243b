import type { Example } from "../../src/data/example.js";
import { readExamples } from "../../src/data/read/index.js";
import { METHOD_NAMES, type MethodName } from "../../src/generate/methods/index.js";
import { Random } from "../../src/support/random.js";
import type { GenerationLedger, LedgerLine } from "../../src/generate/pipeline/ledger.js";
import { scriptedTeacher } from "../../src/generate/teacher/scripted-teacher.js";
import type { Teacher, TeacherReply, TeacherRequest } from "../../src/generate/teacher/teacher.js";

/** Rows of the mini world that ship with the kit: they have tasks, instructions, inputs and options. */
export async function seedsFor(method: MethodName): Promise<Example[]> {
  if (method === "back-translation") {
    const { examples } = await readExamples("datasets/mini/corpus/validation.txt", { limitPerTask: 60 });
    return [...examples];
  }
  const { examples } = await readExamples("datasets/mini/task-rows/train.jsonl");
  return [...examples];
}

export { METHOD_NAMES };

/** Every line of a ledger, with its name, and whether it adds up. */
export function linesOf(ledger: GenerationLedger): [string, LedgerLine][] {
  return Object.entries(ledger);
}

/** The scripted teacher, whose replies come after random times. */
export function unsteadyTeacher(seed: number): Teacher {
  const script = scriptedTeacher();
  const random = Random.derive(seed, "delays");
  return {
    ...script,
    ask: async (request, signal) => {
      await new Promise((resolve) => setTimeout(resolve, 6 * random.next()));
      return script.ask(request, signal);
    },
  };
}

/** A teacher that answers by a function, and counts. */
export function teacherSaying(
  say: (request: TeacherRequest, call: number) => Partial<TeacherReply>,
): Teacher & {
  readonly calls: number;
} {
  let calls = 0;
  return {
    name: "made up",
    get calls() {
      return calls;
    },
    ask: (request) => {
      const reply = say(request, calls++);
      return Promise.resolve({ text: "", ending: "stop", promptTokens: 10, answerTokens: 10, ...reply });
    },
  };
}
