import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { main } from "../../src/cli/main.js";
import { sideBySide } from "../../src/cli/commands/chat/columns.js";
import { chatScreen } from "../../src/cli/commands/chat/screen.js";
import { ChatSession } from "../../src/cli/commands/chat/session.js";
import { startEngine } from "../../src/engine/start.js";
import { loadBase } from "../../src/evaluate/base-checkpoint.js";
import { Conversation } from "../../src/evaluate/chat/conversation.js";
import { CONTINUE } from "../../src/evaluate/chat/templates.js";
import { saveDecoder } from "../../src/model/checkpoint.js";
import { CharacterTokenizer } from "../../src/tokenizer/character.js";
import { temporaryFolder } from "../data/fixtures.js";
import { decoderSaying } from "../model/models.js";

const PROGRAM = resolve(import.meta.dirname, "../../src/cli/ift-kit.js");
const NEVER = new AbortController().signal;

function chatWith(input: string, ...options: string[]): { out: string; notes: string; code: number | null } {
  const { stdout, stderr, status } = spawnSync(process.execPath, [PROGRAM, "chat", ...options], {
    input,
    encoding: "utf8",
  });
  return { out: stdout, notes: stderr, code: status };
}

/** A session that is not in a terminal, and what it wrote. */
async function sessionOf(
  model: string,
  maxNewTokens = 10,
): Promise<{
  readonly session: ChatSession;
  readonly written: { out: string; notes: string };
}> {
  await startEngine();
  const written = { out: "", notes: "" };
  const screen = chatScreen(
    { write: (text) => (written.out += text) },
    { write: (text) => (written.notes += text) },
  );
  return { session: new ChatSession(model, screen, { maxNewTokens }), written };
}

test("a piped chat with the shipped decoder: answers on one stream, what is said about them on the other", async () => {
  const lines = [
    "/template continue",
    "Nora went to",
    "",
    "Write the fruit.\\",
    "Nora saw a plum.",
    "/reset",
    "/quit",
    "Never asked",
  ];
  const { out, notes, code } = chatWith(`${lines.join("\n")}\n`, "--model", "base", "--max-new-tokens", "10");
  assert.equal(code, 0, notes);
  await startEngine();
  const conversation = new Conversation(await loadBase("decoder"), { template: CONTINUE, maxNewTokens: 10 });
  const first = await conversation.say("Nora went to");
  const second = await conversation.say("Write the fruit.\nNora saw a plum.");
  assert.equal(out, `${first.text}\n${second.text}\n`);
  assert.match(notes, /base: template mini-ift, context of 256 tokens; each question stands alone/);
  assert.match(notes, /base: template continue/);
  assert.match(notes, /ended at the longest answer/);
  assert.match(notes, /What was said is forgotten/);
});

test("the end of the pipe ends the chat; an unknown command is one line, and the exit code tells of it", () => {
  const { out, notes, code } = chatWith("/nope\n/template chatlm\n", "--model", "base");
  assert.equal(code, 1);
  assert.equal(out, "");
  assert.equal(notes.split("\n").filter((line) => line.startsWith("ift-kit: ")).length, 2);
  assert.match(notes, /there is no command \/nope. To mend it: type \/help/);
  assert.match(notes, /there is no template "chatlm"/);
});

test("bad options are one clear line", async (context) => {
  const missing = join(temporaryFolder(context), "none");
  const errors: string[] = [];
  const mock = context.mock.method(console, "error", (text: string) => errors.push(text));
  for (const [options, message] of [
    [["--model", missing], /^ift-kit: .*none.* To mend it: .*$/],
    [["--model", "base", "--template", "nope"], /^ift-kit: there is no template "nope".*$/],
    [["--model", "base", "--top-p", "2"], /^ift-kit: field "topP": top-p of 2\. To mend it: .*$/],
    [["--model", "base", "--compare", missing], /^ift-kit: .*none.* To mend it: .*$/],
  ] as const) {
    errors.length = 0;
    await main(["node", "ift-kit", "chat", ...options]);
    assert.equal(process.exitCode, 1);
    process.exitCode = 0;
    assert.equal(errors.length, 1);
    assert.match(errors[0] ?? "", message);
  }
  mock.mock.restore();
});

