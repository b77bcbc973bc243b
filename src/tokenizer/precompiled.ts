/** The normalised text of a grapheme or character, or undefined where it stays as it is. */
export type CharacterMap = (text: string) => string | undefined;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * The map of a SentencePiece normaliser (`precompiled_charsmap`): the size of a trie in bytes, the trie, and the
 * normalised texts, each ended by a 0. The trie is a double array (darts-clone): a unit holds a label in its last byte, an
 * offset from bit 10 on, and in bit 8 whether a value follows.
 * @param base64 as `tokenizer.json` has it
 * @returns undefined when it is no such map
 */
export function precompiledMap(base64: string): CharacterMap | undefined {
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length < 8) return undefined;
  const trieBytes = bytes.readUInt32LE(0);
  if (trieBytes % 4 !== 0 || trieBytes === 0 || 4 + trieBytes > bytes.length) return undefined;
  const units = Uint32Array.from({ length: trieBytes / 4 }, (_, index) => bytes.readUInt32LE(4 + 4 * index));
  const texts = bytes.subarray(4 + trieBytes);
  const known = new Map<string, string | undefined>();
  return (text) => {
    if (known.has(text)) return known.get(text);
    const place = firstValue(units, encoder.encode(text));
    const end = place === undefined ? -1 : texts.indexOf(0, place);
    const found = place === undefined || end < 0 ? undefined : decoder.decode(texts.subarray(place, end));
    known.set(text, found);
    return found;
  };
}

/** The value of the shortest beginning of a key that has one, as Hugging Face `tokenizers` takes it. */
function firstValue(units: Uint32Array, key: Uint8Array): number | undefined {
  let place = offsetOf(units[0] ?? 0);
  for (const byte of key) {
    if (byte === 0) return undefined;
    place ^= byte;
    const unit = units[place] ?? 0;
    if ((unit & 0x800000ff) !== byte) return undefined;
    place ^= offsetOf(unit);
    if (((unit >>> 8) & 1) === 1) return (units[place] ?? 0) & 0x7fffffff;
  }
  return undefined;
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & (1 << 9)) >>> 6);
}
