import { endToken } from "../../../data/render.js";
import { supervisedBytes } from "../../../data/supervised-bytes.js";
import type { Spans } from "../../../data/spans.js";
import { T5 } from "../../../model/t5/t5.js";
import type { Objective } from "../../../train/objective.js";
import { nextToken } from "../../../train/objectives/next-token.js";
import { sequenceRows, sequenceToSequence } from "../../../train/objectives/sequence-to-sequence.js";
import { checkRows, checkSequenceRows } from "../../../train/preflight/rows.js";
import { prepareRows, type TrainingRow } from "../../../train/rows.js";
import { evaluateAnswers, evaluateRanks, rankable } from "./answer-scores.js";
import type { ObjectiveRun } from "./objective-run.js";
import type { PreparedRun } from "./prepare.js";
import type { RunConfig } from "./run-config.js";

/** A prepared run on answers, as any other run. @throws KitError for an unfit row */
export function answerRun(run: PreparedRun, config: RunConfig): ObjectiveRun {
  const { decoder, base, tokenizer, spans, validation, ledgers, examples } = run;
  const bytesOf = (row: Spans): number => supervisedBytes(row, tokenizer);
  const rowsOf = (some: readonly Spans[]): TrainingRow[] =>
    decoder instanceof T5
      ? sequenceRows(some, decoder.config, bytesOf)
      : prepareRows(some, decoder.config, bytesOf);
  const objective: Objective = decoder instanceof T5 ? sequenceToSequence(decoder) : nextToken(decoder);
  const { total } = ledgers.render;
  const { evaluation } = config;
  if (evaluation?.answers === "ranked") rankable(run);
  const rows = rowsOf(spans);
  const ends = [tokenizer.special.eos, endToken(config.template, tokenizer)];
  const { bos } = tokenizer.special;
  return {
    objective,
    rows,
    validation: validation && rowsOf(validation),
    tokenizer,
    models: { model: decoder, base, ...("from" in config.decoder ? { from: config.decoder.from } : {}) },
    resolved: { [config.modelField]: decoder.config },
    ledgers: { ...ledgers },
    summary:
      `${spans.length} rows (${total.rowsIn - total.rendered} dropped, ${total.truncated} cut), ` +
      `${total.supervisedTokens} supervised of ${total.totalTokens} tokens`,
    made: { template: config.template, from: examples },
    rowChecks: () =>
      decoder instanceof T5
        ? checkSequenceRows(rows, { ...decoder.config, ends })
        : checkRows(spans, { ...(bos === undefined ? {} : { bos }), ends }),
    answers: evaluation && { everySteps: evaluation.everySteps },
    evaluate: async (signal) => {
      if (evaluation === undefined) return undefined;
      return evaluation.answers === "ranked"
        ? evaluateRanks(run, config, evaluation, signal)
        : evaluateAnswers(run, config, evaluation, signal);
    },
  };
}
