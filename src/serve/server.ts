import { Readable } from "node:stream";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { KitError, messageOf, systemErrorCode } from "../support/errors.js";
import { type AnswerForm, CHAT_FORM, COMPLETION_FORM } from "./answer-body.js";
import { Answering, outcomeOf } from "./answering.js";
import { checkExposure, checkOrigin, checkToken, isLoopback } from "./guard.js";
import { ServeMetrics } from "./metrics.js";
import { servedPage } from "./page.js";
import { clientIsGone, errorBody, Problem, problemOf, shuttingDown, tookTooLong } from "./problem.js";
import { type Asked, readChatBody, readCompletionBody, readPromptBody } from "./request-body.js";
import type { ServedModel } from "./served-model.js";

/** How models are served. */
export interface ServeOptions {
  /** Each with an id of its own; the server closes them. */
  readonly models: readonly ServedModel[];
  /** Where it listens; loopback by default. */
  readonly host?: string;
  /** A free one by default. */
  readonly port?: number;
  /** What a client must send; without it the server listens on loopback only. */
  readonly token?: string;
  /** Longest time of a request, waiting included (120). */
  readonly timeoutSeconds?: number;
  /** How long requests may go on after `close` (10). */
  readonly graceSeconds?: number;
  /** Is told of what went wrong in the server itself. */
  readonly onDefect?: (error: unknown) => void;
}

/** A server at work. */
export interface RunningServer {
  /** Such as "http://127.0.0.1:8080". */
  readonly url: string;
  /** Takes no more requests, lets those at work end or ends them after the grace, and frees the models. */
  close(): Promise<void>;
}

const TIMEOUT_SECONDS = 120;
const GRACE_SECONDS = 10;
const IDLE_MILLISECONDS = 50;
const MOST_BYTES = 1 << 20;
const LOOPBACK = "127.0.0.1";

/**
 * Starts an OpenAI-compatible server: `/v1/models`, `/v1/completions`, `/v1/chat/completions`; and `/` (the page),
 * `/v1/prompt` (a chat as its model sees it), `/health`, `/metrics`.
 * @throws KitError for models of equal names, a host that others reach without a token, or a port that is taken
 */
export async function startServer(options: ServeOptions): Promise<RunningServer> {
  const { models, host = LOOPBACK, token } = options;
  checkExposure(host, token);
  checkNames(models);
  const app = fastify({ bodyLimit: MOST_BYTES, return503OnClosing: false, forceCloseConnections: "idle" });
  const server = new ModelServer(app, options);
  try {
    const url = await app.listen({ host, port: options.port ?? 0 });
    return { url, close: () => server.close() };
  } catch (error) {
    await server.close();
    throw new KitError(
      systemErrorCode(error) === "EADDRINUSE"
        ? `port ${options.port ?? 0} of ${host} is taken`
        : `the server cannot listen on ${host}: ${messageOf(error)}`,
      "give another --port or --host",
    );
  }
}

function checkNames(models: readonly ServedModel[]): void {
  if (models.length === 0) throw new KitError("no model to serve", "name one", { field: "model" });
  const ids = models.map(({ id }) => id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice === undefined) return;
  throw new KitError(
    `two models are called "${twice}"`,
    "give one of them another name: --model NAME=FOLDER",
    {
      field: "model",
    },
  );
}

class ModelServer {
  readonly #app: FastifyInstance;
  readonly #options: ServeOptions;
  readonly #metrics: ServeMetrics;
  readonly #models: ReadonlyMap<string, ServedModel>;
  readonly #created = Math.floor(Date.now() / 1000);
  /** Requests at work. */
  readonly #open = new Set<AbortController>();
  #closed: Promise<void> | undefined;

  constructor(app: FastifyInstance, options: ServeOptions) {
    this.#app = app;
    this.#options = options;
    this.#metrics = new ServeMetrics(options.models);
    this.#models = new Map(options.models.map((model) => [model.id, model]));
    this.#guard();
    this.#routes();
  }

