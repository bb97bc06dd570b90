/**
 * Values of types that do not exist here, walked over: so that a file can be checked to its end, and somebody told all
 * of what in it could not be loaded.
 *
 *     module (7)      id, parts: { 1 or 2 number | 3 float (4) | 4 double (8) | 5 string }, 0
 *     stream (15)     count, { id (a string of 16), listpack (a string) }, LENGTH, LAST id,
 *                     since 19: FIRST id, GREATEST removed id, ADDED,
 *                     groups: count, { name, LAST id, since 19: READ,
 *                       pending: count, { id (16), delivered at (8), times },
 *                       consumers: count, { name, seen at (8), since 21: active at (8), pending: count, { id (16) } } }
 *
 * An id outside of a string is two numbers. A module's name is in its id: nine characters of six bits, then ten bits
 * for a version. Type 6, of modules before 4.0, does not say how long it is: nothing behind it can be read.
 *
 * Owner thread only.
 */
import { DamagedValueError } from "../rdb/format.ts";
import { type RdbReader, StringHolder } from "../rdb/reader.ts";

const MODULE_VALUE = 7;
const STREAM = 15;
/** Since Redis 7.0 and 7.2. */
const STREAM_WITH_COUNTS = 19;
const STREAM_WITH_ACTIVITY = 21;

/** Kinds of a module's parts. */
const MODULE_END = 0;
const MODULE_SIGNED = 1;
export const MODULE_UNSIGNED = 2;
const MODULE_FLOAT = 3;
const MODULE_DOUBLE = 4;
const MODULE_STRING = 5;

const NAME_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const NAME_LENGTH = 9;

const skipped = new StringHolder();

/**
 * Goes past a value.
 * @param type a type of Redis's
 * @returns what it is; undefined if it cannot be told where it ends, and nothing has been read
 * @throws DamagedValueError
 */
export function skipForeignValue(reader: RdbReader, type: number): string | undefined {
  switch (type) {
    case STREAM:
    case STREAM_WITH_COUNTS:
    case STREAM_WITH_ACTIVITY:
      skipStream(reader, type);
      return "a stream";
    case MODULE_VALUE: {
      const name = moduleNameOf(reader.unsigned());
      skipModuleValue(reader);
      return `a value of the module ${name}`;
    }
    default:
      return undefined;
  }
}

/** Goes past the parts of a module's value, behind its id. */
export function skipModuleValue(reader: RdbReader): void {
  for (let kind = reader.size(); kind !== MODULE_END; kind = reader.size()) {
    if (kind === MODULE_SIGNED || kind === MODULE_UNSIGNED) reader.unsigned();
    else if (kind === MODULE_FLOAT) reader.raw(4);
    else if (kind === MODULE_DOUBLE) reader.raw(8);
    else if (kind === MODULE_STRING) reader.string(skipped);
    else throw new DamagedValueError(`a module's value has a part of the unknown kind ${kind}`);
  }
}

/** The name of a module's type. */
export function moduleNameOf(id: number | bigint): string {
  let name = "";
  let rest = BigInt(id) >> 10n;
  for (let count = 0; count < NAME_LENGTH; count++) {
    name = NAME_CHARACTERS[Number(rest & 63n)]! + name;
    rest >>= 6n;
  }
  return name;
}

function skipStream(reader: RdbReader, type: number): void {
  const hasCounts = type !== STREAM;
  for (let left = reader.size(); left > 0; left--) skipStrings(reader, 2);
  skipNumbers(reader, hasCounts ? 8 : 3);
  for (let groups = reader.size(); groups > 0; groups--) {
    skipStrings(reader, 1);
    skipNumbers(reader, hasCounts ? 3 : 2);
    for (let pending = reader.size(); pending > 0; pending--) {
      reader.raw(16 + 8);
      reader.size();
    }
    for (let consumers = reader.size(); consumers > 0; consumers--) {
      skipStrings(reader, 1);
      reader.raw(type === STREAM_WITH_ACTIVITY ? 16 : 8);
      for (let pending = reader.size(); pending > 0; pending--) reader.raw(16);
    }
  }
}

function skipStrings(reader: RdbReader, count: number): void {
  for (let left = count; left > 0; left--) reader.string(skipped);
}

function skipNumbers(reader: RdbReader, count: number): void {
  for (let left = count; left > 0; left--) reader.unsigned();
}
