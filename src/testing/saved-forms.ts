/**
 * The forms in which the versions of Redis saved values, as bytes for tests. Written apart from src/rdb on purpose: a
 * mistake made there must not be made here too. Only the sum is taken from there; it has tests of its own.
 */
import { Crc64 } from "../rdb/crc64.ts";

/** An element of a collection: text is UTF-8. */
export type Element = string | Buffer;

/** A payload as DUMP returns it. @param version the serialisation's: 10 is Redis 7.0's */
export function payload(type: number, parts: readonly Buffer[], version = 10): Buffer {
  return withFooter(Buffer.concat([Buffer.from([type]), ...parts]), version);
}

/** A value's bytes with a footer that is right. */
export function withFooter(value: Buffer, version = 10): Buffer {
  const footer = Buffer.alloc(10);
  footer.writeUInt16LE(version);
  const whole = Buffer.concat([value, footer]);
  const crc = new Crc64();
  crc.update(whole, 0, whole.length - 8);
  Buffer.from(crc.toString(), "hex")
    .reverse()
    .copy(whole, whole.length - 8);
  return whole;
}

/** A length, or a count. */
export function size(value: number): Buffer {
  if (value < 64) return Buffer.from([value]);
  if (value < 16_384) return Buffer.from([0x40 | (value >> 8), value & 0xff]);
  const bytes = Buffer.alloc(5);
  bytes[0] = 0x80;
  bytes.writeUInt32BE(value, 1);
  return bytes;
}

/** A string as it is. */
export function text(value: Element): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([size(bytes.length), bytes]);
}

export function littleEndian(value: number | bigint, width: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)));
  return bytes.subarray(0, width);
}

export function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

/** A score as a text behind its length, as sorted sets had it before Redis 4. */
export function textScore(value: number): Buffer {
  if (Number.isNaN(value)) return Buffer.from([253]);
  if (!Number.isFinite(value)) return Buffer.from([value > 0 ? 254 : 255]);
  const digits = Buffer.from(value.toString());
  return Buffer.concat([Buffer.from([digits.length]), digits]);
}

function integerIn(bytes: Buffer): bigint | undefined {
  const digits = bytes.toString("latin1");
  if (!/^(0|-?[1-9]\d{0,18})$/.test(digits)) return undefined;
  const value = BigInt(digits);
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

function fits(value: bigint, bits: number): boolean {
  return BigInt.asIntN(bits, value) === value;
}

export function ziplist(...elements: readonly Element[]): Buffer {
  const entries: Buffer[] = [];
  let tail = 10;
  let end = 10;
  let before = 0;
  for (const element of elements) {
    const previous =
      before < 254 ? Buffer.from([before]) : Buffer.concat([Buffer.from([254]), littleEndian(before, 4)]);
    const entry = Buffer.concat([previous, ziplistEntry(Buffer.from(element))]);
    entries.push(entry);
    tail = end;
    end += entry.length;
    before = entry.length;
  }
  const header = [littleEndian(end + 1, 4), littleEndian(tail, 4), littleEndian(elements.length, 2)];
  return Buffer.concat([...header, ...entries, Buffer.from([255])]);
}

function ziplistEntry(bytes: Buffer): Buffer {
  const integer = integerIn(bytes);
  if (integer !== undefined) return ziplistInteger(integer);
  const { length } = bytes;
  if (length < 64) return Buffer.concat([Buffer.from([length]), bytes]);
  if (length < 16_384) return Buffer.concat([Buffer.from([0x40 | (length >> 8), length & 0xff]), bytes]);
  return Buffer.concat([Buffer.from([0x80]), littleEndian(length, 4).reverse(), bytes]);
}

function ziplistInteger(value: bigint): Buffer {
  if (value >= 0 && value <= 12) return Buffer.from([0xf1 + Number(value)]);
  if (fits(value, 8)) return Buffer.concat([Buffer.from([0xfe]), littleEndian(value, 1)]);
  if (fits(value, 16)) return Buffer.concat([Buffer.from([0xc0]), littleEndian(value, 2)]);
  if (fits(value, 24)) return Buffer.concat([Buffer.from([0xf0]), littleEndian(value, 3)]);
  if (fits(value, 32)) return Buffer.concat([Buffer.from([0xd0]), littleEndian(value, 4)]);
  return Buffer.concat([Buffer.from([0xe0]), littleEndian(value, 8)]);
}

/** @param free unused bytes behind each value */
export function zipmap(free: number, ...elements: readonly Element[]): Buffer {
  const parts = [Buffer.from([Math.min(elements.length / 2, 254)])];
  for (const [index, element] of elements.entries()) {
    const bytes = Buffer.from(element);
    const { length } = bytes;
    parts.push(length < 254 ? Buffer.from([length]) : Buffer.concat([Buffer.from([254]), littleEndian(length, 4)]));
    if (index % 2 === 0) parts.push(bytes);
    else parts.push(Buffer.from([free]), bytes, Buffer.alloc(free, 0xaa));
  }
  return Buffer.concat([...parts, Buffer.from([255])]);
}

/** @param asText elements that are integers are stored as the text they are */
export function listpack(elements: readonly Element[], asText = false): Buffer {
  const entries = elements.map((element) => {
    const bytes = Buffer.from(element);
    const integer = asText ? undefined : integerIn(bytes);
    const entry = integer === undefined ? listpackText(bytes) : listpackInteger(integer);
    return Buffer.concat([entry, backLength(entry.length)]);
  });
  const inside = Buffer.concat(entries);
  const count = Math.min(elements.length, 65_535);
  return Buffer.concat([littleEndian(inside.length + 7, 4), littleEndian(count, 2), inside, Buffer.from([255])]);
}

function listpackText(bytes: Buffer): Buffer {
  const { length } = bytes;
  if (length < 64) return Buffer.concat([Buffer.from([0x80 | length]), bytes]);
  if (length < 4096) return Buffer.concat([Buffer.from([0xe0 | (length >> 8), length & 0xff]), bytes]);
  return Buffer.concat([Buffer.from([0xf0]), littleEndian(length, 4), bytes]);
}

function listpackInteger(value: bigint): Buffer {
  if (value >= 0 && value <= 127) return Buffer.from([Number(value)]);
  if (fits(value, 13)) {
    const low = Number(BigInt.asUintN(13, value));
    return Buffer.from([0xc0 | (low >> 8), low & 0xff]);
  }
  for (const [head, bits] of [[0xf1, 16] as const, [0xf2, 24] as const, [0xf3, 32] as const]) {
    if (fits(value, bits)) return Buffer.concat([Buffer.from([head]), littleEndian(value, bits / 8)]);
  }
  return Buffer.concat([Buffer.from([0xf4]), littleEndian(value, 8)]);
}

function backLength(length: number): Buffer {
  if (length < 128) return Buffer.from([length]);
  const bytes: number[] = [];
  const width = length < 16_383 ? 2 : length < 2_097_151 ? 3 : length < 268_435_455 ? 4 : 5;
  let rest = length;
  for (let index = 0; index < width; index++) {
    bytes.unshift((rest & 127) | (index < width - 1 ? 128 : 0));
    rest = Math.floor(rest / 128);
  }
  return Buffer.from(bytes);
}

/** @param width of each integer; what the largest needs, if it is a sound one */
export function intset(width: 2 | 4 | 8, ...values: readonly (number | bigint)[]): Buffer {
  return Buffer.concat([
    littleEndian(width, 4),
    littleEndian(values.length, 4),
    ...values.map((value) => littleEndian(value, width)),
  ]);
}
