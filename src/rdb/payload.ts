/**
 * The payload of DUMP and RESTORE: one value, and a footer that says whether it is whole and who can read it.
 *
 *     TYPE, value | VERSION of the serialisation (2) | CRC-64 of all before (8)     the least significant byte first
 */
import type { Entries } from "../keyspace/entry.ts";
import type { Ref } from "../memory/heap.ts";
import { Crc64 } from "./crc64.ts";
import { HASH_LISTPACK_OF_DEADLINES, HASH_OF_DEADLINES } from "./format.ts";
import { RdbReader } from "./reader.ts";
import { writeValue } from "./value.ts";
import type { RdbWriter } from "./writer.ts";

const FOOTER_SIZE = 10;
const CRC_SIZE = 8;

/**
 * A server refuses payloads of a later version than its own, whatever they hold. So each says the first version that
 * has all the types we write: 10, of Redis 7.0, and only for a hash whose fields have deadlines 12, of Redis 7.4.
 * Redis itself says its own version (11 for 7.2), and thereby keeps an older server from reading what it could.
 */
const VERSION = 10;
const VERSION_OF_DEADLINES = 12;
/** The latest version whose types are all known here. */
const VERSION_MAX = VERSION_OF_DEADLINES;

const crc = new Crc64();

/** Appends the payload of an entry's value to what has been written. */
export function writePayload(writer: RdbWriter, entries: Entries, entry: Ref): void {
  const start = writer.length;
  writeValue(writer, entries, entry);
  const type = writer.buffer[start]!;
  const hasDeadlines = type === HASH_OF_DEADLINES || type === HASH_LISTPACK_OF_DEADLINES;
  writer.reserve(FOOTER_SIZE);
  writer.length = writer.buffer.writeUInt16LE(hasDeadlines ? VERSION_OF_DEADLINES : VERSION, writer.length);
  appendSum(writer, start);
}

/** Appends the sum of all that has been written from `start` on. */
function appendSum(writer: RdbWriter, start: number): void {
  crc.reset();
  crc.update(writer.buffer, start, writer.length);
  writer.reserve(CRC_SIZE);
  writer.length = writer.buffer.writeInt32LE(crc.low, writer.length);
  writer.length = writer.buffer.writeInt32LE(crc.high, writer.length);
}

/**
 * Opens a payload.
 * @returns a reader of the value in it; undefined if the version is unknown or the sum wrong
 */
export function openPayload(bytes: Buffer, start: number, length: number): RdbReader | undefined {
  if (length < FOOTER_SIZE) return undefined;
  const end = start + length;
  if (bytes.readUInt16LE(end - FOOTER_SIZE) > VERSION_MAX) return undefined;
  crc.reset();
  crc.update(bytes, start, end - CRC_SIZE);
  const isWhole = bytes.readInt32LE(end - CRC_SIZE) === crc.low && bytes.readInt32LE(end - 4) === crc.high;
  return isWhole ? new RdbReader(bytes, start, end - FOOTER_SIZE) : undefined;
}
