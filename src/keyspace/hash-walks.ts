/**
 * Walks over the fields of a hash: all of them, a few at a time, or some chosen at random. Positions are those of
 * hashes.ts. Owner thread only.
 */
import { Slice } from "../base/bytes.ts";
import type { Ref } from "../memory/heap.ts";
import { LISTPACK_EX, TABLE } from "../structures/collection.ts";
import { SCAN_END } from "../structures/dictionary.ts";
import { UNDATED } from "../structures/field-table.ts";
import { strideOf } from "./hash-type.ts";
import { findField, hashLength } from "./hashes.ts";
import type { Key } from "./key.ts";

/** From this part of a table on, choosing what to leave out is quicker than choosing anew what was chosen already. */
const LARGE_PART = 1 / 3;

const name = new Slice();
const value = new Slice();
const gone = new Slice();

/** Told about one field; what it shows is valid during the call, in which the hash must not change. */
export type VisitField = (name: Slice, value: Slice, deadline: number) => void;

/** Visits all fields: those that have expired and are not removed yet, too (`expireAll` removes them). */
export function forEachField(key: Key, visit: VisitField): void {
  const { encoding, root, shard } = key;
  if (encoding === TABLE) {
    const table = shard.hashes.table.attach(root);
    table.dictionary.forEach((field) => {
      visit(table.readName(field, name), table.readValue(field, value), table.deadline(field));
    });
    return;
  }
  const pack = shard.hashes.pack.attach(root);
  const values = shard.hashes.values.attach(root);
  for (let at = pack.first(); at !== 0; at = pack.next(at)) {
    pack.read(at, name);
    at = pack.next(at);
    values.read(at, value);
    if (encoding === LISTPACK_EX) at = pack.next(at);
    visit(name, value, encoding === LISTPACK_EX ? Number(pack.integerAt(at)) : UNDATED);
  }
}

/**
 * Walks on from `cursor`: through a listpack at once, through some `count` fields of a table. Every field that is there
 * from the first call to the last is found at least once; those that have expired are removed, and with the last one
 * the key.
 * @param slotsMax slots of a table that are looked at, at the most
 * @param found gets the positions
 * @returns the cursor to go on from, 0 at the end
 */
export function scanFields(key: Key, cursor: number, count: number, slotsMax: number, found: number[]): number {
  if (key.encoding !== TABLE) {
    for (const at of allPositions(key)) found.push(at);
    return 0;
  }
  const table = key.shard.hashes.table.attach(key.root);
  const now = key.keyspace.expiryClock.now();
  const expired: Buffer[] = [];
  let seen = 0;
  const look = (field: Ref): void => {
    seen += 1;
    const deadline = table.deadline(field);
    if (deadline !== UNDATED && deadline <= now) expired.push(table.readName(field, name).toBuffer());
    else found.push(field);
  };
  let next = cursor;
  for (let slots = slotsMax; slots > 0 && seen < count && next < SCAN_END; slots--) {
    next = table.dictionary.scan(next, look);
  }
  for (const bytes of expired) {
    gone.set(bytes, 0, bytes.length);
    findField(key, gone);
  }
  return next < SCAN_END ? next : 0;
}

/**
 * Chooses `count` different fields, all that there are at the most, every choice with the same probability; the order
 * is not random. Call `expireAll` first.
 * @param random uniform in [0, 1)
 * @returns their positions
 */
export function chooseFields(key: Key, count: number, random: () => number): readonly number[] {
  const size = hashLength(key);
  if (key.encoding !== TABLE || count >= size * LARGE_PART) return thinOut(allPositions(key), count, random);
  const table = key.shard.hashes.table.attach(key.root);
  const chosen = new Set<Ref>();
  while (chosen.size < count) chosen.add(table.dictionary.sample(random));
  return [...chosen];
}

/**
 * Chooses a field `count` times over, each time every one with the same probability. Call `expireAll` first.
 * @param random uniform in [0, 1)
 * @param choose gets the positions
 */
export function drawFields(key: Key, count: number, random: () => number, choose: (at: number) => void): void {
  if (key.encoding === TABLE) {
    const { dictionary } = key.shard.hashes.table.attach(key.root);
    for (let drawn = 0; drawn < count; drawn++) choose(dictionary.sample(random));
    return;
  }
  if (count === 1) {
    const pack = key.shard.hashes.pack.attach(key.root);
    choose(pack.seek(Math.floor(random() * hashLength(key)) * strideOf(key.encoding)));
    return;
  }
  const positions = allPositions(key);
  for (let drawn = 0; drawn < count; drawn++) choose(positions[Math.floor(random() * positions.length)]!);
}

/** The positions of all fields. */
function allPositions(key: Key): number[] {
  const positions: number[] = [];
  const { encoding, root, shard } = key;
  if (encoding === TABLE) {
    shard.hashes.table.attach(root).dictionary.forEach((field) => {
      positions.push(field);
    });
    return positions;
  }
  const pack = shard.hashes.pack.attach(root);
  for (let at = pack.first(); at !== 0; at = pack.next(at)) {
    positions.push(at);
    at = pack.next(at);
    if (encoding === LISTPACK_EX) at = pack.next(at);
  }
  return positions;
}

/** Leaves `count` of the positions, in their order: each is kept with the probability that just enough remain. */
function thinOut(positions: readonly number[], count: number, random: () => number): readonly number[] {
  if (count >= positions.length) return positions;
  const kept: number[] = [];
  for (let index = 0; kept.length < count; index++) {
    if (random() * (positions.length - index) < count - kept.length) kept.push(positions[index]!);
  }
  return kept;
}
