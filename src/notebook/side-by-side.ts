import type { Example } from "../data/example.js";
import type { Template } from "../data/template.js";
import { answerRows } from "../evaluate/answer-rows.js";
import type { LoadedModel } from "../evaluate/model-folder.js";
import { showTable } from "./display-table.js";

/** A model in a conversation, and how it is spoken to. */
export interface Speaker {
  readonly name: string;
  readonly model: LoadedModel;
  /** An SFT template shows it the input alone. */
  readonly template: Template;
}

/** What is said to every model; each turn stands for itself. */
export interface Turn {
  readonly instruction: string;
  /** Left out where the instruction is the whole request. */
  readonly input?: string;
}

const MAX_NEW_TOKENS = 24;

/**
 * What several models say to the same requests, greedily. A model that is shown no instruction gets the input, or the
 * request itself where there is no input.
 * @returns for each turn one answer a model
 * @throws KitError when a template cannot show a request
 */
export async function answerSideBySide(
  speakers: readonly Speaker[],
  turns: readonly Turn[],
): Promise<string[][]> {
  const bySpeaker: string[][] = [];
  for (const { model, template } of speakers) {
    const policy = { maxTokens: model.decoder.config.contextLength, overlong: "cut-input-start" } as const;
    const rows = turns.map((turn, index) => exampleOf(turn, index, template));
    const result = await answerRows(
      model,
      rows,
      { template, policy, maxNewTokens: MAX_NEW_TOKENS },
      { batchSize: Math.max(1, rows.length) },
    );
    const answers = new Map(result?.answered.map(({ example, output }) => [example.id, output]));
    bySpeaker.push(rows.map(({ id }) => answers.get(id) ?? "(too long)"));
  }
  return turns.map((_, index) => bySpeaker.map((answers) => answers[index] ?? ""));
}

/** Shows what several models say to the same requests, beside each other, as a table below the cell. */
export async function showConversation(
  speakers: readonly Speaker[],
  turns: readonly Turn[],
): Promise<string[][]> {
  const answers = await answerSideBySide(speakers, turns);
  showTable(
    ["instruction", "input", ...speakers.map(({ name }) => name)],
    turns.map(({ instruction, input = "" }, index) => [instruction, input, ...(answers[index] ?? [])]),
  );
  return answers;
}

function exampleOf({ instruction, input = "" }: Turn, index: number, template: Template): Example {
  return {
    id: `turn-${index + 1}`,
    task: "conversation",
    taskType: "conversation",
    instruction,
    input: template.format === "sft" && input === "" ? instruction : input,
    // A template renders the answer, too; what stands here is not read.
    outputs: ["?"],
    source: "conversation",
  };
}
