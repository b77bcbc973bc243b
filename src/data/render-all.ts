import { KitError } from "../support/errors.js";
import type { Example } from "./example.js";
import { type Ledger, LedgerBuilder } from "./ledger.js";
import { renderSpans } from "./render.js";
import type { RenderPolicy, Spans } from "./spans.js";
import type { Template } from "./template.js";
import type { Tokenizer } from "./tokenizer.js";

/** A row that was not rendered, and why. */
export interface DroppedRow {
  readonly id: string;
  readonly taskType: string;
  readonly reason: string;
}

export interface RenderedExamples {
  readonly spans: Spans[];
  readonly ledger: Ledger;
  /** The rows that are missing in `spans`, in order. */
  readonly dropped: readonly DroppedRow[];
  /** Special texts of the template that the tokenizer has no token for: they are plain text in these rows. */
  readonly plainSpecials: readonly string[];
}

export interface RenderAllOptions {
  /** What to do with a row that lacks what the template shows, such as its input: stop (the default), or drop and count it. */
  readonly onUnrenderable?: "error" | "drop";
}

/**
 * Renders rows for training; every row is in `spans` or has a line in the ledger.
 * @throws KitError when a row cannot be rendered (unless such rows are to be dropped) or none is left
 */
export function renderExamples(
  examples: readonly Example[],
  template: Template,
  tokenizer: Tokenizer,
  policy: RenderPolicy,
  { onUnrenderable = "error" }: RenderAllOptions = {},
): RenderedExamples {
  const builder = new LedgerBuilder();
  const spans: Spans[] = [];
  const dropped: DroppedRow[] = [];
  const plainSpecials = new Set<string>();
  let firstProblem: KitError | undefined;
  for (const example of examples) {
    const { id, taskType } = example;
    try {
      const outcome = renderSpans(example, template, tokenizer, policy);
      builder.add(taskType, outcome);
      if (outcome.kind === "rendered") {
        spans.push(outcome.spans);
        for (const text of outcome.plainSpecials) plainSpecials.add(text);
      } else dropped.push({ id, taskType, reason: outcome.reason });
    } catch (error) {
      if (onUnrenderable === "error" || !(error instanceof KitError)) throw error;
      firstProblem ??= error;
      builder.add(taskType, { kind: "dropped", reason: "not-renderable" });
      dropped.push({ id, taskType, reason: error.message });
    }
  }
  const ledger = builder.build();
  if (spans.length === 0) throw nothingLeft(ledger, policy, firstProblem);
  return { spans, ledger, dropped, plainSpecials: [...plainSpecials] };
}

function nothingLeft(ledger: Ledger, policy: RenderPolicy, firstProblem: KitError | undefined): KitError {
  const reasons = Object.entries(ledger.total.dropped).map(([reason, rows]) => `${rows} ${reason}`);
  return new KitError(
    `no row is left to train on (${reasons.length === 0 ? "there were none" : reasons.join(", ")})`,
    firstProblem?.cure ?? `check the data, or raise maxTokens (now ${policy.maxTokens})`,
    {},
    { cause: firstProblem },
  );
}