  /** See `RunningServer`. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const grace = setTimeout(
      () => {
        for (const controller of this.#open) controller.abort(shuttingDown());
      },
      (this.#options.graceSeconds ?? GRACE_SECONDS) * 1000,
    );
    // Connections that were at work, and those that clients open in advance, would be kept for a next request.
    const idle = setInterval(() => {
      if (this.#open.size === 0) this.#app.server.closeAllConnections();
    }, IDLE_MILLISECONDS);
    await this.#app.close();
    clearInterval(idle);
    clearTimeout(grace);
    await Promise.all(this.#options.models.map((model) => model.close()));
  }

  #guard(): void {
    const { host = LOOPBACK, token, onDefect } = this.#options;
    // JSON only: a form of another site can send text/plain without asking first.
    this.#app.removeContentTypeParser("text/plain");
    this.#app.addHook("onRequest", (request, reply, done) => {
      void reply.headers({ "x-content-type-options": "nosniff", "cache-control": "no-store" });
      checkOrigin(request.headers, isLoopback(host));
      const isOpen = request.url === "/" || request.url === "/health";
      if (token !== undefined && !isOpen) checkToken(request.headers, token);
      if (this.#closed !== undefined) throw shuttingDown();
      done();
    });
    this.#app.setErrorHandler((error, _, reply) => {
      const problem = problemOf(error);
      if (problem.details.status === 500) onDefect?.(error);
      return sendProblem(reply, problem);
    });
    this.#app.setNotFoundHandler((request, reply) =>
      sendProblem(
        reply,
        new Problem(`there is no ${request.method} ${request.url} here`, {
          status: 404,
          type: "invalid_request_error",
          code: "unknown_url",
        }),
      ),
    );
  }

  #routes(): void {
    const app = this.#app;
    app.get("/", (_, reply) => {
      const { html, policy } = servedPage();
      return reply
        .headers({ "content-security-policy": policy, "referrer-policy": "no-referrer" })
        .type("text/html; charset=utf-8")
        .send(html);
    });
    app.get("/health", () => ({ status: "ok", models: [...this.#models.keys()] }));
    app.get("/metrics", async (_, reply) => {
      const { registry } = this.#metrics;
      return reply.type(registry.contentType).send(await registry.metrics());
    });
    app.get("/v1/models", () => ({
      object: "list",
      data: [...this.#models.values()].map((model) => this.#describe(model)),
    }));
    app.get<{ Params: { readonly "*": string } }>("/v1/models/*", ({ params }) =>
      this.#describe(this.#model(params["*"])),
    );
    app.post("/v1/completions", (request, reply) =>
      this.#answer(request, reply, readCompletionBody, COMPLETION_FORM),
    );
    app.post("/v1/chat/completions", (request, reply) =>
      this.#answer(request, reply, readChatBody, CHAT_FORM),
    );
    app.post("/v1/prompt", ({ body }) => {
      const { model, prompt } = readPromptBody(body);
      return this.#model(model).show(prompt);
    });
  }

  /** A model as `/v1/models` lists it; what OpenAI's form does not have comes after it. */
  #describe({ id, template, templates, contextLength }: ServedModel): object {
    const openAi = { id, object: "model", created: this.#created, owned_by: "ift-kit" };
    return { ...openAi, template, templates, context_length: contextLength };
  }

  #model(id: string): ServedModel {
    const model = this.#models.get(id);
    if (model !== undefined) return model;
    throw new Problem(`there is no model "${id}"; there are ${[...this.#models.keys()].join(", ")}`, {
      status: 404,
      type: "invalid_request_error",
      param: "model",
      code: "model_not_found",
    });
  }

  async #answer(
    { body }: FastifyRequest,
    reply: FastifyReply,
    read: (body: unknown) => Asked,
    form: AnswerForm,
  ): Promise<unknown> {
    const asked = read(body);
    const model = this.#model(asked.model);
    const controller = this.#begin(reply);
    let answering: Answering;
    try {
      answering = new Answering(model, asked, form, this.#metrics, controller.signal);
    } catch (error) {
      this.#metrics.ended(model.id, outcomeOf(error));
      throw error;
    }
    if (!asked.stream) return answering.whole();
    const chunks = answering.chunks();
    const first = await chunks.next();
    return reply
      .headers({ "x-accel-buffering": "no" })
      .type("text/event-stream; charset=utf-8")
      .send(Readable.from(this.#serverSentEvents(first, chunks)));
  }

  /** What ends the work on a request: the client goes away, or the time is over. */
  #begin(reply: FastifyReply): AbortController {
    const controller = new AbortController();
    const { timeoutSeconds = TIMEOUT_SECONDS } = this.#options;
    const timer = setTimeout(() => controller.abort(tookTooLong(timeoutSeconds)), timeoutSeconds * 1000);
    this.#open.add(controller);
    reply.raw.once("close", () => {
      clearTimeout(timer);
      this.#open.delete(controller);
      controller.abort(clientIsGone());
    });
    return controller;
  }

  /** An error after the first chunk cannot be a status any more: it is a chunk. */
  async *#serverSentEvents(
    first: IteratorResult<object>,
    rest: AsyncGenerator<object>,
  ): AsyncGenerator<string> {
    const event = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;
    try {
      if (first.done !== true) yield event(first.value);
      for await (const chunk of rest) yield event(chunk);
      yield "data: [DONE]\n\n";
    } catch (error) {
      const problem = problemOf(error);
      if (problem.details.status === 500) this.#options.onDefect?.(error);
      yield event(errorBody(problem));
    }
  }
}

function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  const { status, retryAfterSeconds } = problem.details;
  if (retryAfterSeconds !== undefined) void reply.header("retry-after", retryAfterSeconds);
  return reply.code(status).type("application/json; charset=utf-8").send(errorBody(problem));
}
