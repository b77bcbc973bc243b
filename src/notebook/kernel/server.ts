import type { KernelBridge } from "../kernel-bridge.js";
import type { CellFailure, CellFailures } from "./failures.js";

import type { CellInterrupts } from "./interrupts.js";
import { type PublishingSocket, QueueingSocket } from "./iopub-queue.js";
import type { CellStreams } from "./streams.js";
import type {
  DisplayMessage,
  ExecuteMessage,
  Executor,
  JupyterHandler,
  MessageSocket,
  Tslab,
  ZmqServer,
} from "./tslab.js";

/** Time in which cells that the front end sent before it knew of a failure arrive, to be refused; milliseconds. */
const ARRIVAL_WINDOW = 100;
/** Time for the last replies to reach the front end before the process ends; milliseconds. */
const CLOSING_TIME = 50;

/** What one cell's run is made of. */
export interface ServerParts {
  readonly executor: Executor;
  readonly failures: CellFailures;
  readonly interrupts: CellInterrupts;
  readonly streams: CellStreams;
}

/**
 * tslab's server for Jupyter's protocol, with its own `handleExecute`: a failed cell sends a real `error` message (tslab
 * writes to stderr only, and nbmake then passes a broken notebook), a forgotten await fails the cell, and cells that
 * were sent after the failure are run (tslab drops what comes within 200 ms, and numbers it as executed).
 */
export function createServer(
  tslab: Tslab,
  handler: JupyterHandler,
  connectionFile: string,
  parts: ServerParts,
): ZmqServer {
  const { executor, failures, interrupts, streams } = parts;

  class KernelServer extends tslab.jupyter.ZmqServer {
    #queue: QueueingSocket | undefined;
    #lastCell: Promise<void> = Promise.resolve();
    #executionCount = 0;
    /** Grows with each failure; cells that arrived before it grew are refused. */
    #generation = 0;

    /** tslab's `init` assigns its socket here and binds what it reads back: the same with a queue before it. */
    get iopub(): MessageSocket {
      if (this.#queue === undefined) throw new Error("the kernel has no output socket yet");
      return this.#queue;
    }

    set iopub(socket: MessageSocket) {
      this.#queue = new QueueingSocket(socket as unknown as PublishingSocket);
    }

    /** JupyterLab asks for a history; tslab would print "unknown msg_type" below the last cell. */
    override handleShellMessage(socket: MessageSocket, ...frames: Buffer[]): Promise<void> {
      const header = frames[frames.findIndex((frame) => frame.toString() === "<IDS|MSG>") + 2];
      const isHistory = /"msg_type":\s*"history_request"/.test(header?.toString() ?? "");
      const { warn } = console;
      if (isHistory) console.warn = () => undefined;
      try {
        return super.handleShellMessage(socket, ...frames);
      } finally {
        console.warn = warn;
      }
    }

    override handleExecute(shell: MessageSocket, message: ExecuteMessage): Promise<void> {
      const generation = this.#generation;
      this.#lastCell = this.#lastCell.then(() => this.#runCell(shell, message, generation));
      return this.#lastCell;
    }

    override close(): void {
      const queue = this.#queue;
      void queue?.drained().then(() => {
        super.close();
        setTimeout(() => process.exit(0), CLOSING_TIME);
      });
    }

    async #runCell(shell: MessageSocket, message: ExecuteMessage, generation: number): Promise<void> {
      const { content } = message;
      if (generation !== this.#generation) {
        this.#send(message, "execute_reply", { status: "aborted" }, shell);
        return;
      }
      if (content.silent !== true) this.#executionCount += 1;
      const count = this.#executionCount;
      this.#send(message, "execute_input", { code: content.code, execution_count: count });
      this.#direct(message);
      failures.begin(count);
      interrupts.begin();
      const failure = await this.#execute(content.code);
      streams.flush();
      if (failure === undefined) {
        const reply = { status: "ok", execution_count: count, payload: [], user_expressions: {} };
        this.#send(message, "execute_reply", reply, shell);
        return;
      }
      this.#send(message, "error", failure);
      if (content.stop_on_error !== false) {
        await new Promise((resolve) => setTimeout(resolve, ARRIVAL_WINDOW));
        this.#generation += 1;
      }
      this.#send(message, "execute_reply", { status: "error", execution_count: count, ...failure }, shell);
    }

    async #execute(code: string): Promise<CellFailure | undefined> {
      let ok = false;
      try {
        ok = await executor.execute(code);
      } catch (error) {
        failures.report(error);
      }
      // Node tells of unhandled rejections at the end of the turn.
      await new Promise((resolve) => setImmediate(resolve));
      const failure = failures.take(ok);
      if (failure !== undefined || !interrupts.interrupted) return failure;
      const evalue = "the cell was interrupted and ended by itself; its results are there";
      return { ename: "Interrupted", evalue, traceback: [`Interrupted: ${evalue}`] };
    }

    /** Directs all output to this cell; it stays so when the cell has ended, as in other kernels. */
    #direct(message: ExecuteMessage): void {
      streams.attach((name, text) => this.#send(message, "stream", { name, text }));
      tslab.jupyter.lastWriteDisplayData = (data, update) => {
        streams.flush();
        this.#send(message, update ? "update_display_data" : "display_data", data);
      };
    }

    #send(message: ExecuteMessage, type: string, content: object, socket: MessageSocket = this.iopub): void {
      const reply = message.createReply();
      reply.header.msg_type = type;
      reply.content = content;
      reply.signAndSend(this.connInfo.key, socket);
    }
  }

  return new KernelServer(handler, connectionFile);
}

/** Shows a bundle below the running cell, through the same place as tslab's own `display`. */
export function displayThrough(tslab: Tslab): KernelBridge["display"] {
  return (data, { id, update }) => {
    const message: DisplayMessage = {
      data,
      metadata: {},
      transient: id === undefined ? {} : { display_id: id },
    };
    tslab.jupyter.lastWriteDisplayData?.(message, update ?? false);
  };
}
