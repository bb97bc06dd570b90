/**
 * EffectLog: the effects of commands, as the bytes of a Redis log, until they are written.
 *
 *     buffer   | room for a batch's line | SELECT 0 | SET k v | MULTI | DEL x | INCR x | EXEC | ... |  present unit
 *              0                  HEAD_ROOM                                                      HEAD_ROOM + length
 *
 * Units stand one behind another: what one command did, or one removal that no command asked for (a key or a field that
 * expired, a key that was evicted). A unit of several commands stands between MULTI and EXEC, so that whoever replays
 * it does all or nothing. MULTI comes in front when the second command does: most units have one, and pay nothing.
 * `SELECT` comes where a command is of another database than the one before it in the same file.
 *
 * What a command says does not count in `length` before it has ended: what is written are whole units.
 *
 * The buffer doubles as need be; when what it held has been written, one that has become much too large is let go.
 * Nothing is allocated for a command. Owner thread only.
 */
import type { Arguments } from "../base/arguments.ts";
import { copyBytes, withView } from "../base/bytes.ts";
import { writeInt64 } from "../base/int64.ts";
import type { EffectRecorder, EffectWord } from "../commands/effects.ts";
import type { RemovalListener } from "../keyspace/removals.ts";

/** Bytes in front of what was gathered that are left to the line of the batch. */
export const HEAD_ROOM = 128;
/** When so many bytes have been gathered, `onFull` is called. */
export const FULL_BYTES = 1 << 20;

const INITIAL_CAPACITY = 1 << 16;
/** A larger buffer is let go when so small a part of it was needed. */
const KEPT_CAPACITY = 4 * FULL_BYTES;
const USED_SHARE = 1 / 16;
/** What "*" or "$", a length and the line's end take at the most. */
const LENGTH_MAX = 24;
/** The longest integer. */
const DIGITS_MAX = 20;

const MULTI = Buffer.from("*1\r\n$5\r\nMULTI\r\n");
const EXEC = Buffer.from("*1\r\n$4\r\nEXEC\r\n");
/** "*", the one digit of a count, and the line's end. */
const COUNT_SIZE = 4;
const NO_DATABASE = -1;

const ASTERISK = 0x2a;
const DOLLAR = 0x24;
const CR = 0x0d;
const LF = 0x0a;
const ZERO = 0x30;

export class EffectLog implements EffectRecorder, RemovalListener {
  areKept = false;
  keptName: string | undefined;
  /** Called at the end of the first unit since effects were taken or cleared: they should be written soon. */
  onFirst: (() => void) | undefined;
  /** Called, never within a unit, once FULL_BYTES have been gathered: they should be written, whatever comes next. */
  onFull: (() => void) | undefined;
  #buffer = withView(Buffer.allocUnsafeSlow(INITIAL_CAPACITY));
  /** Position behind the last whole unit. */
  #end = HEAD_ROOM;
  /** Position behind what was written last. */
  #at = HEAD_ROOM;
  /** Commands in the present unit, SELECT aside. */
  #commands = 0;
  #isInUnit = false;
  /** The database of the present unit's command. */
  #database = 0;
  /** What the file has selected so far, and what it had before the present unit. */
  #selected = NO_DATABASE;
  readonly #digits = Buffer.alloc(DIGITS_MAX + 4);

  /** Bytes of whole units gathered since they were last cleared. */
  get length(): number {
    return this.#end - HEAD_ROOM;
  }

  /** Where what was gathered stands: [HEAD_ROOM, HEAD_ROOM + length). Good until the next effect. */
  get buffer(): Buffer {
    return this.#buffer;
  }

  /** Forgets what was gathered: it has been written, or is not wanted. Not within a unit. */
  clear(): void {
    const isWasteful = this.#buffer.length > KEPT_CAPACITY && this.length < this.#buffer.length * USED_SHARE;
    if (isWasteful) this.#buffer = withView(Buffer.allocUnsafeSlow(INITIAL_CAPACITY));
    this.#end = HEAD_ROOM;
    this.#at = HEAD_ROOM;
  }

  /** What follows goes into another file: it begins with SELECT. Whatever was gathered has been written. */
  beginFile(): void {
    this.#selected = NO_DATABASE;
  }

  beginUnit(database: number): void {
    this.#database = database;
    this.#commands = 0;
    this.#isInUnit = true;
  }

