import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, describe, test } from "node:test";
import { crc32, deflateRawSync } from "node:zlib";
import { LIBRARIES, NATIVE_VARIANTS } from "../../src/engine/install/catalog.js";
import { libraryIsReady, libraryFolderOf, READY_FILE } from "../../src/engine/install/library-files.js";
import { withLock } from "../../src/engine/install/lock.js";
import {
  jupyterEnvironment,
  notebooksAreReady,
  registerKernel,
  requirementsFile,
} from "../../src/engine/install/notebooks.js";
import { cacheFolder, clonePaths, projectRoot } from "../../src/engine/install/paths.js";
import { atLeast, thisMachine, variantFor, type Machine } from "../../src/engine/install/platform.js";
import { unpack } from "../../src/engine/install/unpack.js";
import { sha256 } from "../../src/support/hash.js";

const folder = mkdtempSync(join(tmpdir(), "ift-kit-test-"));
after(() => rmSync(folder, { recursive: true }));

/** A zip archive with deflated members, as small as the format allows. */
function zipOf(members: Readonly<Record<string, string>>): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(members)) {
    const data = deflateRawSync(text);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(8, 4);
    fields.writeUInt32LE(crc32(text), 10);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(Buffer.byteLength(text), 18);
    fields.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), fields, Buffer.from(name), data]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    central.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00"), fields, place, Buffer.from(name)]));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(central.length, 8);
  end.writeUInt16LE(central.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}

describe("unpack", () => {
  const members = {
    "a/lib.so": "library",
    "a/include/x/one.h": "one",
    "a/include/y/two.h": "two",
    "a/other": "-",
  };

  test("takes what is asked for and nothing else", async () => {
    const archive = join(folder, "good.whl");
    writeFileSync(archive, zipOf(members));
    const target = join(folder, "unpacked");
    const names = await unpack(archive, ["a/lib.so", "a/include/x/"], target);
    assert.deepEqual(names.toSorted(), ["a/include/x/one.h", "a/lib.so"]);
    assert.equal(readFileSync(join(target, "a/lib.so"), "utf8"), "library");
    assert.deepEqual(readdirSync(join(target, "a")).toSorted(), ["include", "lib.so"]);
  });

  test("a cut archive is one clear error", async () => {
    const archive = join(folder, "cut.whl");
    writeFileSync(archive, zipOf(members).subarray(0, 100));
    await assert.rejects(unpack(archive, ["a/"], join(folder, "cut")), /cut\.whl: the archive is damaged/);
  });

  test("a member may not leave the folder", async () => {
    const archive = join(folder, "evil.whl");
    writeFileSync(archive, zipOf({ "../evil": "x" }));
    await assert.rejects(unpack(archive, ["../"], join(folder, "evil")), /the archive is damaged/);
    assert.ok(!existsSync(join(folder, "evil")) || readdirSync(join(folder, "evil")).length === 0);
  });
});

describe("library in the cache", () => {
  const variant = NATIVE_VARIANTS[0];
  assert.ok(variant !== undefined);

  test("counts only when it is whole", () => {
    const cache = join(folder, "cache");
    const place = libraryFolderOf(cache, variant);
    mkdirSync(place, { recursive: true });
    for (const library of LIBRARIES) writeFileSync(join(place, library), "12345");
    assert.equal(libraryIsReady(cache, variant), false, "no stamp: unpacking was interrupted");
    const sizes = Object.fromEntries(LIBRARIES.map((library) => [library, 5]));
    writeFileSync(join(place, "..", READY_FILE), JSON.stringify(sizes));
    assert.equal(libraryIsReady(cache, variant), true);
    writeFileSync(join(place, LIBRARIES[0]), "1234");
    assert.equal(libraryIsReady(cache, variant), false, "a library was cut");
  });
});

describe("lock", () => {
  test("work under one lock never overlaps", async () => {
    const path = join(folder, "one.lock");
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 15));
      inside--;
    };
    await Promise.all([1, 2, 3].map(() => withLock(path, work, { pollMs: 2 })));
    assert.equal(most, 1);
    await Promise.all([1, 2].map((n) => withLock(join(folder, `${n}.lock`), work, { pollMs: 2 })));
    assert.equal(most, 2, "two locks do overlap");
    assert.ok(!existsSync(path));
  });

  test("the lock of a dead process is taken over, that of another machine only when it is old", async () => {
    const path = join(folder, "dead.lock");
    writeFileSync(path, JSON.stringify({ pid: 2 ** 22 + 1, host: hostname() }));
    assert.equal(await withLock(path, () => Promise.resolve("mine")), "mine");
    writeFileSync(path, JSON.stringify({ pid: 1, host: "elsewhere" }));
    const begin = performance.now();
    await withLock(path, () => Promise.resolve(), { pollMs: 5, staleMs: 150 });
    assert.ok(performance.now() - begin > 100);
  });

  test("a failure releases it", async () => {
    const path = join(folder, "failing.lock");
    await assert.rejects(
      withLock(path, () => Promise.reject(new Error("no"))),
      /^Error: no$/,
    );
    assert.ok(!existsSync(path));
  });
});

