import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { loadBase } from "../../src/evaluate/base-checkpoint.js";
import { Conversation } from "../../src/evaluate/chat/conversation.js";
import { CONTINUE } from "../../src/evaluate/chat/templates.js";
import { chat } from "../../src/notebook/chat.js";
import { installKernelBridge, type MimeBundle } from "../../src/notebook/kernel-bridge.js";

interface Displayed {
  readonly data: MimeBundle;
  readonly id: string | undefined;
  readonly update: boolean;
}

/** What a kernel is asked to show, and its stop button. */
function fakeKernel(context: TestContext): { readonly shown: Displayed[]; readonly stop: AbortController } {
  const shown: Displayed[] = [];
  const stop = new AbortController();
  installKernelBridge({
    display: (data, { id, update }) => shown.push({ data, id, update: update === true }),
    interruptSignal: () => stop.signal,
    settle: () => Promise.resolve(),
  });
  context.after(() => Reflect.deleteProperty(globalThis, Symbol.for("ift-kit.notebook-kernel")));
  return { shown, stop };
}

test("one display is updated in place while an answer is written, and the reply is that of a conversation", async (context) => {
  const { shown } = fakeKernel(context);
  const model = await loadBase("decoder");
  const settings = { template: CONTINUE, maxNewTokens: 12 };
  const talk = chat(model, settings);
  const reply = await talk.say("Nora <b> went");
  const wanted = await new Conversation(model, settings).say("Nora <b> went");
  assert.deepEqual(reply, wanted);
  assert.deepEqual([shown[0]?.update, new Set(shown.map(({ id }) => id)).size], [false, 1]);
  assert.ok(shown.slice(1).every(({ update }) => update));
  const last = shown.at(-1)?.data;
  assert.ok(
    JSON.stringify(last).includes(
      `model: ${JSON.stringify(reply.text).slice(1, -1)} (ended at maxNewTokens)`,
    ),
  );
  assert.ok(JSON.stringify(last).includes("Nora &lt;b&gt; went"));
});

test("several models answer side by side under their names; the stop button ends them", async (context) => {
  const { shown, stop } = fakeKernel(context);
  const [one, two] = [await loadBase("decoder"), await loadBase("decoder")];
  const talk = chat({ one, two }, { template: CONTINUE, maxNewTokens: 8 });
  const replies = await talk.say("Nora went");
  assert.equal(replies.one.text, replies.two.text);
  assert.ok(replies.one.text.length > 0);
  assert.match(JSON.stringify(shown.at(-1)?.data), /<b>one<\/b>[^]*<b>two<\/b>/);
  talk.reset();
  stop.abort();
  assert.equal((await talk.say("Nora went")).one.ending, "stopped");
});
