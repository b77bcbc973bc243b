import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { scriptedAnswer } from "../../src/generate/teacher/scripted-teacher.js";
import { scriptedModel } from "../../src/serve/scripted-model.js";
import { startServer } from "../../src/serve/server.js";

/** `ift-kit serve` over the kit's scripted teacher. @returns the address of its API */
export async function servedScript(
  context: TestContext,
  onAsked: () => void | Promise<void> = () => undefined,
): Promise<string> {
  const model = scriptedModel("script", async ({ prompt, seed }) => {
    await onAsked();
    return scriptedAnswer({ messages: prompt.kind === "chat" ? prompt.messages : [], seed });
  });
  const server = await startServer({ models: [model] });
  context.after(() => server.close());
  return `${server.url}/v1`;
}

/** An answer of a made-up endpoint. */
export interface MadeUpAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Anything; an object is sent as JSON. */
  readonly body: unknown;
  /** Ends the connection in the middle of the body. */
  readonly breaks?: true;
}

/** An endpoint that answers by a function, for what no good server does. */
export async function madeUpEndpoint(
  context: TestContext,
  answer: (call: number, request: IncomingMessage) => MadeUpAnswer,
): Promise<{ readonly url: string; readonly calls: number }> {
  let calls = 0;
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    request.resume().on("end", () => {
      const { status = 200, headers = {}, body, breaks } = answer(calls++, request);
      const text = typeof body === "string" ? body : JSON.stringify(body);
      response.writeHead(status, {
        "content-type": "application/json",
        ...(breaks === undefined ? {} : { "content-length": String(text.length + 100) }),
        ...headers,
      });
      if (breaks === undefined) response.end(text);
      else response.write(text, () => response.destroy());
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    get calls() {
      return calls;
    },
  };
}

/** The body of a chat completion. */
export function completion(
  text: string,
  more: { readonly finish?: string; readonly refusal?: string } = {},
): object {
  const { finish = "stop", refusal = null } = more;
  return {
    id: "x",
    object: "chat.completion",
    choices: [{ index: 0, finish_reason: finish, message: { role: "assistant", content: text, refusal } }],
    usage: { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 },
  };
}
