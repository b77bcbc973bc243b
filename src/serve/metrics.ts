import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { ServedModel } from "./served-model.js";

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const TOKEN_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

/** How a request ended. */
export type Outcome = "completed" | "refused" | "busy" | "cancelled" | "timeout" | "failed";

/** What Prometheus is told of one server. */
export class ServeMetrics {
  readonly registry = new Registry();
  readonly #requests: Counter<"model" | "outcome">;
  readonly #tokens: Counter<"model" | "kind">;
  readonly #firstToken: Histogram<"model">;
  readonly #token: Histogram<"model">;

  constructor(models: readonly ServedModel[]) {
    const registers = [this.registry];
    this.#requests = new Counter({
      name: "ift_kit_requests_total",
      help: "Requests by how they ended",
      labelNames: ["model", "outcome"],
      registers,
    });
    this.#tokens = new Counter({
      name: "ift_kit_tokens_total",
      help: "Tokens of prompts and of answers",
      labelNames: ["model", "kind"],
      registers,
    });
    this.#firstToken = new Histogram({
      name: "ift_kit_first_token_seconds",
      help: "From a request to the first piece of its answer, waiting included",
      labelNames: ["model"],
      buckets: SECONDS,
      registers,
    });
    this.#token = new Histogram({
      name: "ift_kit_token_seconds",
      help: "Mean time of a token of an answer after the first",
      labelNames: ["model"],
      buckets: TOKEN_SECONDS,
      registers,
    });
    const gauge = (name: string, help: string, valueOf: (model: ServedModel) => number): void => {
      new Gauge({
        name,
        help,
        labelNames: ["model"],
        registers,
        collect() {
          for (const model of models) this.set({ model: model.id }, valueOf(model));
        },
      });
    };
    gauge("ift_kit_queue_length", "Requests that wait", ({ load }) => load.waiting);
    gauge("ift_kit_active_slots", "Requests that are answered now", ({ load }) => load.active);
  }

  ended(model: string, outcome: Outcome): void {
    this.#requests.inc({ model, outcome });
  }

  /** Of one answer. @param seconds from the request to the first piece, and from there to the end */
  answered(
    model: string,
    tokens: { readonly prompt: number; readonly completion: number },
    seconds: { readonly first: number; readonly rest: number },
  ): void {
    this.#tokens.inc({ model, kind: "prompt" }, tokens.prompt);
    this.#tokens.inc({ model, kind: "completion" }, tokens.completion);
    this.#firstToken.observe({ model }, seconds.first);
    if (tokens.completion > 1) this.#token.observe({ model }, seconds.rest / (tokens.completion - 1));
  }
}
