import { Presets, SingleBar } from "cli-progress";

/** Shows how far a long transfer is. */
export interface Progress {
  /** @param bytes done so far */
  update(bytes: number): void;
  /** Leaves the last state on the screen. */
  stop(): void;
}

const MEGABYTE = 1e6;
const QUIET_INTERVAL_MS = 20_000;

/**
 * A bar with megabytes and time left on a terminal; elsewhere (logs, CI) one line every 20 seconds.
 * @param total in bytes
 */
export function transferProgress(label: string, total: number): Progress {
  return process.stderr.isTTY ? terminalBar(label, total) : quietLines(label, total);
}

function terminalBar(label: string, total: number): Progress {
  const bar = new SingleBar(
    {
      format: `  ${label} [{bar}] {value}/{total} MB, {eta_formatted} left`,
      hideCursor: true,
      barsize: 24,
      etaBuffer: 60,
    },
    Presets.shades_classic,
  );
  const rounded = (bytes: number): number => Math.round(bytes / MEGABYTE);
  let begun = false;
  return {
    update(bytes) {
      if (!begun) bar.start(rounded(total), rounded(bytes));
      begun = true;
      bar.update(rounded(bytes));
    },
    stop() {
      if (begun) bar.stop();
    },
  };
}

function quietLines(label: string, total: number): Progress {
  const begin = performance.now();
  let first: number | undefined;
  let last = begin;
  return {
    update(bytes) {
      first ??= bytes;
      const now = performance.now();
      if (now - last < QUIET_INTERVAL_MS) return;
      last = now;
      const secondsLeft = ((total - bytes) / Math.max(1, bytes - first)) * ((now - begin) / 1000);
      console.error(
        `  ${label}: ${Math.round(bytes / MEGABYTE)} of ${Math.round(total / MEGABYTE)} MB, about ${Math.ceil(secondsLeft)} s left`,
      );
    },
    stop() {
      // Each line is complete as it is.
    },
  };
}