test("two models side by side, and the first alone again", async () => {
  const { session, written } = await sessionOf("base");
  assert.ok(await session.take("/template continue", NEVER));
  assert.ok(await session.take("/compare base", NEVER));
  written.out = "";
  assert.ok(await session.take("Nora went to", NEVER));
  const [titles = "", , ...lines] = written.out.trimEnd().split("\n");
  assert.deepEqual(titles.split(/\s+│\s+/), ["base", "base"]);
  for (const line of lines) {
    const [left = "", right = ""] = line.split("│");
    assert.equal(left.trim(), right.trim(), "the same model says the same");
  }
  assert.ok(lines.join("").length > 20);
  await session.take("/compare", NEVER);
  written.out = "";
  await session.take("Nora went to", NEVER);
  assert.doesNotMatch(written.out, /│/);
  await assert.rejects(session.take("/compare /no/such/folder", NEVER), { name: "KitError" });
  session.dispose();
});

test("turns that leave the context are told of", async () => {
  const { session, written } = await sessionOf("base", 8);
  await session.take("/template chatml", NEVER);
  for (let turn = 0; turn < 6; turn++) await session.take(`Nora went to shop ${turn}.`, NEVER);
  assert.match(written.notes, /\(the oldest question and its answer did not fit into the context any more\)/);
  session.dispose();
});

test("the first Ctrl-C stops an answer, and one without an answer ends the chat", async (context) => {
  const folder = temporaryFolder(context);
  const tokenizer = CharacterTokenizer.fromTexts(["abc"]);
  await startEngine();
  const endless = decoderSaying(tokenizer.vocabularySize - 1, {
    vocabularySize: tokenizer.vocabularySize,
    contextLength: 100_000,
  });
  saveDecoder(folder, endless);
  tokenizer.save(folder);
  endless.dispose();
  const child = spawn(process.execPath, [
    ...[PROGRAM, "chat", "--model", folder, "--template", "continue"],
    ...["--max-new-tokens", "100000", "--eager"],
  ]);
  let notes = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (notes += text));
  child.stdin.write("abc\n");
  await once(child.stdout, "data");
  child.kill("SIGINT");
  while (!/stopped|ended at/.test(notes)) await once(child.stderr, "data");
  assert.match(notes, /\(stopped\)/);
  child.stdin.write("/help\n");
  while (!notes.includes("/reset")) await once(child.stderr, "data");
  child.kill("SIGINT");
  const [code] = (await once(child, "close")) as [number | null];
  assert.equal(code, 130);
});

test("columns are wrapped at blanks, and hold their width", () => {
  const lines = sideBySide(
    [
      { title: "one", text: "aaa bbb ccc ddd\n\neee" },
      { title: "two", text: "x".repeat(20) },
    ],
    25,
  );
  assert.deepEqual(lines, [
    "one         │  two",
    "──────────  │  ──────────",
    "aaa bbb     │  xxxxxxxxxx",
    "ccc ddd     │  xxxxxxxxxx",
    "            │",
    "eee         │",
  ]);
});

test("a terminal gets no control characters of a model; columns are drawn again in place", () => {
  let out = "";
  const screen = chatScreen(
    { isTTY: true, columns: 25, rows: 24, write: (text) => (out += text) },
    { write: () => true },
  );
  screen.piece("a\u001b[2Jb\n");
  assert.equal(out, "a\uFFFD[2Jb\n");
  out = "";
  const columns = (text: string): { title: string; text: string }[] => [
    { title: "one", text },
    { title: "two", text: "" },
  ];
  screen.columns(columns("a"), false);
  screen.columns(columns("a b"), true);
  assert.equal(out.split("\u001b[3F\u001b[0J").length, 2, "three lines are written once more");
});

test("a terminal that does not know its size gets columns of the usual width", () => {
  let out = "";
  const stream = { isTTY: true, columns: 0, rows: 0, write: (text: string) => (out += text) };
  const screen = chatScreen(stream, { write: () => true });
  const text = "a sentence that fits into half of the width";
  const both = [
    { title: "one", text },
    { title: "two", text },
  ];
  screen.columns(both, false);
  assert.equal(out.split("\n").length - 1, 3, "heading, rule and one line");
});
