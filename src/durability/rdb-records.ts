/**
 * RdbRecords: the records of an RDB file, one after another, up to where a key's value begins.
 *
 *     "REDIS" and four digits, the VERSION
 *     { fa name value }          AUX: what the writer tells of itself
 *     { f5 code }                a library of functions; f6, of candidates of 7.0: name engine has [text] code
 *     { f7 id when ... 00 }      what a module keeps beside keys: numbers and strings, each behind its kind
 *     fe DATABASE                the keys that follow are in that one
 *     fb KEYS VOLATILE           how many keys there will be
 *     f4 slot KEYS VOLATILE      the same of a slot of a cluster
 *     { [fc deadline (8) | fd seconds (4)] [f8 idle seconds] [f9 count (1)] TYPE key value }
 *     ff, and since version 5 the CRC-64 of all before (8), 0 if it was not made
 *
 * Lengths, strings and values are as in rdb/format.ts. Numbers in parentheses are bytes, least significant first.
 *
 * Why apart from the loader: whoever checks a file reads it in the same way, and does something else with the values.
 *
 * Invariants: `start` is the offset of the record that is being read. Owner thread only.
 */
import type { Int64 } from "../base/int64.ts";
import { quoted } from "../config/quoting.ts";
import { NO_DEADLINE } from "../keyspace/entry.ts";
import { DamagedValueError, ForeignValueError } from "../rdb/format.ts";
import { StringHolder } from "../rdb/reader.ts";
import type { Files } from "./files.ts";
import { RdbFileReader } from "./rdb-file-reader.ts";
import { MODULE_UNSIGNED, moduleNameOf, skipModuleValue } from "./rdb-foreign-values.ts";

const VERSION_MAX = 12;
/** Since this version there is a sum. */
const VERSION_OF_SUM = 5;
const MAGIC = "REDIS";
const HEADER_SIZE = 9;

const SLOT_INFO = 0xf4;
const FUNCTION = 0xf5;
const FUNCTION_OF_CANDIDATE = 0xf6;
const MODULE_AUX = 0xf7;
const IDLE = 0xf8;
const FREQUENCY = 0xf9;
const AUX = 0xfa;
const SIZES = 0xfb;
const DEADLINE_MS = 0xfc;
const DEADLINE_SECONDS = 0xfd;
const SELECT = 0xfe;
const END = 0xff;

/** What may be read when something turns out to be wrong. */
const HEADER = "the header";
const A_RECORD = "a record";
const A_KEY = "a key";
export const A_VALUE = "a key's value";

/** Told of what is not a key, with the offset behind what has been read of it. */
export interface RdbListener {
  onAux?(name: string, value: string, offset: number): void;
  onDatabase?(index: number, offset: number): void;
  /** The source of a library of functions; a copy. */
  onFunction?(code: Buffer, offset: number): void;
  /** How many keys the present database will have, as far as the writer knew. */
  onSizes?(keys: number, volatile: number, offset: number): void;
  /**
   * What a module kept beside keys, before it is skipped. Without a listener it is refused, as Redis refuses it where
   * the module is missing: skipping would lose it.
   */
  onModule?(name: string, offset: number): void;
}

export interface RdbRecordsOptions {
  /** Offset of the header; 0 by default. */
  readonly start?: number;
  /** Whether the sum at the end is checked, where there is one. */
  readonly checksum: boolean;
  /** Bytes of the window through which the file is read: for tests. */
  readonly window?: number;
}

export class RdbRecords {
  readonly reader: RdbFileReader;
  /** What the writer has told of itself, such as `redis-ver`. */
  readonly aux = new Map<string, string>();
  version = 0;
  /** Offset of the present record. */
  start = 0;
  /** What is being read: for the text of an error. */
  doing = HEADER;
  database = 0;
  /** Milliseconds since 1970, or NO_DEADLINE. */
  deadline: Int64 = NO_DEADLINE;
  /** Seconds since the last access, or -1. */
  idle = -1;
  /** The logarithmic count of accesses, or -1. */
  frequency = -1;
  /** How the present key's value is saved: a type of rdb/format.ts, or one that is unknown there. */
  type = 0;
  /** The present key; good until another string is read. */
  readonly key = new StringHolder();
  /** Whether the sum has been found right; undefined before the end, and where there is none, or nobody asked. */
  isSumRight: boolean | undefined;
  readonly #second = new StringHolder();
  readonly #listener: RdbListener;
  readonly #checksum: boolean;

  /** @throws the system's error if the file cannot be opened */
  constructor(files: Files, path: string, options: RdbRecordsOptions, listener: RdbListener = {}) {
    this.#checksum = options.checksum;
    this.#listener = listener;
    this.reader = new RdbFileReader(files, path, options.start ?? 0, options.checksum, options.window);
    this.start = this.reader.offset;
  }

