import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { MINI_IFT, MINI_SFT } from "../../src/data/mini/template.js";
import { alpaca, patternTemplate } from "../../src/data/templates/index.js";
import type { Template } from "../../src/data/template.js";
import { startEngine } from "../../src/engine/start.js";
import { loadBase } from "../../src/evaluate/base-checkpoint.js";
import { chatPrompt } from "../../src/evaluate/chat/prompt.js";
import {
  chatTemplateByName,
  chosenChatTemplate,
  defaultChatTemplate,
} from "../../src/evaluate/chat/templates.js";
import { NAMED_TEMPLATES, saveTrainedTemplate } from "../../src/evaluate/chat/trained-template.js";
import type { LoadedModel } from "../../src/evaluate/model-folder.js";
import { loadModelTeacher } from "../../src/generate/teacher/model-teacher.js";
import { saveDecoder } from "../../src/model/checkpoint.js";
import type { Decoder } from "../../src/model/decoder.js";
import { kitModel } from "../../src/serve/kit-model.js";
import { put, temporaryFolder } from "../data/fixtures.js";

const OWN = {
  name: "mine",
  format: "ift",
  prompt: "Do: {instruction} With: {input} So:",
  promptWithoutInput: "Do: {instruction} So:",
  response: " {output}",
  stop: ["\n"],
} as const;

describe("the template that a model was trained with", () => {
  let base: LoadedModel<Decoder>;
  before(async () => {
    await startEngine();
    base = await loadBase("decoder");
  });

  it("every template that a run may name, and one of the user's own, comes back as it was", (context) => {
    const folder = temporaryFolder(context);
    for (const template of NAMED_TEMPLATES) {
      saveTrainedTemplate(folder, template.name, template);
      assert.equal(defaultChatTemplate(base.tokenizer, folder), template, template.name);
    }
    saveTrainedTemplate(folder, OWN, patternTemplate(OWN));
    const found = defaultChatTemplate(base.tokenizer, folder);
    assert.deepEqual([found.name, found.hash], ["mine", patternTemplate(OWN).hash]);
    assert.equal(chatTemplateByName("trained", folder).hash, found.hash);
  });

  it("wins over what fits the folder, and a template that is named wins over it", (context) => {
    const folder = temporaryFolder(context);
    put(folder, "chat_template.jinja", "{{ messages[0].content }} {{ messages[1].content }}");
    saveTrainedTemplate(folder, "mini-sft", MINI_SFT);
    assert.equal(chosenChatTemplate(undefined, base.tokenizer, folder), MINI_SFT);
    assert.equal(chosenChatTemplate("alpaca", base.tokenizer, folder), alpaca);
    const without = temporaryFolder(context);
    assert.equal(chosenChatTemplate(undefined, base.tokenizer, without), MINI_IFT, "negative control");
    assert.throws(
      () => chatTemplateByName("trained", without),
      /does not say what the model was trained with/,
    );
  });

  it("a file that is damaged, or of a template that has changed since, is one clear line", (context) => {
    const folder = temporaryFolder(context);
    saveTrainedTemplate(folder, "alpaca", { hash: "of another version" });
    assert.throws(() => defaultChatTemplate(base.tokenizer, folder), /trained_template\.json: .*--template/);
    put(folder, "trained_template.json", '{"template": 3}');
    assert.throws(() => defaultChatTemplate(base.tokenizer, folder), /trained_template\.json/);
  });

  it("a template that trains a chain of thought can be talked in, too", () => {
    const thinking = NAMED_TEMPLATES.find(({ name }) => name === "flan-cot") ?? assert.fail();
    const { ids } = chatPrompt(base, thinking, { text: "Name a plum.", history: [] }, 32);
    assert.match(base.tokenizer.decode(ids), /Name a plum\./);
    assert.doesNotMatch(base.tokenizer.decode(ids), /thoughts/);
  });

  it("serve and the model as teacher show questions in it, unless another is named", async (context) => {
    const folder = temporaryFolder(context);
    base.tokenizer.save(folder);
    saveDecoder(folder, base.decoder, { special: base.tokenizer.special });
    saveTrainedTemplate(folder, OWN, patternTemplate(OWN));
    const text = "Write the fruit.\nNora saw a plum.";
    const question = { kind: "chat", messages: [{ role: "user", content: text }] } as const;
    const served = await kitModel(folder, { id: "mine" });
    assert.equal(served.template, "mine");
    assert.match(served.show(question).text, /Do: Write the fruit\. With: Nora saw a plum\. So:$/);
    await served.close();
    const named = await kitModel(folder, { id: "named", template: "alpaca" });
    assert.match(named.show(question).text, /### Instruction:/);
    await named.close();
    const tokensOf = async (template?: string): Promise<number> => {
      const { teacher, close } = await loadModelTeacher(folder, template === undefined ? {} : { template });
      const request = { messages: question.messages, maxTokens: 2, temperature: 0, seed: 0 };
      const { promptTokens } = await teacher.ask(request, new AbortController().signal);
      close();
      return promptTokens;
    };
    const expected = (template: Template): number =>
      chatPrompt(base, template, { text, history: [] }, 2).ids.length;
    assert.equal(await tokensOf(), expected(patternTemplate(OWN)));
    assert.equal(await tokensOf("mini-ift"), expected(MINI_IFT));
    assert.notEqual(expected(MINI_IFT), expected(patternTemplate(OWN)));
  });
});
