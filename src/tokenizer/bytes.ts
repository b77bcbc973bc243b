/**
 * GPT-2's alphabet of bytes: printable Latin-1 characters stand for themselves, the other bytes for characters from U+0100
 * on, so that a token of any bytes is a readable string without blanks ("Ġ" is the blank). Source: `bytes_to_unicode` in
 * `src/encoder.py` of openai/gpt-2.
 */
export const BYTE_CHARACTERS: readonly string[] = byteCharacters();

const BYTE_OF: ReadonlyMap<string, number> = new Map(
  BYTE_CHARACTERS.map((character, byte) => [character, byte]),
);

const encoder = new TextEncoder();

/** A text's UTF-8 bytes in the byte alphabet: one character a byte. */
export function toByteAlphabet(text: string): string {
  let result = "";
  for (const byte of encoder.encode(text)) result += BYTE_CHARACTERS[byte] ?? "";
  return result;
}

/** The bytes of a token in the byte alphabet, or undefined where it has another character. */
export function fromByteAlphabet(token: string): Uint8Array | undefined {
  const bytes = new Uint8Array(token.length);
  for (let index = 0; index < token.length; index++) {
    const byte = BYTE_OF.get(token.charAt(index));
    if (byte === undefined) return undefined;
    bytes[index] = byte;
  }
  return bytes;
}

function byteCharacters(): string[] {
  const printable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
}
