import { join } from "node:path";
import type { Example } from "../../../data/example.js";
import { readExamples } from "../../../data/read/index.js";
import { renderExamples } from "../../../data/render-all.js";
import type { Spans } from "../../../data/spans.js";
import { alpaca } from "../../../data/templates/index.js";
import { loadDecoder, saveDecoder } from "../../../model/checkpoint.js";
import { Decoder } from "../../../model/decoder.js";
import { Random } from "../../../support/random.js";
import { trainByteLevelBpe } from "../../../tokenizer/byte-level-bpe.js";
import { loadTokenizer } from "../../../tokenizer/load.js";
import type { Precision, TrainConfig } from "../../../train/config.js";
import { train } from "../../../train/train.js";
import { type BenchContext, peers } from "../context.js";
import { type Contest, type Contestant, ownLap } from "../contest.js";
import { OPTIMIZER, workloadNamed } from "../workload.js";

const ROWS = 2000;
const LAPS = 2;
const ROWS_PER_STEP = 8;
const TOKENS_PER_ROW = 256;
const POLICY = { maxTokens: TOKENS_PER_ROW, overlong: "drop", lossOn: "response" } as const;
/** Stanford's texts, for the plain loop in Python. */
const PROMPTS = {
  input:
    "Below is an instruction that describes a task, paired with an input that provides further context. Write a response " +
    "that appropriately completes the request.\n\n### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:",
  plain:
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n" +
    "### Instruction:\n{instruction}\n\n### Response:",
};

/** Rows as text and ids as lists beside a plain loop over Python's tokenizers. */
export async function renderingContests(context: BenchContext): Promise<Contest[]> {
  const { examples, what, tokenizer } = await alpacaRows(context);
  const loaded = loadTokenizer(tokenizer);
  const contestant: Contestant = {
    name: "ift-kit",
    lap: () =>
      ownLap(() => {
        const policy = { ...POLICY, maxTokens: Number.MAX_SAFE_INTEGER };
        const { ledger } = renderExamples(examples, alpaca, loaded, policy);
        return Promise.resolve({ amount: examples.length, value: ledger.total.totalTokens });
      }),
    close: () => undefined,
  };
  const rows = examples.map(({ instruction = "", input, outputs }) => ({
    instruction,
    input,
    output: outputs[0] ?? "",
  }));
  return [
    {
      part: "rendering",
      what: `${what} in Alpaca's template as token ids with masks`,
      unit: "rows/s",
      contestants: [
        () => Promise.resolve(contestant),
        ...peers(context, [{ task: "rendering", tokenizer, rows, prompts: PROMPTS }]),
      ],
      laps: { least: 5, most: 9, warmUp: true },
    },
  ];
}

/** Instruction tuning on Alpaca rows, once over, beside TRL. */
export async function tuningContests(context: BenchContext): Promise<Contest[]> {
  const { examples, what, tokenizer } = await alpacaRows(context);
  const rendered = renderExamples(examples, alpaca, loadTokenizer(tokenizer), POLICY);
  const spans = rendered.spans.slice(0, ROWS);
  const model = join(context.folder, "tuned");
  const { config } = workloadNamed("large");
  const start = Decoder.create(config, 1);
  saveDecoder(model, start);
  start.dispose();
  const rows = spans.map(({ ids, supervised }) => ({
    input_ids: ids,
    completion_mask: supervised.map(Number),
  }));
  const request = {
    task: "tuning",
    model,
    rows,
    optimizer: OPTIMIZER,
    rowsPerStep: ROWS_PER_STEP,
    tokensPerRow: TOKENS_PER_ROW,
    out: join(context.folder, "trl"),
  };
  const compiled = context.engine.backend === "tensorflow";
  const kinds = compiled ? (["float32", "bfloat16"] as const) : (["float32"] as const);
  return [
    {
      part: "tuning",
      what: `${spans.length} of ${what}, 5.9 M parameters, packed to ${TOKENS_PER_ROW} tokens, ${ROWS_PER_STEP} rows a step`,
      unit: "supervised tokens/s",
      contestants: [
        ...kinds.map((precision) => () => Promise.resolve(new OwnTuning(model, spans, precision))),
        ...peers(
          context,
          kinds.map((precision) => ({ ...request, precision })),
        ),
      ],
      lapAmount: Math.floor(spans.length / LAPS),
      laps: { least: LAPS, most: LAPS, warmUp: false },
    },
  ];
}