  /**
   * Goes on to the next key; its value must be read before the next call.
   * @returns false at the end of the file, whose sum is right then, as far as it is checked
   * @throws DamagedValueError, the system's error
   */
  next(): boolean {
    const { reader } = this;
    if (this.version === 0) this.#readHeader();
    this.deadline = NO_DEADLINE;
    this.idle = -1;
    this.frequency = -1;
    this.doing = A_RECORD;
    this.start = reader.offset;
    for (;;) {
      const code = reader.byte();
      if (code < SLOT_INFO) {
        this.type = code;
        this.doing = A_KEY;
        reader.string(this.key);
        this.doing = A_VALUE;
        return true;
      }
      if (code === END) {
        this.#readEnd();
        return false;
      }
      if (code === DEADLINE_MS) this.deadline = reader.time();
      else if (code === IDLE) this.idle = reader.size();
      else if (code === FREQUENCY) this.frequency = reader.byte();
      else this.#readOther(code);
    }
  }

  close(): void {
    this.reader.close();
  }

  #readHeader(): void {
    const { reader } = this;
    const at = reader.raw(HEADER_SIZE);
    const text = reader.buffer.latin1Slice(at, at + HEADER_SIZE);
    if (!text.startsWith(MAGIC)) throw new DamagedValueError("Wrong signature trying to load DB from file");
    const version = /^\d{4}$/.test(text.slice(MAGIC.length)) ? Number(text.slice(MAGIC.length)) : 0;
    if (version < 1 || version > VERSION_MAX) {
      throw new ForeignValueError(`Can't handle RDB format version ${version}`);
    }
    this.version = version;
  }

  /** A deadline as Redis saved it before 2.6. */
  #readSeconds(): void {
    const at = this.reader.raw(4);
    this.deadline = this.reader.buffer.readInt32LE(at) * 1000;
  }

  /** What stands between keys. */
  #readOther(code: number): void {
    const { reader } = this;
    switch (code) {
      case DEADLINE_SECONDS:
        this.#readSeconds();
        return;
      case SELECT:
        this.doing = "the number of a database";
        this.database = reader.size();
        this.#listener.onDatabase?.(this.database, this.reader.offset);
        break;
      case SIZES:
        this.doing = "the size of a database";
        this.#readSizes();
        break;
      case SLOT_INFO:
        this.doing = "the size of a slot";
        for (let count = 3; count > 0; count--) reader.size();
        break;
      case AUX:
        this.#readAux();
        break;
      case MODULE_AUX:
        this.#readModule();
        break;
      default:
        this.#readFunction(code);
    }
    this.doing = A_RECORD;
    this.start = reader.offset;
  }

  #readSizes(): void {
    const keys = this.reader.size();
    const volatile = this.reader.size();
    this.#listener.onSizes?.(keys, volatile, this.reader.offset);
  }

  #readAux(): void {
    this.doing = "an AUX field";
    const name = this.reader.string(this.key).toLatin1();
    const value = this.reader.string(this.#second).toLatin1();
    this.aux.set(name, value);
    this.#listener.onAux?.(name, value, this.reader.offset);
  }

  #readFunction(code: number): void {
    const { reader, key } = this;
    this.doing = "a library of functions";
    if (code === FUNCTION) {
      const source = reader.string(key).toBuffer();
      this.#listener.onFunction?.(source, reader.offset);
      return;
    }
    if (code !== FUNCTION_OF_CANDIDATE) throw new DamagedValueError(`a record of the unknown kind ${code}`);
    // Since 7.0 a library's name and engine stand in the first line of its source.
    const name = reader.string(key).toLatin1();
    const engine = reader.string(key).toLatin1().toLowerCase();
    if (reader.size() !== 0) reader.string(key);
    const source = reader.string(key).toBuffer();
    const head = Buffer.from(`#!${engine} name=${name}\n`, "latin1");
    this.#listener.onFunction?.(Buffer.concat([head, source]), reader.offset);
  }

  #readModule(): void {
    const { reader } = this;
    this.doing = "what a module kept beside keys";
    const name = moduleNameOf(reader.unsigned());
    if (this.#listener.onModule === undefined) {
      throw new ForeignValueError(`it belongs to the module ${quoted(name)}, and there are none here`);
    }
    this.#listener.onModule(name, reader.offset);
    if (reader.size() !== MODULE_UNSIGNED) throw new DamagedValueError("it does not say when it was saved");
    reader.size();
    skipModuleValue(reader);
  }

  #readEnd(): void {
    const { reader } = this;
    this.doing = "the checksum";
    if (this.version < VERSION_OF_SUM) return;
    const sum = reader.sum();
    const low = sum?.low ?? 0;
    const high = sum?.high ?? 0;
    const at = reader.raw(8);
    const storedLow = reader.buffer.readInt32LE(at);
    const storedHigh = reader.buffer.readInt32LE(at + 4);
    if (!this.#checksum || (storedLow === 0 && storedHigh === 0)) return;
    this.isSumRight = storedLow === low && storedHigh === high;
    if (this.isSumRight) return;
    const expected = hexadecimal(storedHigh) + hexadecimal(storedLow);
    const found = hexadecimal(high) + hexadecimal(low);
    throw new DamagedValueError(`Wrong RDB checksum expected: (${expected}) but got (${found})`);
  }
}

function hexadecimal(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}
