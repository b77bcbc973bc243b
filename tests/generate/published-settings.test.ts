import assert from "node:assert/strict";
import { it } from "node:test";
import { generateData } from "../../src/generate/generate-data.js";
import { openAiTeacher } from "../../src/generate/teacher/openai-teacher.js";
import { scriptedAnswer } from "../../src/generate/teacher/scripted-teacher.js";
import { scriptedModel } from "../../src/serve/scripted-model.js";
import type { CompletionRequest } from "../../src/serve/served-model.js";
import { startServer } from "../../src/serve/server.js";
import { temporaryFolder } from "../data/fixtures.js";
import { seedsFor } from "./fixtures.js";

type Settings = Pick<
  CompletionRequest,
  "maxTokens" | "temperature" | "topP" | "presencePenalty" | "frequencyPenalty"
>;

/** What the published code of each method asks with, by words of our own prompts. */
const PUBLISHED: readonly {
  readonly method: "self-instruct" | "alpaca" | "evol-instruct";
  readonly asks: string;
  readonly settings: Settings;
}[] = [
  {
    method: "self-instruct",
    asks: "beginning of a list of tasks",
    settings: { maxTokens: 1024, temperature: 0.7, topP: 0.5, presencePenalty: 2 },
  },
  {
    method: "self-instruct",
    asks: "Write examples for the last task",
    settings: { maxTokens: 300, temperature: 0, presencePenalty: 1.5 },
  },
  {
    method: "self-instruct",
    asks: "Write up to 5 examples for the last task",
    settings: { maxTokens: 350, temperature: 0, presencePenalty: 1.5 },
  },
  { method: "alpaca", asks: "Write a list of 20", settings: { maxTokens: 3072, temperature: 1 } },
  {
    method: "evol-instruct",
    asks: "Rewrite a request",
    settings: { maxTokens: 2048, temperature: 1, topP: 0.95 },
  },
];

it("questions reach the server with the settings of the published code, penalties included", async (context) => {
  const seen: { readonly content: string; readonly settings: Settings }[] = [];
  const model = scriptedModel("script", ({ prompt, seed, ...settings }) => {
    const messages = prompt.kind === "chat" ? prompt.messages : [];
    seen.push({ content: messages.at(-1)?.content ?? "", settings });
    return scriptedAnswer({ messages, seed });
  });
  const server = await startServer({ models: [model] });
  context.after(() => server.close());
  for (const method of new Set(PUBLISHED.map((each) => each.method))) {
    const teacher = openAiTeacher({ endpoint: `${server.url}/v1`, model: "script" });
    const seeds = await seedsFor(method);
    await generateData({ method, seeds, teacher, folder: temporaryFolder(context), count: 20 });
  }
  for (const { asks, settings } of PUBLISHED) {
    const asked = seen.filter(({ content }) => content.includes(asks));
    assert.ok(asked.length > 0, asks);
    for (const { settings: found } of asked) {
      const { maxTokens, temperature, topP, presencePenalty, frequencyPenalty } = found;
      assert.deepEqual(
        { maxTokens, temperature, topP, presencePenalty, frequencyPenalty },
        { topP: undefined, presencePenalty: undefined, frequencyPenalty: undefined, ...settings },
      );
    }
  }
});
