/** A handler of Ctrl-C that lets a command end in good order. */
export interface Interrupt {
  /** Aborted by the first Ctrl-C (or SIGTERM). */
  readonly signal: AbortSignal;
  /** Gives Ctrl-C its usual meaning back. */
  release(): void;
}

/** Exit code of a command that was stopped by Ctrl-C, as shells have it. */
export const EXIT_INTERRUPTED = 130;

/**
 * Makes the first Ctrl-C abort a signal and the second end the process at once.
 * @param message printed at the first, so that the user knows that it was heard
 */
export function onInterrupt(message: string): Interrupt {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(EXIT_INTERRUPTED);
    process.exitCode = EXIT_INTERRUPTED;
    console.error(`\n${message}`);
    controller.abort();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return {
    signal: controller.signal,
    release: () => {
      process.off("SIGINT", stop);
      process.off("SIGTERM", stop);
    },
  };
}
