import { join } from "node:path";
import { generate } from "../../../evaluate/generate.js";
import { type OptionRequest, scoreOptions } from "../../../evaluate/option-scores.js";
import { loadDecoder, saveDecoder } from "../../../model/checkpoint.js";
import { Decoder } from "../../../model/decoder.js";
import { Random } from "../../../support/random.js";
import { type BenchContext, madeUpIds, peers } from "../context.js";
import { type Contest, type Contestant, ownLap } from "../contest.js";
import { workloadNamed } from "../workload.js";

const ROWS = 64;
const OPTIONS = 4;
/** Options scored together. */
const BATCH = 32;
const NEW_TOKENS = 64;
const PROMPT_TOKENS = 32;

/** A model of the kit that is used lap by lap. */
function own(
  name: string,
  decoder: Decoder,
  work: () => Promise<{ readonly amount: number; readonly value: number }>,
): Contestant {
  return { name, lap: () => ownLap(work), close: () => decoder.dispose() };
}

function savedDecoder({ folder }: BenchContext): string {
  const directory = join(folder, "asked");
  const decoder = Decoder.create(workloadNamed("large").config, 1);
  saveDecoder(directory, decoder);
  decoder.dispose();
  return directory;
}

/** Rank classification: log-probabilities of four options after shared prompts. */
export function scoringContests(context: BenchContext): Contest[] {
  const model = savedDecoder(context);
  const { vocabularySize } = workloadNamed("large").config;
  const random = new Random(3);
  const rows = Array.from({ length: ROWS }, (): OptionRequest => ({
    prompt: madeUpIds(random, 60 + random.integer(60), vocabularySize),
    options: Array.from({ length: OPTIONS }, () => madeUpIds(random, 1 + random.integer(5), vocabularySize)),
  }));
  const contestant = (compile: boolean): Promise<Contestant> => {
    const decoder = loadDecoder(model);
    return Promise.resolve(
      own(compile ? "ift-kit" : "ift-kit, eager", decoder, async () => {
        const scores = await scoreOptions(decoder, rows, { batchTokens: 4096, compile });
        return {
          amount: ROWS * OPTIONS,
          value: scores.flat().reduce((sum, { logprob }) => sum + logprob, 0),
        };
      }),
    );
  };
  const compiled = context.engine.backend === "tensorflow";
  return [
    {
      part: "scoring",
      what: `rank classification: ${ROWS} prompts of 60 to 119 tokens with ${OPTIONS} options of 1 to 5, 5.9 M parameters`,
      unit: "options/s",
      contestants: [
        () => contestant(compiled),
        ...(compiled && context.withEager ? [(): Promise<Contestant> => contestant(false)] : []),
        ...peers(context, [{ task: "scoring", model, rows, batch: BATCH }]),
      ],
      laps: { least: 3, most: 9, warmUp: true },
    },
  ];
}

/** Greedy answers of a fixed length, alone and sixteen together. */
export function generationContests(context: BenchContext): Contest[] {
  const model = savedDecoder(context);
  const { vocabularySize } = workloadNamed("large").config;
  const compiled = context.engine.backend === "tensorflow";
  return [1, 16].map((batch): Contest => {
    const random = new Random(5);
    const prompts = Array.from({ length: batch }, () => madeUpIds(random, PROMPT_TOKENS, vocabularySize));
    const contestant = (compile: boolean): Promise<Contestant> => {
      const decoder = loadDecoder(model);
      return Promise.resolve(
        own(compile ? "ift-kit" : "ift-kit, eager", decoder, async () => {
          const options = { maxNewTokens: NEW_TOKENS, eos: -1, batchSize: batch, compile };
          const answers = await generate(decoder, prompts, options);
          const ids = answers.flatMap((answer) => answer.ids);
          return { amount: ids.length, value: ids.reduce((sum, id) => sum + id, 0) };
        }),
      );
    };
    return {
      part: "generation",
      what: `greedy, ${NEW_TOKENS} tokens after ${PROMPT_TOKENS}, batch ${batch}, 5.9 M parameters`,
      unit: "tokens/s",
      contestants: [
        () => contestant(compiled),
        ...(compiled && context.withEager ? [(): Promise<Contestant> => contestant(false)] : []),
        ...peers(context, [{ task: "generation", model, prompts, tokens: NEW_TOKENS }]),
      ],
      laps: { least: 3, most: 15, warmUp: true },
    };
  });
}

/** A folder with safetensors into a model that can be used. */
export function loadingContests(context: BenchContext): Contest[] {
  const directory = join(context.folder, "loaded");
  const config = {
    ...workloadNamed("large").config,
    ...{ vocabularySize: 16_384, width: 512, layers: 8, feedForwardWidth: 2048 },
  };
  const decoder = Decoder.create(config, 1);
  const megabytes = (4 * decoder.parameterCount) / 1e6;
  saveDecoder(directory, decoder);
  decoder.dispose();
  const contestant: Contestant = {
    name: "ift-kit",
    lap: () =>
      ownLap(() => {
        const loaded = loadDecoder(directory);
        const value = loaded.parameterCount;
        loaded.dispose();
        return Promise.resolve({ amount: megabytes, value });
      }),
    close: () => undefined,
  };
  return [
    {
      part: "loading",
      what: `a folder of ${Math.round(megabytes)} MB float32 safetensors`,
      unit: "MB/s",
      contestants: [
        () => Promise.resolve(contestant),
        ...peers(context, [{ task: "loading", model: directory }]),
      ],
      laps: { least: 5, most: 9, warmUp: true },
    },
  ];
}
