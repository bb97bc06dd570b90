/**
 * CommandFileWriter: a snapshot as commands, which make an empty store what the view shows: the base of a log with
 * `aof-use-rdb-preamble no`. Any Redis since 2.6 replays it, unless it holds what only later ones have.
 *
 *     #TS:1700000000                                          with aof-timestamp-enabled
 *     #stillwater:1 1048023 9a3e…                             a batch: see log-lines.ts
 *     FUNCTION LOAD code                                      libraries of functions that were read from files
 *     SELECT 0
 *     SET k v                                                 one command a string
 *     RPUSH k i … │ SADD k m … │ ZADD k s m … │ HMSET k f v …  of other values, one for each 64 elements
 *     HPEXPIREAT k deadline FIELDS 1 f                        behind a hash, for each field with a deadline
 *     PEXPIREAT k deadline                                    behind each key with a deadline
 *
 * Fields' deadlines: no Redis before 7.4 has them. It stops at HPEXPIREAT, and names it: a base that left them out
 * would be loaded, and its fields would live for ever.
 *
 * *Batches.* Nothing in RESP tells damaged bytes, so whole commands stand in batches as in the rest of a log. A batch
 * is written when the buffer is full:
 *
 *     buffer   | commands that are whole | what there is of the next |  free  |
 *              0                         whole                       length
 *              └──────── a batch ────────┘ └── moves to the front
 *
 * A command that the buffer cannot hold, because of a long string, goes out in pieces, before it is known, and so
 * without a batch line: readers take it for one that Redis has written.
 *
 * *Portions.* A command has the elements of one portion: 64, as Redis has it, or fewer if they are long: half of the
 * buffer. The number stands in front of them, so it is written as if all 64 came, and corrected if they do not; a
 * command that is corrected is always in the buffer as a whole.
 *
 * Invariants: the file is a prefix of a log of whole batches at any time, but for what was written of a long command.
 * Memory is the buffer, and one element.
 *
 * Any thread, one at a time; everything is synchronous and throws the system's errors.
 */
import { copyBytes, Slice, withView } from "../base/bytes.ts";
import { formatDouble } from "../base/format-double.ts";
import { type Int64, writeInt64 } from "../base/int64.ts";
import { HASH, LIST, NO_DEADLINE, SET, SORTED_SET, STRING } from "../keyspace/entry.ts";
import type { FrozenEntry } from "../keyspace/frozen-entry.ts";
import { UNDATED } from "../structures/field-table.ts";
import { crc32 } from "./crc32.ts";
import type { OpenFile } from "./files.ts";
import { BATCH_LINE_MAX, FIRST_SEQUENCE, writeBatchLine, writeTimestampLine } from "./log-lines.ts";
import { SnapshotOutput, type SnapshotOutputOptions } from "./snapshot-output.ts";

const CAPACITY = 1 << 20;
/** Elements of a command at the most, as in Redis. */
const PORTION_MAX = 64;
/** What "*" or "$", a length and the line's end take at the most. */
const HEADER_MAX = 24;
/** What a number is written as takes at the most. */
const NUMBER_MAX = 32;

const ASTERISK = 0x2a;
const DOLLAR = 0x24;
const CR = 0x0d;
const LF = 0x0a;
/** Name of the command, key. */
const WORDS_BEFORE = 2;
/** The latest that HPEXPIREAT takes, in the year 4199; RDB files may have later ones. */
const FIELD_DEADLINE_MAX = 2 ** 46 - 1;

export interface CommandFileOptions extends SnapshotOutputOptions {
  /** Seconds since 1970, with which the file begins; undefined for none. */
  readonly timestamp: number | undefined;
  /** Bytes of the buffer; tests have small ones, of 1 KiB at the least. */
  readonly capacity?: number;
}

export class CommandFileWriter {
  readonly #output: SnapshotOutput;
  readonly #buffer: Buffer;
  /** Bytes of elements after which a portion ends. */
  readonly #portionBytes: number;
  readonly #line = Buffer.alloc(BATCH_LINE_MAX);
  readonly #digits = Buffer.alloc(NUMBER_MAX);
  readonly #score = new Slice();
  #sequence = FIRST_SEQUENCE;
  /** Position behind what is in the buffer, and behind the last command of it that is whole. */
  #length = 0;
  #whole = 0;
  /** Whether the beginning of the present command has left the buffer. */
  #isSpilled = false;
  /** Of the collection that is being written: its command, its key, words of an element, and elements to come. */
  #name = "";
  #key = new Slice();
  #words = 1;
  #left = 0;
  /** Elements and bytes of the present portion, and elements that its command says it has; 0 outside of one. */
  #elements = 0;
  #bytes = 0;
  #announced = 0;

