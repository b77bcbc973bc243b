import assert from "node:assert/strict";
import { test } from "node:test";
import { generateData } from "../../src/generate/generate-data.js";
import { addsUp } from "../../src/generate/pipeline/ledger.js";
import { scriptedAnswer } from "../../src/generate/teacher/scripted-teacher.js";
import type { ReplyEnding, TeacherRequest } from "../../src/generate/teacher/teacher.js";
import { Random } from "../../src/support/random.js";
import { temporaryFolder } from "../data/fixtures.js";
import { linesOf, METHOD_NAMES, seedsFor, teacherSaying } from "./fixtures.js";

const REPLIES = 1000;

const PIECES = [
  "",
  " \n\t",
  "I'm sorry, but I cannot help with that.",
  "As an AI language model, ...",
  "Sure! Here you go:",
  "```json\n[",
  "{}",
  "[]",
  '[null, 3, [], {"instruction": 7}]',
  '{"instruction": null, "input": []}',
  '{"score": "eleven"}',
  '{"score": 99, "same": "perhaps"}',
  '{"same": true}',
  "Instruction: \nInput: \nOutput: ",
  "Instruction: Do\nInput:\nConstraints:",
  "9. \n10. \n11. ...",
  "9. Draw a picture of a map.\n10. Write a program that sorts.\n11. 写一首诗\n12. Yes",
  "### ###\n### 4\nOutput: Instruction: Input:",
  "Label:\nInput:\nLabel: yes",
  "Output: Output: Output:",
  "{INPUT}{INPUT}",
  "\u0000\u0001\ud800 \uFFFD",
  '}{]["\\',
  "[".repeat(3000),
  `${'{"a":'.repeat(2000)}1`,
  "word ".repeat(2000),
  "constructor: __proto__",
  "$& $1 $` {{ }} %s",
];

/** Something that no prompt asks for: pieces, good answers that are cut, doubled or turned round. */
function malformed(request: TeacherRequest, random: Random): { text: string; ending: ReplyEnding } {
  const ending = random.choice(["stop", "stop", "length", "refused", "not-taken"] as const);
  const good = scriptedAnswer(request);
  const kind = random.integer(6);
  const pieces = Array.from({ length: 1 + random.integer(3) }, () => random.choice(PIECES)).join(
    random.choice(["", "\n", " "]),
  );
  const texts = [
    pieces,
    good.slice(0, random.integer(good.length + 1)),
    `${good}\n${pieces}`,
    Array.from(good).reverse().join(""),
    good.replaceAll(/[:.[\]{}"]/g, ""),
    random.shuffled(Array.from(good)).join(""),
  ];
  return { text: texts[kind] ?? "", ending };
}

for (const method of METHOD_NAMES) {
  test(`${method}: ${REPLIES} malformed replies throw nothing, and every ledger adds up`, async (context) => {
    const seeds = await seedsFor(method);
    const random = Random.derive(7, method);
    let replies = 0;
    const reasons = new Map<string, number>();
    for (let seed = 0; replies < REPLIES; seed++) {
      const teacher = teacherSaying((request) => malformed(request, random));
      const data = await generateData({
        method,
        seeds,
        teacher,
        folder: temporaryFolder(context),
        count: 60,
        questionsPerRound: 8,
        // Template synthesis has no answer of the teacher to judge, and says so.
        ...(method === "template-synthesis" ? {} : { leastScore: 3 }),
        seed,
        patience: 6,
        maxRounds: 30,
      });
      for (const [level, line] of linesOf(data.ledger)) {
        assert.ok(addsUp(line), `${level}: ${JSON.stringify(line)}`);
        for (const [reason, count] of Object.entries(line.rejected))
          reasons.set(reason, (reasons.get(reason) ?? 0) + count);
      }
      assert.ok(["count", "patience", "exhausted", "max-rounds"].includes(data.end.kind), data.end.kind);
      for (const { instruction = "", outputs } of data.rows) {
        assert.ok(instruction.trim() !== "" && outputs[0]?.trim() !== "");
      }
      replies += teacher.calls;
    }
    // Each way in which a reply as a whole can be wrong was met and told apart.
    for (const reason of ["not-taken", "refused", "truncated"])
      assert.ok((reasons.get(`propose: ${reason}`) ?? 0) > 0, `${reason}: ${JSON.stringify([...reasons])}`);
  });
}
