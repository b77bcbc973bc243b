import type { MessageSocket } from "./tslab.js";

/** A publishing socket of zeromq, which takes one message at a time. */
export interface PublishingSocket {
  sendHighWaterMark: number;
  send(parts: readonly unknown[]): Promise<void>;
  bind(address: string): Promise<void>;
  close(): void;
}

/**
 * zeromq refuses a second `send` before the first is done, and drops messages for a slow reader beyond 1,000. tslab
 * awaits neither, so a cell with a few hundred outputs lost the rest and its own "idle" message. This queues them.
 */
export class QueueingSocket implements MessageSocket {
  readonly #socket: PublishingSocket;
  readonly #waiting: (readonly unknown[])[] = [];
  #pumping: Promise<void> | undefined;

  constructor(socket: PublishingSocket) {
    socket.sendHighWaterMark = 0;
    this.#socket = socket;
  }

  bind(address: string): Promise<void> {
    return this.#socket.bind(address);
  }

  send(parts: readonly unknown[]): void {
    this.#waiting.push(parts);
    this.#pumping ??= this.#pump();
  }

  /** Resolves when everything queued so far has been handed over. */
  async drained(): Promise<void> {
    await this.#pumping;
  }

  close(): void {
    void this.drained().then(() => this.#socket.close());
  }

  async #pump(): Promise<void> {
    try {
      // The iteration also reaches what is appended meanwhile.
      for (const parts of this.#waiting) await this.#socket.send(parts);
    } catch {
      // The socket was closed: the front end is gone.
    }
    this.#waiting.length = 0;
    this.#pumping = undefined;
  }
}
