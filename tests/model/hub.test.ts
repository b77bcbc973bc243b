import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { startEngine } from "../../src/engine/start.js";
import { loadDecoder } from "../../src/model/checkpoint.js";
import { chooseFiles, fetchModel, type HubOptions } from "../../src/model/hub.js";
import { KitError } from "../../src/support/errors.js";
import { COMMIT, HubServer, TOKEN } from "./hub-server.js";

const GOLDEN = join(import.meta.dirname, "../parity/golden/checkpoints/gpt2");
const read = (file: string): Buffer => readFileSync(join(GOLDEN, file));
const MODEL = {
  "config.json": read("config.json"),
  "empty.txt": Buffer.alloc(0),
  "model.safetensors": read("model.safetensors"),
  "pytorch_model.bin": Buffer.from("pickled"),
  "onnx/model.onnx": Buffer.from("onnx"),
  "run.py": Buffer.from("print()"),
};

const folder = mkdtempSync(join(tmpdir(), "ift-kit-hub-"));
const server = new HubServer();
let caches = 0;

/** Options with a cache of their own. */
function fresh(change: HubOptions = {}): HubOptions {
  return {
    hub: server.address,
    cache: join(folder, `cache-${caches++}`),
    offline: false,
    retryDelayMs: 1,
    ...change,
  };
}

async function refuses(name: string, options: HubOptions, message: RegExp): Promise<void> {
  await assert.rejects(fetchModel(name, options), (error) => {
    assert.ok(error instanceof KitError, String(error));
    assert.match(error.message, message);
    return true;
  });
}

const storageRequests = (): string[] => server.requests.filter((request) => request.includes("storage"));

before(async () => {
  await server.start();
  await startEngine();
});
beforeEach(() => {
  server.requests.length = 0;
  server.breaks = 0;
  server.damages = false;
  server.models["owner/tiny"] = MODEL;
  server.models["private/tiny"] = MODEL;
});
after(() => {
  server.stop();
  rmSync(folder, { recursive: true });
});

describe("models of the hub", () => {
  it("fetches a model through pages and redirects, only what the kit reads, and it loads", async () => {
    const directory = await fetchModel("owner/tiny", fresh({ revision: "v1/a" }));
    assert.ok(directory.endsWith(join("owner--tiny", COMMIT)));
    const names = readdirSync(directory).filter((name) => !name.startsWith("."));
    assert.deepEqual(names.sort(), ["config.json", "empty.txt", "model.safetensors"]);
    assert.deepEqual(readFileSync(join(directory, "model.safetensors")), MODEL["model.safetensors"]);
    const decoder = loadDecoder(directory);
    assert.equal(decoder.config.vocabularySize, 13);
    decoder.dispose();
  });

  it("takes it from the cache the next time, and fetches a file that is missing or cut off", async () => {
    const options = fresh();
    const directory = await fetchModel("owner/tiny", options);
    server.requests.length = 0;
    await fetchModel("owner/tiny", options);
    assert.deepEqual(server.requests, ["GET /api/models/owner/tiny/revision/main"]);
    truncateSync(join(directory, "model.safetensors"), 100);
    await fetchModel("owner/tiny", options);
    assert.equal(storageRequests().length, 1);
    assert.deepEqual(readFileSync(join(directory, "model.safetensors")), MODEL["model.safetensors"]);
  });

  it("goes on where a broken transfer stopped", async () => {
    server.breaks = 2;
    const directory = await fetchModel("owner/tiny", fresh());
    const half = Math.floor(MODEL["model.safetensors"].length / 2);
    const [first, second, third] = storageRequests();
    assert.deepEqual([first, second], ["GET storage whole", `GET storage bytes=${half}-`]);
    assert.match(third ?? "", /bytes=\d+-/);
    assert.deepEqual(readFileSync(join(directory, "model.safetensors")), MODEL["model.safetensors"]);
  });

  it("keeps no file with other bytes than the hub names", async () => {
    server.damages = true;
    const options = fresh();
    await refuses("owner/tiny", options, /model.safetensors.*wrong content/);
    assert.ok(!existsSync(join(options.cache ?? "", "owner--tiny", COMMIT, "model.safetensors")));
    server.damages = false;
    server.models["owner/tiny"] = MODEL;
    await fetchModel("owner/tiny", options);
  });

  it("sends the token to the hub and not to the server of the files", async () => {
    await refuses("private/tiny", fresh(), /does not give private\/tiny at main to you \(401\).*HF_TOKEN/);
    await fetchModel("private/tiny", fresh({ token: TOKEN }));
    assert.equal(storageRequests().length, 1);
    assert.equal(server.tokenLeaked, false);
  });

  it("says what is not there", async () => {
    await refuses("owner/absent", fresh(), /the hub has no owner\/absent at main/);
    await refuses("owner/tiny", fresh({ revision: "v2" }), /the hub has no owner\/tiny at v2/);
    await refuses(
      "owner/tiny",
      fresh({ hub: "http://127.0.0.1:9" }),
      /cannot be asked for owner\/tiny at main/,
    );
  });

  it("offline: takes the cache and asks no one, and says what is missing in it", async () => {
    const options = fresh();
    await refuses("owner/tiny", { ...options, offline: true }, /is not in the cache, and the kit is offline/);
    const directory = await fetchModel("owner/tiny", options);
    server.requests.length = 0;
    assert.equal(await fetchModel("owner/tiny", { ...options, offline: true }), directory);
    assert.equal(await fetchModel("owner/tiny", { ...options, offline: true, revision: COMMIT }), directory);
    rmSync(join(directory, "model.safetensors"));
    await refuses(
      "owner/tiny",
      { ...options, offline: true },
      /only in part \(model.safetensors is missing\)/,
    );
    assert.deepEqual(server.requests, []);
  });

  it("refuses names that would leave the folder, and models whose weights are pickle files", async () => {
    for (const path of [
      "../outside.json",
      "/etc/outside.json",
      "a\\..\\b.json",
      "a/../../b.json",
      "C:x.json",
      "a\u0000.json",
    ]) {
      server.models["owner/tiny"] = { ...MODEL, [path]: Buffer.from("{}") };
      const options = fresh();
      await refuses("owner/tiny", options, /would leave its folder/);
      assert.ok(!existsSync(join(options.cache ?? "", "owner--tiny", COMMIT)));
    }
    const pickles = { "config.json": MODEL["config.json"], "pytorch_model.bin": MODEL["pytorch_model.bin"] };
    server.models["owner/tiny"] = pickles;
    await refuses("owner/tiny", fresh(), /pickle file only \(pytorch_model.bin\)/);
    for (const name of ["../tiny", "a/b/c", "", "owner/..", "owner/tiny?x"]) {
      await refuses(name, fresh(), /no name of a model/);
    }
    for (const revision of ["../main", "a//b", "a/../b"]) {
      await refuses("owner/tiny", fresh({ revision }), /no revision/);
    }
  });

  it("chooses the shards of a model and not its copies in other types", () => {
    const names = [
      "model-00001-of-00002.safetensors",
      "model-00002-of-00002.safetensors",
      "model.safetensors.index.json",
    ];
    const others = ["model.fp16.safetensors", "consolidated.safetensors", "tf_model.h5"];
    const all = [...names, ...others].map((path) => ({ path, size: 1, gitBlob: "" }));
    assert.deepEqual(
      chooseFiles("a/b", all).map(({ path }) => path),
      names,
    );
  });
});
