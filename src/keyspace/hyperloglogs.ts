/**
 * What commands do to HyperLogLogs, which are string values (structures/hyperloglog.ts has their format). A dense one
 * is changed where it is; a sparse one is changed in a scratch buffer and written back whole, some thousand bytes.
 *
 * Every function changes the key completely or, where the region has no room (RegionFullError), not at all. A value
 * that turns out to be damaged keeps what was done to it until then, as in Redis.
 * Owner thread only.
 */
import type { Arguments } from "../base/arguments.ts";
import { Slice } from "../base/bytes.ts";
import { highWord, type Int64, lowWord } from "../base/int64.ts";
import {
  CARDINALITY,
  cachedCardinality,
  DENSE,
  denseByte,
  denseRank,
  denseShift,
  ENCODING,
  isHyperLogLog,
  mergeInto,
  placeOf,
  REGISTERS,
  rankOf,
  registerOf,
  STALE,
  STALE_AT,
} from "../structures/hyperloglog.ts";
import { estimateOf, estimateOfRegisters } from "../structures/hyperloglog-estimate.ts";
import { CHANGED, DAMAGED, Sketch } from "../structures/hyperloglog-sketch.ts";
import { NO_DEADLINE, STRING } from "./entry.ts";
import type { Key } from "./key.ts";
import { growString, setByte, setBytes, shrinkString, writeAt } from "./strings.ts";

export { DAMAGED };

const value = new Slice();
const sketch = new Sketch();
const cardinality = Buffer.alloc(8);

/** Whether the key, which exists, holds a HyperLogLog, as far as its type and the value's header tell. */
export function holdsHyperLogLog(key: Key): boolean {
  if (key.type !== STRING) return false;
  key.readString(value);
  return isHyperLogLog(value.bytes, value.start, value.length);
}

export function isDense(key: Key): boolean {
  key.readString(value);
  return value.bytes[value.start + ENCODING] === DENSE;
}

/**
 * Counts the arguments from `first` on as seen. A key that does not exist becomes a HyperLogLog, whatever there is to
 * count.
 * @returns how many changed something, or DAMAGED
 */
export function addElements(key: Key, args: Arguments, first: number): number {
  if (key.found && isDense(key)) return addToDense(key, args, first);
  const sizeMax = key.keyspace.limits.sparseHyperLogLogBytes;
  let changes = 0;
  let outcome = CHANGED;
  if (key.found) {
    sketch.load(key.readString(value));
  } else {
    sketch.clear();
    sketch.invalidate();
    changes = 1;
  }
  for (let index = first; index < args.count && outcome !== DAMAGED; index++) {
    const place = placeOf(args.bytes, args.start(index), args.length(index));
    outcome = sketch.raise(registerOf(place), rankOf(place), sizeMax);
    if (outcome === CHANGED) changes += 1;
  }
  if (changes === 0) makeRaw(key);
  else store(key, changes);
  return outcome === DAMAGED ? DAMAGED : changes;
}

/** As `addElements`, for a value that has all its registers already: nothing is allocated. */
function addToDense(key: Key, args: Arguments, first: number): number {
  let changes = 0;
  key.readString(value);
  for (let index = first; index < args.count; index++) {
    const place = placeOf(args.bytes, args.start(index), args.length(index));
    const register = registerOf(place);
    const rank = rankOf(place);
    if (denseRank(value.bytes, value.start, register) >= rank) continue;
    if (changes === 0) growString(key, value.length, value);
    changes += 1;
    setRegister(key, register, rank);
  }
  if (changes > 0) {
    setByte(key, value, STALE_AT, value.bytes[value.start + STALE_AT]! | STALE);
    key.countChanges(changes - 1);
  }
  return changes;
}

/** Sets a register of the dense value that `value` shows, which `growString` has made writable. */
function setRegister(key: Key, register: number, rank: number): void {
  const at = denseByte(register);
  const shift = denseShift(register);
  const { bytes, start } = value;
  setByte(key, value, at, (bytes[start + at]! & ~(63 << shift)) | (rank << shift));
  if (shift <= 2) return;
  const kept = bytes[start + at + 1]! & ~(63 >>> (8 - shift));
  setByte(key, value, at + 1, kept | (rank >>> (8 - shift)));
}

/**
 * The estimate for the key's value, which it is cached in.
 * @returns undefined if the value is damaged
 */
export function cardinalityOf(key: Key): Int64 | undefined {
  key.readString(value);
  const cached = cachedCardinality(value.bytes, value.start);
  const estimated = cached ?? estimateOf(value.bytes, value.start, value.length);
  makeRaw(key);
  if (cached !== undefined || estimated === undefined) return cached;
  cardinality.writeInt32LE(lowWord(estimated), 0);
  cardinality.writeInt32LE(highWord(estimated), 4);
  writeAt(key, growString(key, value.length, value), CARDINALITY, cardinality, 0, cardinality.length);
  return estimated;
}

/** Makes the key's value dense. @returns false if it is damaged, and has not changed */
export function makeDense(key: Key): boolean {
  sketch.load(key.readString(value));
  if (!sketch.makeDense()) return false;
  store(key, 1);
  return true;
}

/**
 * Lets OBJECT ENCODING say "raw", which is how Redis keeps a value once it has looked at it as a HyperLogLog; there as
 * here, that is no change that counts.
 */
export function makeRaw(key: Key): void {
  if (key.encodingName !== "embstr") return;
  growString(key, key.stringLength, value);
  key.countChanges(-1);
}

/** Makes the sketch the key's value; its deadline stays. @param changes how many this counts as */
function store(key: Key, changes: number): void {
  const { bytes, length } = sketch;
  if (sketch.isDense) {
    // A dense value never grows: a block of just its size.
    setBytes(key, bytes, 0, length, key.found ? key.deadline : NO_DEADLINE);
  } else {
    growString(key, length, value);
    writeAt(key, value, 0, bytes, 0, length);
    if (value.length > length) shrinkString(key, value, length);
  }
  key.countChanges(changes - 1);
}

/** The union of HyperLogLogs: the highest of what each has in a register. One byte a register, for speed. */
export class Union {
  readonly #registers = new Uint8Array(REGISTERS);
  #hasDense = false;

  clear(): void {
    this.#registers.fill(0);
    this.#hasDense = false;
  }

  /** Adds the key's value. @returns false if that is damaged; the union is of no use then */
  add(key: Key): boolean {
    key.readString(value);
    if (value.bytes[value.start + ENCODING] === DENSE) this.#hasDense = true;
    return mergeInto(this.#registers, value.bytes, value.start, value.length);
  }

  estimate(): Int64 {
    return estimateOfRegisters(this.#registers);
  }

  /** Adds the union to what the key holds, if anything; dense if any of the union's was. @returns false if damaged */
  storeIn(key: Key): boolean {
    const sizeMax = key.keyspace.limits.sparseHyperLogLogBytes;
    if (key.found) sketch.load(key.readString(value));
    else sketch.clear();
    if (this.#hasDense && !sketch.makeDense()) return false;
    for (let register = 0; register < REGISTERS; register++) {
      const rank = this.#registers[register]!;
      if (rank > 0) sketch.raise(register, rank, sizeMax);
    }
    sketch.invalidate();
    store(key, 1);
    return true;
  }
}