describe("machine", () => {
  const usual: Machine = {
    platform: "linux",
    architecture: "x64",
    glibc: "2.36",
    nvidiaDriver: false,
    avx: true,
  };
  const nameFor = (machine: Partial<Machine>, wanted?: string): string => {
    const choice = variantFor({ ...usual, ...machine }, wanted);
    return "variant" in choice ? choice.variant.name : choice.reason;
  };

  test("gets the library that fits, or a reason", () => {
    assert.match(nameFor({}), /-cpu-x64$/);
    assert.match(nameFor({ nvidiaDriver: true }), /-gpu-x64$/);
    assert.match(nameFor({ nvidiaDriver: true }, "cpu"), /-cpu-x64$/);
    assert.match(nameFor({ architecture: "arm64", nvidiaDriver: true }), /-cpu-arm64$/);
    assert.match(nameFor({ architecture: "riscv64" }), /no native TensorFlow for riscv64/);
    assert.match(nameFor({ platform: "darwin" }), /on Linux only, this is darwin/);
    assert.match(nameFor({ glibc: undefined }), /another C library/);
    assert.match(nameFor({ glibc: "2.17" }), /glibc 2\.17/);
    assert.match(nameFor({ avx: false }), /AVX/);
  });

  test("versions compare by number", () => {
    assert.ok(atLeast("3.10.1", "3.10") && atLeast("3.11", "3.10") && atLeast("4", "3.10"));
    assert.ok(!atLeast("3.9.18", "3.10") && !atLeast("2.9", "2.27"));
    assert.equal(typeof thisMachine().avx, "boolean");
  });
});

describe("places", () => {
  test("the cache folder follows the environment", () => {
    assert.equal(cacheFolder({ IFT_KIT_CACHE: "/a/b" }), "/a/b");
    assert.equal(cacheFolder({ XDG_CACHE_HOME: "/x" }), "/x/ift-kit");
    assert.match(cacheFolder({}), /\/\.cache\/ift-kit$/);
    assert.throws(() => cacheFolder({ IFT_KIT_CACHE: "relative" }), /not an absolute path/);
  });

  test("an environment counts only with the stamp of these requirements and this place", () => {
    const root = join(folder, "clone");
    const { venv, python } = clonePaths(root);
    mkdirSync(join(venv, "bin"), { recursive: true });
    mkdirSync(join(requirementsFile(root), ".."), { recursive: true });
    writeFileSync(requirementsFile(root), "a==1\n");
    writeFileSync(python, "");
    assert.equal(notebooksAreReady(root), false, "half made");
    const stamp = join(venv, "ift-kit.json");
    const good = { requirements: sha256("a==1\n"), root };
    writeFileSync(stamp, JSON.stringify({ ...good, requirements: sha256("a==2\n") }));
    assert.equal(notebooksAreReady(root), false, "other requirements");
    writeFileSync(stamp, JSON.stringify({ ...good, root: "/elsewhere" }));
    assert.equal(notebooksAreReady(root), false, "the clone was moved");
    writeFileSync(stamp, JSON.stringify(good));
    assert.equal(notebooksAreReady(root), true);
  });

  test("the kernel is found inside the clone, by a path that moves with it", () => {
    const root = join(folder, "moved");
    registerKernel(root);
    const place = join(jupyterEnvironment(root).JUPYTER_PATH ?? "", "kernels", "ift-kit");
    const spec = JSON.parse(readFileSync(join(place, "kernel.json"), "utf8")) as { argv: string[] };
    const launcher = resolve(spec.argv[1]?.replace("{resource_dir}", place) ?? "");
    assert.equal(launcher, join(root, "src", "notebook", "kernel", "start.js"));
    assert.ok(existsSync(launcher.replace(root, projectRoot())));
    for (const [name, value] of Object.entries(jupyterEnvironment(root))) {
      assert.ok(value.startsWith(root), `${name} points outside the clone`);
    }
  });
});
