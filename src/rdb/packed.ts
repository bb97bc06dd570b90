/**
 * Elements that stand one behind the other in one string: what small collections are saved as. Listpacks are checked
 * and walked here, what Redis wrote before them in ziplist.ts.
 */
import { createHash, randomInt } from "node:crypto";
import { parseInt64 } from "../base/int64.ts";
import {
  END,
  entrySizeAt,
  HEADER_SIZE,
  isIntegerAt,
  readIntegerAt,
  sizeAt,
  stringStartAt,
  validateListpack,
} from "../structures/listpack-format.ts";
import { DamagedValueError } from "./format.ts";
import type { StringHolder } from "./reader.ts";

/** Told of each element in turn; what the holder shows is valid during the call. */
export type VisitElement = (element: StringHolder) => void;

/**
 * Walks through packed elements and checks what it meets.
 * @param into shows each element
 * @returns how many there are
 * @throws DamagedValueError
 */
export type Walk = (packed: StringHolder, into: StringHolder, visit: VisitElement) => number;

/** Walks through a listpack, which is checked before its first element is shown. */
export function walkListpack(packed: StringHolder, into: StringHolder, visit: VisitElement): number {
  const { bytes, start, length } = packed;
  const count = validateListpack(bytes, start, length);
  if (count < 0) throw new DamagedValueError("a listpack is damaged");
  for (let at = start + HEADER_SIZE; bytes[at] !== END; at += entrySizeAt(bytes, at)) {
    if (isIntegerAt(bytes, at)) {
      into.setInteger(readIntegerAt(bytes, at));
    } else {
      const begin = stringStartAt(bytes, at);
      into.set(bytes, begin, at + sizeAt(bytes, at) - begin);
    }
    visit(into);
  }
  return count;
}

/**
 * Whether a sound listpack has an integer that is stored as text, as Redis never does. Collections rely on it, so such
 * a listpack is built anew instead of copied.
 */
export function hasSpeltInteger({ bytes, start }: StringHolder): boolean {
  for (let at = start + HEADER_SIZE; bytes[at] !== END; at += entrySizeAt(bytes, at)) {
    if (isIntegerAt(bytes, at)) continue;
    const begin = stringStartAt(bytes, at);
    if (parseInt64(bytes, begin, at + sizeAt(bytes, at) - begin) !== undefined) return true;
  }
  return false;
}

/** Elements that must all be different, remembered while one value is read. */
export class Distinct {
  readonly #short = new Set<string>();
  /** Digests, because a text of half a gigabyte is more than JavaScript holds. */
  readonly #long = new Set<string>();

  /** @throws DamagedValueError if the element has been added before */
  add(element: StringHolder): void {
    const isShort = element.length <= SHORT_MAX;
    const seen = isShort ? this.#short : this.#long;
    const text = isShort ? element.toLatin1() : digestOf(element);
    if (seen.has(text)) throw new DamagedValueError("an element is there twice");
    seen.add(text);
  }
}

const SHORT_MAX = 1024;

function digestOf({ bytes, start, length }: StringHolder): string {
  return createHash("sha256")
    .update(bytes.subarray(start, start + length))
    .digest("base64");
}

/** Slots for hashes; elements of a small collection fill an eighth of them at the most. */
const HASH_SLOTS = 4096;
const HASHED_MAX = HASH_SLOTS / 8;

/**
 * Whether elements are all different, by their hashes: nearly always a yes, which costs no memory; a no says only that
 * they have to be compared. Which elements have equal hashes is another matter in each process, so that nobody can make
 * this slow.
 */
class DistinctHashes {
  isSure = true;
  #count = 0;
  #round = 0;
  readonly #seed = randomInt(2 ** 31);
  readonly #hashes = new Int32Array(HASH_SLOTS);
  /** In which round each slot was filled: nothing is cleared. */
  readonly #rounds = new Int32Array(HASH_SLOTS);

  /** Forgets all elements. */
  begin(): void {
    this.isSure = true;
    this.#count = 0;
    this.#round = (this.#round + 1) | 0;
  }

  add({ bytes, start, length }: StringHolder): void {
    if (!this.isSure) return;
    let hash = this.#seed ^ length;
    for (let at = start; at < start + length; at++) hash = Math.imul(hash ^ bytes[at]!, 0x5bd1e995) ^ (hash >>> 15);
    let slot = (hash ^ (hash >>> 16)) & (HASH_SLOTS - 1);
    while (this.#rounds[slot] === this.#round) {
      if (this.#hashes[slot] === hash) {
        this.isSure = false;
        return;
      }
      slot = (slot + 1) & (HASH_SLOTS - 1);
    }
    this.#count += 1;
    if (this.#count > HASHED_MAX) this.isSure = false;
    this.#rounds[slot] = this.#round;
    this.#hashes[slot] = hash;
  }
}

const hashes = new DistinctHashes();

/**
 * Walks through packed elements of which each, or each second one, must be another.
 * @param step 1 for members, 2 for what alternates with values
 * @param visit told of all of them
 * @returns how many there are
 * @throws DamagedValueError
 */
export function walkDistinct(
  packed: StringHolder,
  into: StringHolder,
  walk: Walk,
  step: 1 | 2,
  visit?: VisitElement,
): number {
  let left = 0;
  hashes.begin();
  const count = walk(packed, into, (element) => {
    if (left === 0) hashes.add(element);
    left = left === 0 ? step - 1 : 0;
    visit?.(element);
  });
  if (hashes.isSure) return count;
  const distinct = new Distinct();
  left = 0;
  walk(packed, into, (element) => {
    if (left === 0) distinct.add(element);
    left = left === 0 ? step - 1 : 0;
  });
  return count;
}
