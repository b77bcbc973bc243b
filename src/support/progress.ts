import { Presets, SingleBar } from "cli-progress";

/** Shows how far something long is. */
export interface ProgressBar {
  /**
   * @param share of the work that is done, 0 to 1
   * @param details what else to show, such as "loss 1.2 | 3,400 tokens/s"
   */
  update(share: number, details?: string): void;
  /** Leaves the last state on the screen. */
  stop(): void;
}

/** What a bar writes to; `process.stderr` is one. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Where there is no terminal, a line is written at most this often. */
const LINE_SECONDS = 10;

/**
 * A bar with the time left in a terminal; in a file or a notebook a line about every ten seconds, and one at the end.
 * The time left is judged by the pace since the bar was made, so that work found done does not count.
 */
export function progressBar(label: string, stream: ProgressStream = process.stderr): ProgressBar {
  return stream.isTTY === true ? new TerminalBar(label, stream) : new LineBar(label, stream);
}

/** Shows nothing. */
export const silentProgress: ProgressBar = { update: () => undefined, stop: () => undefined };

/** Judges how long the rest takes. */
class Pace {
  readonly #started = performance.now();
  #first: number | undefined;

  left(share: number): string {
    this.#first ??= share;
    const done = share - this.#first;
    if (done <= 0 || share >= 1) return share >= 1 ? "0 s" : "?";
    return duration((((performance.now() - this.#started) / 1000) * (1 - share)) / done);
  }
}

class TerminalBar implements ProgressBar {
  readonly #bar: SingleBar;
  readonly #pace = new Pace();
  #begun = false;

  constructor(label: string, stream: ProgressStream) {
    this.#bar = new SingleBar(
      {
        format: `${label.replaceAll(/[{}]/g, "")} {bar} {percentage}%{details} | {left} left`,
        stream: stream as unknown as NodeJS.WritableStream,
        barsize: 24,
        hideCursor: true,
        gracefulExit: false, // Ctrl-C belongs to the command: it stops in good order and saves.
      },
      Presets.shades_classic,
    );
  }

  update(share: number, details = ""): void {
    const payload = { details: details === "" ? "" : ` | ${details}`, left: this.#pace.left(share) };
    if (this.#begun) this.#bar.update(Math.round(share * 1000), payload);
    else this.#bar.start(1000, Math.round(share * 1000), payload);
    this.#begun = true;
  }

  stop(): void {
    if (this.#begun) this.#bar.stop();
  }
}

class LineBar implements ProgressBar {
  readonly #label: string;
  readonly #stream: ProgressStream;
  readonly #pace = new Pace();
  #written = performance.now();
  #waiting: string | undefined;

  constructor(label: string, stream: ProgressStream) {
    this.#label = label;
    this.#stream = stream;
  }

  update(share: number, details = ""): void {
    const parts = [`${Math.floor(share * 100)}%`, details, `${this.#pace.left(share)} left`];
    this.#waiting = `${this.#label}: ${parts.filter((part) => part !== "").join(" | ")}\n`;
    if (performance.now() - this.#written >= LINE_SECONDS * 1000) this.stop();
  }

  stop(): void {
    if (this.#waiting !== undefined) this.#stream.write(this.#waiting);
    this.#waiting = undefined;
    this.#written = performance.now();
  }
}

/** Seconds as "4 s", "2:05" or "1:02:05". */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (value: number): string => String(value).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  const rest = two(whole % 60);
  return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${rest}`;
}
