import type { EngineInfo } from "../../engine/info.js";
import type { Random } from "../../support/random.js";
import type { Contestant } from "./contest.js";
import { Peer } from "./peer.js";

/** What the parts of a bench run are told. */
export interface BenchContext {
  readonly engine: EngineInfo;
  /** Python in whose environment the peers are, or undefined: the kit alone. */
  readonly peerPython: string | undefined;
  readonly torchCompile: boolean;
  readonly withEager: boolean;
  /** Alpaca rows to render and to train on; made up where there is none. */
  readonly data: string | undefined;
  /** An empty folder that is removed afterwards. */
  readonly folder: string;
}

/** How a peer is started, or nothing where there is no Python for it. */
export function peers(
  { peerPython, engine }: BenchContext,
  requests: readonly { readonly task: string; readonly [field: string]: unknown }[],
  parameters?: number,
): (() => Promise<Contestant>)[] {
  if (peerPython === undefined) return [];
  return requests.map(
    (request) => () => Peer.start(peerPython, { ...request, threads: engine.threads }, parameters),
  );
}

/** Made-up token ids; 0 and 1 are left out, which tokenizers use. */
export function madeUpIds(random: Random, length: number, vocabularySize: number): number[] {
  return Array.from({ length }, () => 2 + random.integer(vocabularySize - 2));
}
