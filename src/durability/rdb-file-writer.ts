/**
 * RdbFileWriter: an RDB file, written through a buffer of fixed size.
 *
 *     "REDIS" VERSION (4 digits)
 *     { AUX name value }                     what wrote it, when, and what was handed on from files that were read
 *     { FUNCTION code }                      libraries of functions that were read
 *     { SELECTDB index  RESIZEDB keys volatile  { key } }     for each database that has keys
 *     EOF  CRC-64 of all before (8), or zeros
 *
 *     key   [EXPIRETIME_MS deadline (8)]  [IDLE seconds | FREQ count (1)]  TYPE name value
 *
 * VERSION is 10, Redis 7.0's, which Redis 7.2 and Valkey read as well, unless a hash in it has fields with deadlines:
 * no Redis before 7.4 knows such a value, and none would notice before it comes to it. Then VERSION is 12, 7.4's, so
 * that older ones refuse the file at its first byte and say why. Nobody knows whether there is one before all keys
 * have been walked; so the file begins as version 10, and `changeVersion` changes one digit when it is complete. The
 * CRC follows from what the digit changes in it (crc64-zeros.ts), so that nothing is read again.
 *
 * Why a buffer of 1 MiB: a write(2) and a piece of CRC for each. Only a string that is compressed makes it larger, for
 * as long as that takes; longer strings go past it.
 *
 * Any thread, one at a time; everything is synchronous and throws the system's errors.
 */
import { withView } from "../base/bytes.ts";
import { type AccessMoment, countAt, idleSecondsAt } from "../keyspace/access-clock.ts";
import { NO_DEADLINE } from "../keyspace/entry.ts";
import type { FrozenEntry } from "../keyspace/frozen-entry.ts";
import { Crc64 } from "../rdb/crc64.ts";
import { sumOfLoneByte } from "../rdb/crc64-zeros.ts";
import { HASH_LISTPACK_OF_DEADLINES, HASH_OF_DEADLINES } from "../rdb/format.ts";
import { COMPRESSED_MAX, FrozenValueWriter, savedType } from "../rdb/frozen-value.ts";
import { RdbWriter } from "../rdb/writer.ts";
import { type OpenFile, writeAll } from "./files.ts";
import { SnapshotOutput, type SnapshotOutputOptions } from "./snapshot-output.ts";

const HEADER = Buffer.from("REDIS0010", "latin1");
const HEADER_OF_DEADLINES = Buffer.from("REDIS0012", "latin1");
const CRC_SIZE = 8;

const FUNCTION = 0xf5;
const IDLE = 0xf8;
const FREQUENCY = 0xf9;
const AUX = 0xfa;
const SIZES = 0xfb;
const DEADLINE_MS = 0xfc;
const SELECT = 0xfe;
const END = 0xff;

const CAPACITY = 1 << 20;

/** What is said of each key's last use, as Redis does it for the policies that go by it. */
export type AccessRecord = "none" | "idle" | "frequency";

export interface RdbFileOptions extends SnapshotOutputOptions {
  readonly compress: boolean;
  readonly checksum: boolean;
  readonly access: AccessRecord;
  /** What the entries' stamps mean. */
  readonly moment: AccessMoment;
  /** Bytes of the buffer; tests have small ones. */
  readonly capacity?: number;
}

export class RdbFileWriter extends RdbWriter {
  /** Whether a hash with fields that have deadlines is in it. */
  hasFieldDeadlines = false;
  readonly #output: SnapshotOutput;
  readonly #options: RdbFileOptions;
  readonly #capacity: number;
  readonly #values: FrozenValueWriter;
  readonly #crc = new Crc64();

  /** Begins with the header. */
  constructor(file: OpenFile, options: RdbFileOptions) {
    const { capacity = CAPACITY } = options;
    super(options.compress, capacity);
    this.#output = new SnapshotOutput(file, options);
    this.#options = options;
    this.#capacity = capacity;
    this.#values = new FrozenValueWriter(this);
    this.buffer = withView(this.buffer);
    this.raw(HEADER, 0, HEADER.length);
  }

