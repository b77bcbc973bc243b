import type { Spans } from "./spans.js";
import type { Tokenizer } from "./tokenizer.js";

/**
 * UTF-8 bytes of the supervised text of a row: what bits per byte are counted by. Special tokens have none. Runs of
 * supervised tokens are decoded whole, so that characters which are cut into several tokens count once.
 */
export function supervisedBytes({ ids, supervised }: Spans, tokenizer: Tokenizer): number {
  let bytes = 0;
  let run: number[] = [];
  const flush = (): void => {
    if (run.length > 0) bytes += Buffer.byteLength(tokenizer.decode(run));
    run = [];
  };
  ids.forEach((id, position) => {
    if (supervised[position] === true) run.push(id);
    else flush();
  });
  flush();
  return bytes;
}
