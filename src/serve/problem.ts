import { KitError, messageOf } from "../support/errors.js";

/** What a problem tells besides its message, as OpenAI's error bodies have it. */
export interface ProblemDetails {
  /** Status of the response. */
  readonly status: number;
  /** "invalid_request_error", "authentication_error", "rate_limit_error", "timeout", "server_error". */
  readonly type: string;
  /** A word for programs, such as "context_length_exceeded". */
  readonly code?: string;
  /** The field of the request. */
  readonly param?: string;
  /** When to come again. */
  readonly retryAfterSeconds?: number;
}

/** A request that gets no answer, and why. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly details: ProblemDetails;

  constructor(message: string, details: ProblemDetails) {
    super(message);
    this.details = details;
  }
}

/** A request that its sender can mend. */
export function badRequest(message: string, param?: string, code?: string): Problem {
  return new Problem(message, {
    status: 400,
    type: "invalid_request_error",
    ...(param === undefined ? {} : { param }),
    ...(code === undefined ? {} : { code }),
  });
}

/** Every place in the queue is taken. */
export function queueIsFull(model: string, places: number): Problem {
  return new Problem(`all ${places} places in the queue of ${model} are taken; ask again in a second`, {
    status: 429,
    type: "rate_limit_error",
    code: "queue_full",
    retryAfterSeconds: 1,
  });
}

/** Status of a request whose sender does not wait any more (nginx's number); nobody reads it. */
export const CLIENT_GONE = 499;

/** The client closed the connection. */
export function clientIsGone(): Problem {
  return new Problem("the client closed the connection", { status: CLIENT_GONE, type: "cancelled" });
}

/** No whole answer in time. */
export function tookTooLong(seconds: number): Problem {
  return new Problem(`no whole answer within ${seconds} seconds`, {
    status: 504,
    type: "timeout",
    code: "timeout",
  });
}

/** The server ends. */
export function shuttingDown(): Problem {
  return new Problem("the server is shutting down", {
    status: 503,
    type: "server_error",
    code: "shutting_down",
  });
}

/** What was thrown, as a problem: a `KitError` is one of the request, anything else one of the server. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof KitError) return badRequest(error.message, error.location.field);
  if (error instanceof Error && "statusCode" in error && typeof error.statusCode === "number") {
    const { statusCode: status, message } = error;
    if (status < 500) return new Problem(message, { status, type: "invalid_request_error" });
  }
  return new Problem(`this is a defect of the kit: ${messageOf(error)}`, {
    status: 500,
    type: "server_error",
  });
}

/** The body of an error, in OpenAI's form. */
export function errorBody({ message, details }: Problem): object {
  const { type, param = null, code = null } = details;
  return { error: { message, type, param, code } };
}