  endUnit(): void {
    this.#isInUnit = false;
    if (this.#commands > 1) this.#append(EXEC);
    const isFirst = this.#end === HEAD_ROOM && this.#at > HEAD_ROOM;
    this.#end = this.#at;
    if (isFirst) this.onFirst?.();
    if (this.length >= FULL_BYTES) this.onFull?.();
  }

  add(...words: readonly EffectWord[]): void {
    this.begin(words.length);
    for (const word of words) this.word(word);
  }

  begin(count: number): void {
    this.#beginCommand(this.#database);
    this.#length(ASTERISK, count);
  }

  word(word: EffectWord): void {
    if (typeof word === "string") this.#text(word);
    else if (typeof word === "object") this.#bytes(word.bytes, word.start, word.length);
    else this.#bytes(this.#digits, 0, writeInt64(word, this.#digits, 0));
  }

  keep(args: Arguments): void {
    const { bytes, starts, lengths, count } = args;
    const { keptName } = this;
    if (args.requestStart !== -1 && keptName === undefined) {
      this.#keepRequest(args, args.requestStart);
      return;
    }
    this.#beginCommand(this.#database);
    this.#length(ASTERISK, count);
    if (keptName === undefined) this.#bytes(bytes, starts[0]!, lengths[0]!);
    else this.#text(keptName);
    for (let index = 1; index < count; index++) this.#bytes(bytes, starts[index]!, lengths[index]!);
  }

  /** Copies a request as it stands. A client may have sent anything behind its CRs; the log has LF. */
  #keepRequest(args: Arguments, start: number): void {
    this.#beginCommand(this.#database);
    const { starts, lengths, count } = args;
    const length = args.end + 2 - start;
    this.#require(length);
    const buffer = this.#buffer;
    const at = this.#at;
    copyBytes(args.bytes, start, buffer, at, length);
    buffer[at + COUNT_SIZE - 1] = LF;
    const shift = at - start;
    for (let index = 0; index < count; index++) {
      const begin = starts[index]! + shift;
      const end = begin + lengths[index]!;
      buffer[begin - 1] = LF;
      buffer[end] = CR;
      buffer[end + 1] = LF;
    }
    this.#at = at + length;
  }

  keyRemoved(database: number, bytes: Buffer, start: number, length: number, isLazy: boolean): void {
    if (!this.areKept) return;
    const isAlone = this.#beginRemoval(database, 2);
    this.#text(isLazy ? "UNLINK" : "DEL");
    this.#bytes(bytes, start, length);
    if (isAlone) this.endUnit();
  }

  fieldsRemoved(database: number, bytes: Buffer, start: number, length: number, count: number): void {
    if (!this.areKept) return;
    this.#fieldsAreAlone = this.#beginRemoval(database, 2 + count);
    this.#fieldsLeft = count;
    this.#text("HDEL");
    this.#bytes(bytes, start, length);
  }

  fieldRemoved(bytes: Buffer, start: number, length: number): void {
    if (!this.areKept) return;
    this.#bytes(bytes, start, length);
    this.#fieldsLeft -= 1;
    if (this.#fieldsLeft === 0 && this.#fieldsAreAlone) this.endUnit();
  }

  /** Names that are still to come of the fields that are being removed, and whether their removal is a unit. */
  #fieldsLeft = 0;
  #fieldsAreAlone = false;

  /** @returns whether no command is under way: then it is a unit by itself */
  #beginRemoval(database: number, count: number): boolean {
    const isAlone = !this.#isInUnit;
    if (isAlone) this.beginUnit(database);
    this.#beginCommand(database);
    this.#length(ASTERISK, count);
    return isAlone;
  }

  #beginCommand(database: number): void {
    if (this.#commands === 1) this.#insertMulti();
    this.#commands += 1;
    if (database !== this.#selected) this.#select(database);
  }

  #select(database: number): void {
    this.#selected = database;
    this.#length(ASTERISK, 2);
    this.#text("SELECT");
    this.#bytes(this.#digits, 0, writeInt64(database, this.#digits, 0));
  }

  /** Puts MULTI in front of the present unit. */
  #insertMulti(): void {
    this.#require(MULTI.length);
    this.#buffer.copyWithin(this.#end + MULTI.length, this.#end, this.#at);
    MULTI.copy(this.#buffer, this.#end);
    this.#at += MULTI.length;
  }

  #append(bytes: Buffer): void {
    this.#require(bytes.length);
    copyBytes(bytes, 0, this.#buffer, this.#at, bytes.length);
    this.#at += bytes.length;
  }

  #text(text: string): void {
    this.#length(DOLLAR, text.length);
    this.#require(text.length + 2);
    this.#at += this.#buffer.latin1Write(text, this.#at, text.length);
    this.#endLine();
  }

  #bytes(bytes: Buffer, start: number, length: number): void {
    this.#require(length + LENGTH_MAX + 2);
    this.#length(DOLLAR, length);
    copyBytes(bytes, start, this.#buffer, this.#at, length);
    this.#at += length;
    this.#endLine();
  }

  /** A line of a sign and a length. */
  #length(sign: number, length: number): void {
    this.#require(LENGTH_MAX);
    const buffer = this.#buffer;
    buffer[this.#at] = sign;
    if (length < 10) {
      buffer[this.#at + 1] = ZERO + length;
      this.#at += 2;
    } else {
      this.#at = writeInt64(length, buffer, this.#at + 1);
    }
    this.#endLine();
  }

  #endLine(): void {
    const buffer = this.#buffer;
    buffer[this.#at] = CR;
    buffer[this.#at + 1] = LF;
    this.#at += 2;
  }

  /** Makes room for so many bytes. */
  #require(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    let capacity = this.#buffer.length * 2;
    while (capacity < this.#at + bytes) capacity *= 2;
    const grown = withView(Buffer.allocUnsafeSlow(capacity));
    this.#buffer.copy(grown, 0, 0, this.#at);
    this.#buffer = grown;
  }
}
