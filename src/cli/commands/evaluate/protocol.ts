import type { Example } from "../../../data/example.js";
import { startEngine } from "../../../engine/start.js";
import { loadModelFolder } from "../../../evaluate/model-folder.js";
import type { Protocol, ProtocolOutcome } from "../../../evaluate/protocols/index.js";
import { writeResult } from "../../../evaluate/result/file.js";
import { toLmEval } from "../../../evaluate/result/lm-eval.js";
import type { EvaluationResult, ResultMetric } from "../../../evaluate/result/schema.js";
import { hashJson } from "../../../support/hash.js";
import { writeFileAtomic } from "../../../support/files.js";
import { progressBar } from "../../../support/progress.js";
import { onInterrupt } from "../../interrupt.js";
import { textTable } from "../data/shared.js";
import { BOOTSTRAP, type EvaluateFlags, onlyTemplate, templatesOf } from "./flags.js";

/**
 * Evaluates by a protocol, prints a table of metrics with intervals and floors, and writes what was asked for.
 * @throws KitError as the protocol does, and for several templates where it takes one
 */
export async function evaluateProtocol(
  protocol: Protocol,
  flags: EvaluateFlags,
  rows: readonly Example[],
): Promise<void> {
  const templates = protocol.severalTemplates
    ? templatesOf(flags)
    : [onlyTemplate(flags, `the protocol ${protocol.name}`)];
  await startEngine();
  const model = loadModelFolder(flags.model);
  const interrupt = onInterrupt("Stopping; nothing is written.");
  const bar = progressBar(protocol.name);
  const chosen = {
    maxTokens: model.decoder.config.contextLength,
    overlong: flags.overlong,
    maxNewTokens: flags.maxNewTokens,
    match: flags.match,
    stem: flags.stem,
    scoreEnd: flags.scoreEnd,
    resamples: flags.resamples,
    ...BOOTSTRAP,
  };
  const { maxTokens, overlong, resamples, level, seed, ...others } = chosen;
  let outcome: ProtocolOutcome | undefined;
  try {
    outcome = await protocol.evaluate({
      model,
      examples: rows,
      templates,
      settings: { ...others, policy: { maxTokens, overlong }, bootstrap: { resamples, level, seed } },
      run: {
        batchSize: flags.batchSize,
        batchTokens: flags.batchTokens,
        ...(flags.eager === true ? { compile: false } : {}),
        signal: interrupt.signal,
        onProgress: (done, total) => bar.update(done / total, `${done} of ${total} rows`),
      },
    });
  } finally {
    bar.stop();
    interrupt.release();
  }
  if (outcome === undefined) return;
  const result: EvaluationResult = {
    config: {
      model: flags.model,
      tokenizerHash: model.tokenizer.hash,
      data: flags.data,
      dataHash: hashJson(rows),
      protocol: protocol.name,
      templates: templates.map(({ name, hash }) => ({ name, hash })),
      settings: chosen,
    },
    metrics: outcome.metrics,
    examples: outcome.examples,
  };
  if (flags.result !== undefined) writeResult(flags.result, result);
  const scores = { config: result.config, metrics: result.metrics, notes: outcome.notes };
  if (flags.out !== undefined) writeJson(flags.out, { ...scores, examples: result.examples });
  if (flags.lmEval !== undefined) writeJson(flags.lmEval, toLmEval(result));
  console.log(flags.json === true ? JSON.stringify(scores, null, 2) : describe(outcome));
}

function writeJson(file: string, value: unknown): void {
  writeFileAtomic(file, `${JSON.stringify(value, null, 2)}\n`);
}

/** The table, without the lines of single tasks, which the files have. */
function describe({ metrics, notes }: ProtocolOutcome): string {
  const shown = metrics.filter(({ scope }) => scope !== "task");
  const basis = shown.find(({ interval }) => interval !== undefined)?.interval?.basis;
  return [
    textTable(
      ["template", "over", "metric", "rows", "score", "floors"],
      shown.map((metric) => [
        metric.template,
        metric.of,
        metric.metric,
        metric.rows,
        percent(metric),
        Object.entries(metric.floors ?? {})
          .map(([name, value]) => `${name} ${(100 * value).toFixed(1)}`)
          .join(", "),
      ]),
    ),
    `In percent.${basis === undefined ? "" : ` ${basis}; within a task type over its examples.`}`,
    ...notes,
  ].join("\n");
}

function percent({ mean, interval }: ResultMetric): string {
  const score = (100 * mean).toFixed(1);
  if (interval === undefined) return score;
  return `${score} [${(100 * interval.low).toFixed(1)}, ${(100 * interval.high).toFixed(1)}]`;
}
