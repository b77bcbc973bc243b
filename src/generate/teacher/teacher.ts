/** One message to a teacher. */
export interface TeacherMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** A question to a teacher. All of it decides the answer, so all of it is its address in the store of replies. */
export interface TeacherRequest {
  readonly messages: readonly TeacherMessage[];
  /** Longest answer, in tokens. */
  readonly maxTokens: number;
  /** 0 takes the most probable token each time. */
  readonly temperature: number;
  /** Draws among the tokens that make up this probability; 1 where it is left out. */
  readonly topP?: number;
  /** Makes tokens that the answer has already less probable, from -2 to 2, as OpenAI defines it; 0 where it is left out. */
  readonly presencePenalty?: number;
  /** The same by how often the answer has them. */
  readonly frequencyPenalty?: number;
  /** Texts that end the answer and are not in it. */
  readonly stop?: readonly string[];
  /** Makes equal questions different ones; it is sent, too. */
  readonly seed: number;
}

/**
 * How an answer ended: by itself, cut off at `maxTokens` (or the end of the context), refused by the teacher or its
 * filter, or not begun because the server would not take the question (too long for its context, for example).
 */
export type ReplyEnding = "stop" | "length" | "refused" | "not-taken";

/** What a teacher said. */
export interface TeacherReply {
  readonly text: string;
  readonly ending: ReplyEnding;
  readonly promptTokens: number;
  readonly answerTokens: number;
  /** The server counted no tokens: the numbers are `estimateTokens` of the texts. */
  readonly estimated?: true;
}

/** Something that answers questions: a model behind an endpoint, one in the kit, or a script. */
export interface Teacher {
  /** Its name in the manifest, and in the addresses of its replies. */
  readonly name: string;
  /**
   * @param signal ends the question
   * @throws TeacherFault when there is no answer
   */
  ask(request: TeacherRequest, signal: AbortSignal): Promise<TeacherReply>;
  /** A text without what must not be written down; the text itself for teachers without a secret. */
  readonly withoutSecrets?: (text: string) => string;
}

/** Why a teacher did not answer. Its message holds no key. */
export class TeacherFault extends Error {
  override readonly name = "TeacherFault";
  /** Whether asking again may help. */
  readonly passing: boolean;
  /** How long the teacher wants to be left alone, in milliseconds. */
  readonly waitMilliseconds: number | undefined;

  constructor(message: string, options: { readonly passing: boolean; readonly waitMilliseconds?: number }) {
    super(message);
    this.passing = options.passing;
    this.waitMilliseconds = options.waitMilliseconds;
  }
}

/** Tokens of a text, guessed from above for English and most code: a token has three bytes or more on average. */
export function estimateTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 3);
}

/** Tokens of all that is sent, guessed as `estimateTokens` does, with eight a message for what a template adds. */
export function estimatePromptTokens({ messages }: Pick<TeacherRequest, "messages">): number {
  return messages.reduce((sum, { content }) => sum + estimateTokens(content) + 8, 0);
}