/** Each lap trains on the rows that follow, recording the step anew, as a run of its own would. */
class OwnTuning implements Contestant {
  readonly name: string;
  readonly #decoder: Decoder;
  readonly #spans: readonly Spans[];
  readonly #precision: Precision;
  #turn = 0;

  constructor(model: string, spans: readonly Spans[], precision: Precision) {
    this.name = `ift-kit, ${precision}`;
    this.#decoder = loadDecoder(model);
    this.#spans = spans;
    this.#precision = precision;
  }

  lap(amount: number): ReturnType<Contestant["lap"]> {
    const rows = this.#spans.slice(this.#turn, this.#turn + amount);
    this.#turn += amount;
    const supervised = rows.reduce((sum, row) => sum + row.supervised.filter(Boolean).length, 0);
    const config: TrainConfig = {
      budget: { unit: "supervised-tokens", amount: supervised },
      batch: { kind: "packed", tokensPerRow: TOKENS_PER_ROW, rowsPerStep: ROWS_PER_STEP },
      optimizer: { kind: "adamw", ...OPTIMIZER },
      schedule: { kind: "linear", warmupFraction: 0, finalFraction: 0 },
      precision: this.#precision,
      seed: 1,
    };
    return ownLap(async () => {
      const { history } = await train(this.#decoder, rows, config);
      const value = history.reduce((sum, { loss }) => sum + loss, 0) / history.length;
      return { amount: supervised, value };
    });
  }

  close(): void {
    this.#decoder.dispose();
  }
}

/** Rows of the given file, or made-up ones of about their length, and a tokenizer that is trained on them. */
async function alpacaRows({ data, folder }: BenchContext): Promise<{
  readonly examples: readonly Example[];
  readonly what: string;
  readonly tokenizer: string;
}> {
  const read = data === undefined ? undefined : await readExamples(data, { onMalformed: "skip" });
  const examples =
    read?.examples.filter(({ outputs }) => outputs[0]?.trim() !== "").slice(0, 2 * ROWS) ?? madeUpExamples();
  const tokenizer = join(folder, "tokenizer");
  const texts = examples.flatMap(({ instruction = "", input, outputs }) => [instruction, input, ...outputs]);
  trainByteLevelBpe(texts, { vocabularySize: workloadNamed("large").config.vocabularySize }).save(tokenizer);
  const what = `${examples.length} rows ${data === undefined ? "that are made up" : "of Alpaca"}`;
  return { examples, what, tokenizer };
}

/** Rows of made-up words, as long as Alpaca's on average. */
function madeUpExamples(): Example[] {
  const random = new Random(2);
  const syllables = ["ka", "lo", "mi", "ne", "ru", "ta", "si", "vo", "pe", "du", "ga", "hi"];
  const words = Array.from({ length: 3000 }, () =>
    Array.from({ length: 1 + random.integer(3) }, () => syllables[random.integer(12)]).join(""),
  );
  const text = (length: number): string =>
    Array.from({ length }, () => words[random.integer(words.length)]).join(" ");
  return Array.from({ length: ROWS }, (_, row) => ({
    id: `row${row}`,
    task: "made-up",
    taskType: "made-up",
    instruction: text(5 + random.integer(6)),
    input: random.next() < 0.4 ? text(3 + random.integer(8)) : "",
    outputs: [text(5 + random.integer(25))],
    source: "made-up",
  }));
}
