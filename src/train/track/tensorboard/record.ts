/**
 * The frame of a TFRecord, of which TensorBoard's event files are made (TensorFlow, `core/lib/io/record_writer.h`):
 *
 *     length         uint64, little-endian
 *     masked CRC     uint32, of the 8 bytes of the length
 *     data           `length` bytes
 *     masked CRC     uint32, of the data
 */
export function frameRecord(data: Uint8Array): Uint8Array {
  const frame = Buffer.alloc(data.length + 16);
  frame.writeBigUInt64LE(BigInt(data.length), 0);
  frame.writeUInt32LE(maskedCrc32c(frame.subarray(0, 8)), 8);
  frame.set(data, 12);
  frame.writeUInt32LE(maskedCrc32c(data), 12 + data.length);
  return frame;
}

/**
 * The records of a file; a last one that was cut off (by a crash) is left out.
 * @throws RangeError when a checksum does not fit
 */
export function readRecords(file: Uint8Array): Uint8Array[] {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const records: Uint8Array[] = [];
  for (let at = 0; at + 16 <= bytes.length;) {
    const length = Number(bytes.readBigUInt64LE(at));
    if (bytes.readUInt32LE(at + 8) !== maskedCrc32c(bytes.subarray(at, at + 8)))
      throw new RangeError(`the length at byte ${at} has another checksum`);
    const end = at + 12 + length;
    if (end + 4 > bytes.length) break;
    const data = bytes.subarray(at + 12, end);
    if (bytes.readUInt32LE(end) !== maskedCrc32c(data))
      throw new RangeError(`the record at byte ${at} has another checksum`);
    records.push(data);
    at = end + 4;
  }
  return records;
}

/** A checksum that may itself lie in data that is summed: rotated by 15 bits, plus a constant (TensorFlow, `crc32c.h`). */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** CRC-32C (Castagnoli), the polynomial 0x1EDC6F41 bit-reversed, as in RFC 3720. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});
