/** Values that one side makes and another takes later, in order; the maker never waits. */
export class Channel<Value> implements AsyncIterable<Value> {
  readonly #values: Value[] = [];
  #end: { readonly error?: unknown } | undefined;
  #wake: () => void = () => undefined;

  /** Adds a value; does nothing after the end. */
  push(value: Value): void {
    if (this.#end !== undefined) return;
    this.#values.push(value);
    this.#wake();
  }

  /** No more values come. */
  close(): void {
    this.#end ??= {};
    this.#wake();
  }

  /** No more values come, and whoever takes them is told why. */
  fail(error: unknown): void {
    this.#end ??= { error };
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Value> {
    for (;;) {
      const value = this.#values.shift();
      if (value !== undefined) {
        yield value;
      } else if (this.#end === undefined) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      } else if ("error" in this.#end) {
        throw this.#end.error;
      } else {
        return;
      }
    }
  }
}
