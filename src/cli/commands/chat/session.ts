import { Conversation, type ChatSettings, type Reply } from "../../../evaluate/chat/conversation.js";
import {
  CHAT_TEMPLATE_NAMES,
  chatTemplateByName,
  chosenChatTemplate,
} from "../../../evaluate/chat/templates.js";
import { folderOf } from "../../../evaluate/base-checkpoint.js";
import { loadModelFolder, type LoadedModel } from "../../../evaluate/model-folder.js";
import { KitError } from "../../../support/errors.js";
import type { ChatScreen } from "./screen.js";

/** What can be typed besides things to say. */
export const HELP = `/help              these lines
/reset             forget what was said
/template          which template is used, and which there are
/template NAME     use another one, or a JSON file
/compare DIR       let a second model answer as well, beside the first; "base" is the model that ships with the kit
/compare           with the first model alone again
/quit              end (also Ctrl-D)
Ctrl-C stops an answer; without one, it ends the chat. A line that ends with \\ goes on in the next.
Templates of single rows take the first line as the instruction and the others as its input.`;

/** A model that answers in this chat. */
interface Partner {
  readonly name: string;
  readonly directory: string;
  readonly model: LoadedModel;
  readonly conversation: Conversation;
}

/** A chat of one person with one model or two: knows the commands, and nothing of keyboards. */
export class ChatSession {
  readonly #screen: ChatScreen;
  readonly #settings: Omit<ChatSettings, "template">;
  /** The template that was asked for; each model has its own default. */
  #template: string | undefined;
  readonly #first: Partner;
  #second: Partner | undefined;

  /**
   * The engine must have been started.
   * @param model its folder, or "base"
   * @param template its name, where the default is not wanted
   * @throws KitError when the model cannot be loaded or the template does not exist
   */
  constructor(
    model: string,
    screen: ChatScreen,
    settings: Omit<ChatSettings, "template">,
    template?: string,
  ) {
    this.#screen = screen;
    this.#settings = settings;
    this.#template = template;
    this.#first = this.#load(model);
    this.#describe(this.#first);
  }

  /** Brings in a second model. @throws KitError when it cannot be loaded */
  compare(model: string): void {
    const second = this.#load(model);
    this.#second?.model.decoder.dispose();
    this.#second = second;
    this.#describe(second);
  }

  /**
   * Does what a line says: a command, or something to be answered.
   * @param signal stops the answer
   * @returns false when the chat is over
   * @throws KitError for what the user can mend; the chat can go on
   */
  async take(text: string, signal: AbortSignal): Promise<boolean> {
    if (text.trim() === "") return true;
    if (!text.startsWith("/")) {
      await this.#answer(text, signal);
      return true;
    }
    const [command = "", ...words] = text.trim().split(/\s+/);
    const argument = words.join(" ");
    switch (command) {
      case "/quit":
        return false;
      case "/help":
        this.#screen.note(HELP);
        return true;
      case "/reset":
        for (const { conversation } of this.#partners) conversation.reset();
        this.#screen.note("What was said is forgotten.");
        return true;
      case "/template":
        this.#chooseTemplate(argument);
        return true;
      case "/compare":
        if (argument === "") this.#endComparison();
        else this.compare(argument);
        return true;
      default:
        throw new KitError(`there is no command ${command}`, "type /help for those that there are");
    }
  }

  /** Frees the models. */
  dispose(): void {
    for (const { model } of this.#partners) model.decoder.dispose();
  }

  get #partners(): readonly Partner[] {
    return this.#second === undefined ? [this.#first] : [this.#first, this.#second];
  }

  #load(name: string): Partner {
    const directory = folderOf(name);
    const model = loadModelFolder(directory);
    try {
      const template = chosenChatTemplate(this.#template, model.tokenizer, directory);
      const conversation = new Conversation(model, { ...this.#settings, template });
      return { name, directory, model, conversation };
    } catch (error) {
      model.decoder.dispose();
      throw error;
    }
  }

  #describe({ name, model, conversation }: Partner): void {
    const { contextLength } = model.decoder.config;
    const memory = conversation.remembers
      ? "it is shown what was said before"
      : "each question stands alone, because this template shows single rows";
    this.#screen.note(
      `${name}: template ${conversation.template.name}, context of ${contextLength} tokens; ${memory}.`,
    );
  }

  #chooseTemplate(name: string): void {
    if (name === "") {
      for (const partner of this.#partners) this.#describe(partner);
      this.#screen.note(`There are ${CHAT_TEMPLATE_NAMES.join(", ")}, and JSON files.`);
      return;
    }
    const templates = this.#partners.map(({ directory }) => chatTemplateByName(name, directory));
    this.#template = name;
    this.#partners.forEach((partner, index) => {
      const template = templates[index];
      if (template !== undefined) partner.conversation.setTemplate(template);
      this.#describe(partner);
    });
  }

  #endComparison(): void {
    this.#second?.model.decoder.dispose();
    this.#second = undefined;
    this.#screen.note(`${this.#first.name} answers alone.`);
  }

  async #answer(text: string, signal: AbortSignal): Promise<void> {
    const second = this.#second;
    if (second !== undefined) return this.#answerBoth([this.#first, second], text, signal);
    const reply = await this.#first.conversation.say(text, {
      onText: (piece) => this.#screen.piece(piece),
      signal,
    });
    this.#screen.endOfAnswer();
    this.#tell(reply, "");
  }

  /** One after the other, so that the one does not slow the other; Ctrl-C stops both. */
  async #answerBoth(partners: readonly Partner[], text: string, signal: AbortSignal): Promise<void> {
    const columns = partners.map(({ name }) => ({ title: name, text: "" }));
    const replies: Reply[] = [];
    for (const [index, { conversation }] of partners.entries()) {
      const column = columns[index];
      const onText = (piece: string): void => {
        if (column !== undefined) column.text += piece;
        this.#screen.columns(columns, false);
      };
      replies.push(await conversation.say(text, { onText, signal }));
    }
    this.#screen.columns(columns, true);
    replies.forEach((reply, index) => this.#tell(reply, `${partners[index]?.name ?? ""}: `));
  }

  #tell({ ending, dropped }: Reply, who: string): void {
    if (dropped > 0) {
      const what =
        dropped === 2
          ? "the oldest question and its answer"
          : `the ${dropped / 2} oldest questions and answers`;
      this.#screen.note(`(${who}${what} did not fit into the context any more)`);
    }
    if (ending === "stopped") this.#screen.note(`(${who}stopped)`);
    if (ending === "length")
      this.#screen.note(`(${who}ended at the longest answer allowed, --max-new-tokens)`);
    if (ending === "context") this.#screen.note(`(${who}ended at the end of the model's context)`);
  }
}
