import type { CompileOption } from "../compiling.js";
import type { Example } from "../../data/example.js";
import type { RenderPolicy } from "../../data/spans.js";
import type { Template } from "../../data/template.js";
import type { LoadedModel } from "../model-folder.js";
import type { Match } from "../metrics/exact-match.js";
import type { ResultExample, ResultMetric } from "../result/schema.js";
import type { BootstrapInterval, BootstrapOptions } from "../statistics/bootstrap.js";

/** What a protocol leaves to the caller; all of it changes the numbers. */
export interface ProtocolSettings {
  readonly policy: Pick<RenderPolicy, "maxTokens" | "overlong">;
  /** Longest answer, in tokens, where answers are generated. */
  readonly maxNewTokens: number;
  readonly match: Match;
  /** Whether ROUGE-L stems. */
  readonly stem: boolean;
  /** Whether the end token is part of each option, where options are ranked. */
  readonly scoreEnd: boolean;
  readonly bootstrap: BootstrapOptions;
}

export interface ProtocolRun extends CompileOption {
  /** Rows answered together, and tokens scored together; they do not change the scores. */
  readonly batchSize: number;
  readonly batchTokens: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** What is evaluated. */
export interface ProtocolInput {
  readonly model: LoadedModel;
  readonly examples: readonly Example[];
  readonly templates: readonly Template[];
  readonly settings: ProtocolSettings;
  readonly run: ProtocolRun;
}

/** What came out. */
export interface ProtocolOutcome {
  readonly metrics: readonly ResultMetric[];
  readonly examples: readonly ResultExample[];
  /** Sentences for below the table: rows left out, where methods disagree. */
  readonly notes: readonly string[];
}

/** A way to evaluate that papers use and name. */
export interface Protocol {
  readonly name: string;
  /** One line for `--help`. */
  readonly description: string;
  /** Whether it compares templates; the others take one. */
  readonly severalTemplates: boolean;
  /** @returns undefined when the signal aborts */
  readonly evaluate: (input: ProtocolInput) => Promise<ProtocolOutcome | undefined>;
}

/** A metric with a bootstrap interval. */
export function metricOf(
  place: Pick<ResultMetric, "metric" | "scope" | "of" | "template" | "rows">,
  { mean, low, high, basis }: BootstrapInterval,
  floors: Readonly<Record<string, number | undefined>> = {},
): ResultMetric {
  const known = Object.entries(floors).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return {
    ...place,
    mean,
    interval: { low, high, basis },
    ...(known.length === 0 ? {} : { floors: Object.fromEntries(known) }),
  };
}