  /** Keys so far. */
  get keys(): number {
    return this.#output.keys;
  }

  /** Bytes that have been handed to the system. */
  get written(): number {
    return this.#output.written;
  }

  override reserve(count: number): void {
    if (this.length + count <= this.buffer.length) return;
    this.flush();
    if (count > this.buffer.length || this.buffer.length > this.#capacity) {
      this.buffer = withView(Buffer.allocUnsafeSlow(Math.max(count, this.#capacity)));
    }
  }

  override raw(source: Buffer, start: number, length: number): void {
    if (length <= this.#capacity) {
      super.raw(source, start, length);
    } else {
      this.flush();
      this.#write(source, start, length);
    }
  }

  override string(source: Buffer, start: number, length: number): void {
    if (length <= COMPRESSED_MAX) {
      super.string(source, start, length);
    } else {
      this.size(length);
      this.raw(source, start, length);
    }
  }

  /** A field of the header: texts, one character a byte. */
  aux(name: string, value: string): void {
    this.byte(AUX);
    this.#text(name);
    this.#text(value);
  }

  /** A library of functions. */
  library(code: Uint8Array): void {
    this.byte(FUNCTION);
    const bytes = Buffer.from(code.buffer, code.byteOffset, code.byteLength);
    this.string(bytes, 0, bytes.length);
  }

  /** The keys that follow are in this database. */
  database(index: number, keys: number, volatile: number): void {
    this.byte(SELECT);
    this.size(index);
    this.byte(SIZES);
    this.size(keys);
    this.size(volatile);
  }

  /** A key with all that is saved of it. @throws FreezeLostError, and the system's errors */
  entry(entry: FrozenEntry): void {
    if (entry.deadline !== NO_DEADLINE) {
      this.byte(DEADLINE_MS);
      this.time(entry.deadline);
    }
    const { access, moment } = this.#options;
    if (access === "idle") {
      this.byte(IDLE);
      this.size(idleSecondsAt(moment, entry.stamp));
    } else if (access === "frequency") {
      this.byte(FREQUENCY);
      this.byte(countAt(moment, entry.stamp));
    }
    const type = savedType(entry);
    if (type === HASH_OF_DEADLINES || type === HASH_LISTPACK_OF_DEADLINES) this.hasFieldDeadlines = true;
    this.byte(type);
    this.string(entry.key.bytes, entry.key.start, entry.key.length);
    this.#values.write(entry, type);
    this.#output.keys += 1;
  }

  /** Writes the end, and hands all of it to the system. */
  finish(): void {
    this.byte(END);
    this.flush();
    const footer = Buffer.alloc(CRC_SIZE);
    if (this.#options.checksum) {
      const sum = (BigInt(this.#crc.high >>> 0) << 32n) | BigInt(this.#crc.low >>> 0);
      footer.writeBigUInt64LE(this.hasFieldDeadlines ? sum ^ this.#changeOfVersion() : sum);
    }
    this.#write(footer, 0, CRC_SIZE);
  }

  /** What the last digit of the header, when it is changed, changes in the sum. */
  #changeOfVersion(): bigint {
    const at = HEADER.length - 1;
    return sumOfLoneByte(HEADER[at]! ^ HEADER_OF_DEADLINES[at]!, this.written - HEADER.length);
  }

  /** Hands what is in the buffer to the system. */
  flush(): void {
    const { length } = this;
    if (length === 0) return;
    this.#write(this.buffer, 0, length);
    this.length = 0;
  }

  #write(bytes: Buffer, start: number, length: number): void {
    if (this.#options.checksum) this.#crc.update(bytes, start, start + length);
    this.#output.write(bytes, start, length);
  }

  #text(text: string): void {
    const bytes = Buffer.from(text, "latin1");
    this.string(bytes, 0, bytes.length);
  }
}

/** Makes the header of a complete file, open for update, that of one whose hashes have fields with deadlines. */
export function changeVersion(file: OpenFile): void {
  writeAll(file, HEADER_OF_DEADLINES, 0, HEADER_OF_DEADLINES.length);
}