  /** Begins with the time. @param file stays the caller's, who syncs it in the end, and closes it */
  constructor(file: OpenFile, options: CommandFileOptions) {
    const { timestamp, capacity = CAPACITY } = options;
    this.#output = new SnapshotOutput(file, options);
    this.#buffer = withView(Buffer.allocUnsafeSlow(capacity));
    this.#portionBytes = capacity >>> 1;
    const line = timestamp === undefined ? 0 : writeTimestampLine(this.#buffer, 0, timestamp);
    if (line > 0) this.#output.write(this.#buffer, 0, line);
  }

  /** Keys so far. */
  get keys(): number {
    return this.#output.keys;
  }

  /** Bytes that have been handed to the system. */
  get written(): number {
    return this.#output.written;
  }

  /** A library of functions. */
  library(code: Uint8Array): void {
    this.#header(ASTERISK, 3);
    this.#text("FUNCTION");
    this.#text("LOAD");
    this.#string(Buffer.from(code.buffer, code.byteOffset, code.byteLength), 0, code.byteLength);
    this.#endCommand();
  }

  /** The keys that follow are in this database. */
  database(index: number): void {
    this.#header(ASTERISK, 2);
    this.#text("SELECT");
    this.#number(index);
    this.#endCommand();
  }

  /** A key with all that is saved of it. @throws FreezeLostError, and the system's errors */
  entry(entry: FrozenEntry): void {
    this.#key = entry.key;
    if (entry.type === STRING) this.#stringEntry(entry);
    else this.#collectionEntry(entry);
    this.#output.keys += 1;
    if (entry.deadline === NO_DEADLINE) return;
    this.#header(ASTERISK, 3);
    this.#text("PEXPIREAT");
    this.#slice(entry.key);
    this.#number(entry.deadline);
    this.#endCommand();
  }

  /** Hands all of it to the system. */
  finish(): void {
    this.#emit();
  }

  #stringEntry(entry: FrozenEntry): void {
    this.#header(ASTERISK, 3);
    this.#text("SET");
    this.#slice(entry.key);
    if (entry.valueLength <= this.#portionBytes) this.#slice(entry.value());
    else this.#longValue(entry);
    this.#endCommand();
  }

  /** Of a long string, a part at a time is copied out of the view. */
  #longValue(entry: FrozenEntry): void {
    const { valueLength } = entry;
    const part = this.#portionBytes;
    this.#header(DOLLAR, valueLength);
    for (let done = 0; done < valueLength; done += part) {
      const length = Math.min(part, valueLength - done);
      this.#reserve(length);
      entry.copyValue(done, length, this.#buffer, this.#length);
      this.#length += length;
    }
    this.#endLine();
  }

  #collectionEntry(entry: FrozenEntry): void {
    const { type, collection } = entry;
    if (type === LIST) {
      this.#begin("RPUSH", 1, collection.count);
      collection.forEachItem(this.#addItem);
    } else if (type === SET) {
      this.#begin("SADD", 1, collection.count);
      collection.forEachMember(this.#addItem);
    } else if (type === SORTED_SET) {
      this.#begin("ZADD", 2, collection.count);
      collection.forEachScored(this.#addScored);
    } else {
      this.#begin("HMSET", 2, collection.count);
      collection.forEachField(this.#addField);
    }
    this.#endPortion();
    if (type === HASH && collection.datedCount > 0) collection.forEachField(this.#addDeadline);
  }

  #begin(name: string, words: number, count: number): void {
    this.#name = name;
    this.#words = words;
    this.#left = count;
  }

  readonly #addItem = (item: Slice): void => {
    this.#element(item.length);
    this.#slice(item);
  };

  readonly #addScored = (member: Slice, score: number): void => {
    const text = formatDouble(score);
    this.#score.set(this.#digits, 0, this.#digits.latin1Write(text, 0, text.length));
    this.#element(text.length + member.length);
    this.#slice(this.#score);
    this.#slice(member);
  };

  readonly #addField = (field: Slice, value: Slice): void => {
    this.#element(field.length + value.length);
    this.#slice(field);
    this.#slice(value);
  };

  readonly #addDeadline = (field: Slice, _value: Slice, deadline: number): void => {
    if (deadline === UNDATED) return;
    this.#header(ASTERISK, 6);
    this.#text("HPEXPIREAT");
    this.#slice(this.#key);
    this.#number(Math.min(deadline, FIELD_DEADLINE_MAX));
    this.#text("FIELDS");
    this.#number(1);
    this.#slice(field);
    this.#endCommand();
  };

