import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { openConnection } from "../../src/engine/install/connection.js";
import { download, type DownloadRequest } from "../../src/engine/install/download.js";
import { addressOf } from "../../src/engine/install/package-index.js";
import type { PipSettings } from "../../src/engine/install/python.js";

const content = randomBytes(300_000);
const sha256 = createHash("sha256").update(content).digest("hex");
const connection = openConnection();
const folder = mkdtempSync(join(tmpdir(), "ift-kit-test-"));
let files = 0;

after(async () => {
  await connection.close();
  rmSync(folder, { recursive: true });
});

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Answers the first request with the first answer, and so on; the last one stays. Notes the Range headers. */
async function withServer(
  answers: readonly Answer[],
  work: (address: string, ranges: (string | undefined)[]) => Promise<void>,
): Promise<void> {
  const ranges: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    const answer = answers[Math.min(ranges.length, answers.length - 1)];
    ranges.push(request.headers.range);
    answer?.(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  try {
    await work(`http://127.0.0.1:${address.port}/file.whl`, ranges);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const wholeFile: Answer = (_request, response) => {
  response.writeHead(200, { "content-length": content.length }).end(content);
};

/** Honours Range, as a file server does. */
const rangedFile: Answer = (request, response) => {
  const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "bytes=0-")?.[1]);
  const range = `bytes ${start}-${content.length - 1}/${content.length}`;
  response.writeHead(206, { "content-length": content.length - start, "content-range": range });
  response.end(content.subarray(start));
};

/** Promises the whole file and cuts the connection after so many bytes. */
const dropAfter =
  (bytes: number): Answer =>
  (_request, response) => {
    response.writeHead(200, { "content-length": content.length });
    response.write(content.subarray(0, bytes), () => setTimeout(() => response.destroy(), 150));
  };

function requestFor(address: string): DownloadRequest {
  const target = join(folder, `file-${files++}.whl`);
  return { address, target, size: content.length, sha256, connection, attempts: 3, retryDelayMs: 1 };
}

describe("download", () => {
  test("goes on in the middle after a cut connection", async () => {
    await withServer([dropAfter(100_000), rangedFile], async (address, ranges) => {
      const request = requestFor(address);
      await download(request);
      assert.deepEqual(readFileSync(request.target), content);
      assert.deepEqual(ranges, [undefined, "bytes=100000-"]);
      assert.ok(!existsSync(`${request.target}.part`));
    });
  });

  test("goes on with the part that an earlier process has left", async () => {
    await withServer([rangedFile], async (address, ranges) => {
      const request = requestFor(address);
      writeFileSync(`${request.target}.part`, content.subarray(0, 1234));
      await download(request);
      assert.deepEqual(readFileSync(request.target), content);
      assert.deepEqual(ranges, ["bytes=1234-"]);
    });
  });

  test("starts over where the server knows no ranges", async () => {
    await withServer([dropAfter(100_000), wholeFile], async (address, ranges) => {
      const request = requestFor(address);
      await download(request);
      assert.deepEqual(readFileSync(request.target), content);
      assert.equal(ranges.length, 2);
    });
  });

  test("a part with other content is found out by the hash, deleted, and the next attempt is good", async () => {
    await withServer([rangedFile], async (address) => {
      const request = requestFor(address);
      writeFileSync(`${request.target}.part`, randomBytes(1234));
      await assert.rejects(download(request), /wrong content \(SHA-256 .*run `npx ift-kit setup` again/);
      assert.ok(!existsSync(request.target) && !existsSync(`${request.target}.part`));
      await download(request);
      assert.deepEqual(readFileSync(request.target), content);
    });
  });

  test("a server that always cuts the connection ends in an error that keeps the part", async () => {
    await withServer([dropAfter(50_000)], async (address, ranges) => {
      const request = requestFor(address);
      await assert.rejects(download(request), /stopped after \d+ of \d+ MB: .*goes on where it stopped/);
      assert.equal(ranges.length, 3);
      assert.ok(existsSync(`${request.target}.part`) && !existsSync(request.target));
    });
  });

  test("a busy server is asked again, a missing file is not", async () => {
    const status =
      (code: number): Answer =>
      (_request, response) =>
        response.writeHead(code).end();
    await withServer([status(503), wholeFile], async (address) => download(requestFor(address)));
    await withServer([status(404)], async (address, ranges) => {
      await assert.rejects(download(requestFor(address)), /file\.whl answers 404/);
      assert.equal(ranges.length, 1);
    });
  });

  test("a refused connection is named", async () => {
    let closed = "";
    await withServer([wholeFile], async (address) => {
      closed = address;
      return Promise.resolve();
    });
    await assert.rejects(download(requestFor(closed)), /the server refuses the connection/);
  });
});

describe("package index", () => {
  const wanted = { project: "thing", file: "thing-1.0-py3-none-any.whl", size: 1, sha256: "00" };
  const settings = (index: string, folders: string[] = []): PipSettings => {
    return { indexes: [index], folders, certificates: undefined, proxy: undefined };
  };
  const page =
    (body: string): Answer =>
    (_request, response) =>
      response.end(body);

  test("finds a file in a JSON page and in an HTML page, relative addresses too", async () => {
    const json = JSON.stringify({ files: [{ filename: wanted.file, url: `../../files/${wanted.file}` }] });
    const html = `<a href="../../files/other.whl">other</a> <a  class="x" href="../../files/${wanted.file}#sha256=00">it</a>`;
    for (const body of [json, html]) {
      await withServer([page(body)], async (address) => {
        const base = new URL("/", address).href;
        const found = await addressOf(wanted, settings(`${base}simple/`), connection);
        assert.equal(found, `${base}files/${wanted.file}`);
      });
    }
  });

  test("takes a find-links folder first", async () => {
    writeFileSync(join(folder, wanted.file), "x");
    const found = await addressOf(wanted, settings("http://127.0.0.1:1/", [folder]), connection);
    assert.ok(found.startsWith("file:") && found.endsWith(wanted.file));
  });

  test("says which index does not have it, without the password", async () => {
    await withServer([page("<html></html>")], async (address) => {
      const index = address.replace("http://", "http://user:secret@");
      await assert.rejects(addressOf(wanted, settings(index), connection), (error: Error) => {
        assert.match(error.message, /thing\/ does not list it/);
        assert.doesNotMatch(error.message, /secret/);
        return true;
      });
    });
  });
});
