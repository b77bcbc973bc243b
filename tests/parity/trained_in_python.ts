// Do the folders and adapters of `ift-kit train` load in transformers and PEFT? For each objective: the base with its adapter
// gives the logits of the merged model. Not part of the tests, because it needs a Python with torch, transformers and peft:
//
//   IFT_KIT_PEER_PYTHON=PYTHON node --import ./src/cli/register.js --test tests/parity/trained_in_python.ts
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startEngine } from "../../src/engine/start.js";
import { assertClose, largestDifference } from "../engine/numeric.js";
import { loraOf, OBJECTIVES, place, type RunFile, trained } from "../train/objective-configs.js";

before(() => startEngine());

const IDS = [
  [2, 5, 7, 9, 11, 3],
  [2, 8, 6, 10, 12, 3],
];

/** What Python computes from a folder, and from an adapter where one is given. */
function inPython(...folders: readonly [model: string, adapter?: string]): number[] {
  const [model, ...adapter] = folders;
  const script = fileURLToPath(new URL("load_saved.py", import.meta.url));
  const python = process.env.IFT_KIT_PEER_PYTHON ?? assert.fail("IFT_KIT_PEER_PYTHON names the Python");
  const words = [script, model, JSON.stringify(IDS), ...adapter] as string[];
  const output = execFileSync(python, words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  return (JSON.parse(output) as { readonly logits: number[] }).logits;
}

/** The run goes on from a saved model. */
function from(config: RunFile, folder: string): RunFile {
  const tokenizer = "template" in config && "t5" in config ? { directory: folder } : undefined;
  return { ...config, tokenizer, ["bert" in config ? "bert" : "t5"]: { from: folder } };
}

for (const [name, configOf] of Object.entries(OBJECTIVES)) {
  for (const flags of [[], ["--bf16"]]) {
    test(`${name} ${flags.join(" ")}: PEFT's model is the merged one; control: the base`, async (context) => {
      const at = place(context);
      const config = configOf(at);
      const base = join((await trained(context, at, "base", config, ...flags)).out, "model");
      const { out } = await trained(
        context,
        at,
        "tuned",
        { ...from(config, base), lora: loraOf(config) },
        ...flags,
      );
      const merged = inPython(join(out, "model"));
      assertClose(inPython(base, join(out, "adapter")), merged, 1e-4);
      assert.ok(largestDifference(inPython(base), merged).worst > 1e-2);
    });
  }
}