  /** An element of so many bytes comes next: in the present command, or in a new one. */
  #element(bytes: number): void {
    const size = bytes + this.#words * HEADER_MAX;
    const portionBytes = this.#portionBytes;
    // A long key would stand in front of each element if portions of it were short.
    const bytesMax = this.#key.length > portionBytes / 2 ? Number.POSITIVE_INFINITY : portionBytes;
    if (this.#elements === this.#announced || this.#bytes + size > bytesMax) this.#endPortion();
    if (this.#elements === 0) this.#beginPortion(size > portionBytes ? 1 : Math.min(PORTION_MAX, this.#left));
    this.#elements += 1;
    this.#bytes += size;
    this.#left -= 1;
  }

  #beginPortion(announced: number): void {
    this.#announced = announced;
    this.#header(ASTERISK, WORDS_BEFORE + announced * this.#words);
    this.#text(this.#name);
    this.#slice(this.#key);
  }

  /** Ends the present command, if there is one, and sees to it that it says how many elements it has. */
  #endPortion(): void {
    if (this.#elements === 0) return;
    if (this.#elements < this.#announced) this.#correct();
    this.#elements = 0;
    this.#announced = 0;
    this.#bytes = 0;
    this.#endCommand();
  }

  /** The present command, which begins where the last whole one ends, has fewer elements than it says. */
  #correct(): void {
    const buffer = this.#buffer;
    const behind = buffer.indexOf(LF, this.#whole) + 1;
    const end = this.#lineEnd(writeInt64(WORDS_BEFORE + this.#elements * this.#words, buffer, this.#whole + 1));
    buffer.copyWithin(end, behind, this.#length);
    this.#length -= behind - end;
  }

  #endCommand(): void {
    if (this.#isSpilled) this.#spill();
    this.#isSpilled = false;
    this.#whole = this.#length;
  }

  #text(text: string): void {
    this.#header(DOLLAR, text.length);
    this.#reserve(text.length + 2);
    this.#length = this.#lineEnd(this.#length + this.#buffer.latin1Write(text, this.#length, text.length));
  }

  #number(value: Int64): void {
    this.#string(this.#digits, 0, writeInt64(value, this.#digits, 0));
  }

  #slice({ bytes, start, length }: Slice): void {
    this.#string(bytes, start, length);
  }

  #string(bytes: Buffer, start: number, length: number): void {
    this.#header(DOLLAR, length);
    if (length <= this.#buffer.length) {
      this.#reserve(length);
      copyBytes(bytes, start, this.#buffer, this.#length, length);
      this.#length += length;
    } else {
      this.#emit();
      this.#spill();
      this.#output.write(bytes, start, length);
    }
    this.#endLine();
  }

  /** A line of a sign and a length. */
  #header(sign: number, length: number): void {
    this.#reserve(HEADER_MAX);
    this.#buffer[this.#length] = sign;
    this.#length = this.#lineEnd(writeInt64(length, this.#buffer, this.#length + 1));
  }

  #endLine(): void {
    this.#reserve(2);
    this.#length = this.#lineEnd(this.#length);
  }

  /** @returns the position behind the end of a line, which is written at `at` */
  #lineEnd(at: number): number {
    this.#buffer[at] = CR;
    this.#buffer[at + 1] = LF;
    return at + 2;
  }

  /** Makes room for so many bytes, which the buffer has altogether. */
  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    this.#emit();
    if (this.#length + bytes > this.#buffer.length) this.#spill();
  }

  /** Writes the commands that are whole, as a batch. */
  #emit(): void {
    const buffer = this.#buffer;
    const size = this.#whole;
    if (size === 0) return;
    const line = writeBatchLine(this.#line, 0, this.#sequence, size, crc32(buffer, 0, size));
    this.#output.write(this.#line, 0, line);
    this.#output.write(buffer, 0, size);
    this.#sequence += 1;
    buffer.copyWithin(0, size, this.#length);
    this.#length -= size;
    this.#whole = 0;
  }

  /** Writes what there is of a command that the buffer cannot hold; before it stands no other. */
  #spill(): void {
    if (this.#length > 0) this.#output.write(this.#buffer, 0, this.#length);
    this.#length = 0;
    this.#isSpilled = true;
  }
}
