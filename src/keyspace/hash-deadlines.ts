/**
 * Hash fields that expire, as in Redis 7.4: asking for a field's deadline, setting it, removing what has expired.
 *
 * When fields go: of a listpack all that have expired whenever a command opens the hash (`expireFront`: they stand in
 * front, so this costs what it removes). Of a table, a field when a command looks for it (`findField`) or sets it, and
 * all of them when a command wants them all or one at random (`expireAll`), which a lower bound of the deadlines makes
 * free while none can have expired. What has expired and is not removed yet is seen by HLEN only, as in Redis.
 * With its last field the key goes.
 *
 * Deadlines are milliseconds since 1970; UNDATED (0) stands for none. A field expires when the clock reaches its
 * deadline, as keys do. Owner thread only.
 */
import { Slice } from "../base/bytes.ts";
import { writeInt64 } from "../base/int64.ts";
import type { Ref } from "../memory/heap.ts";
import { LISTPACK, LISTPACK_EX, TABLE } from "../structures/collection.ts";
import { UNDATED } from "../structures/field-table.ts";
import type { Listpack } from "../structures/listpack.ts";
import { afterRemoval, findField } from "./hashes.ts";
import type { Key } from "./key.ts";

/** Bytes that the deadline of one field adds to a listpack, at the most. */
const DEADLINE_SIZE = 12;

const piece = new Slice();
const digits = Buffer.alloc(24);

/** Removes the fields of a LISTPACK_EX hash that have expired. The key may be gone afterwards. */
export function expireFront(key: Key): void {
  const pack = key.shard.hashes.pack.attach(key.root);
  const now = key.keyspace.clock.now();
  let removed = 0;
  for (let at = pack.first(); at !== 0; at = pack.next(at)) {
    at = pack.next(pack.next(at));
    const deadline = deadlineAt(pack, at);
    if (deadline === UNDATED || deadline > now) break;
    removed += 1;
  }
  if (removed === 0) return;
  pack.remove(pack.first(), removed * 3);
  key.moveCollection(LISTPACK_EX, pack.ref);
  afterRemoval(key, removed);
}

/** Removes all fields that have expired. The key may be gone afterwards. */
export function expireAll(key: Key): void {
  if (!key.found || key.encoding === LISTPACK) return;
  if (key.encoding === LISTPACK_EX) {
    expireFront(key);
    return;
  }
  const now = key.keyspace.clock.now();
  const table = key.shard.hashes.table.attach(key.root);
  if (table.datedCount === 0 || table.earliest > now) return;
  const expired: Ref[] = [];
  const hashes: number[] = [];
  let earliest = Number.POSITIVE_INFINITY;
  table.dictionary.forEach((field, hash) => {
    const deadline = table.deadline(field);
    if (deadline === UNDATED) return;
    if (deadline > now) {
      earliest = Math.min(earliest, deadline);
      return;
    }
    expired.push(field);
    hashes.push(hash);
  });
  for (let index = 0; index < expired.length; index++) table.remove(expired[index]!, hashes[index]!);
  if (table.datedCount > 0) table.earliest = earliest;
  if (expired.length > 0) afterRemoval(key, expired.length);
}

/** The deadline of a field, UNDATED if it has none, undefined if there is no such field. */
export function deadlineOf(key: Key, field: Slice): number | undefined {
  const at = findField(key, field);
  return at === 0 ? undefined : deadlineOfFound(key, at);
}

/** The deadline of the field at a position, or UNDATED. */
export function deadlineOfFound(key: Key, at: number): number {
  if (key.encoding === TABLE) return key.shard.hashes.table.attach(key.root).deadline(at);
  if (key.encoding === LISTPACK) return UNDATED;
  const pack = key.shard.hashes.pack.attach(key.root);
  return deadlineAt(pack, pack.next(pack.next(at)));
}

/**
 * Makes sure that these fields can be given deadlines without failing half-way. A listpack becomes one that has
 * deadlines.
 * @throws RegionFullError with nothing changed that a client could see
 */
export function prepareDating(key: Key, fields: readonly Slice[]): void {
  if (key.encoding === LISTPACK) addDeadlines(key);
  requireRoom(key, fields);
}

/** Makes sure that the deadlines of these fields can be removed without failing half-way. @throws RegionFullError */
export function prepareUndating(key: Key, fields: readonly Slice[]): void {
  if (key.encoding !== LISTPACK) requireRoom(key, fields);
}

/**
 * Gives the field at a position a deadline, or none; other positions change. `prepareDating` or `prepareUndating` has
 * made room.
 */
export function setDeadline(key: Key, at: number, deadline: number): void {
  const { encoding, root, shard, keyspace } = key;
  if (encoding === TABLE) {
    const table = shard.hashes.table.attach(root);
    table.readName(at, piece);
    keyspace.member.stage(piece.bytes, piece.start, piece.length);
    table.date(at, keyspace.member.hash, deadline);
  } else {
    const pack = shard.hashes.pack.attach(root);
    moveField(pack, at, deadline);
    key.moveCollection(encoding, pack.ref);
  }
  key.countChanges(1);
}

function requireRoom(key: Key, fields: readonly Slice[]): void {
  const { heap, hashes } = key.shard;
  if (key.encoding !== TABLE) {
    heap.require(4 * (hashes.pack.attach(key.root).byteLength + fields.length * DEADLINE_SIZE), 2);
    return;
  }
  let bytes = 0;
  const sizes = new Set<number>();
  for (const field of fields) {
    const at = findField(key, field);
    if (at === 0) continue;
    const size = heap.sizeOf(at) + DEADLINE_SIZE;
    bytes += 2 * size;
    sizes.add(size);
  }
  heap.require(bytes, sizes.size);
}

function deadlineAt(pack: Listpack, at: number): number {
  return Number(pack.integerAt(at));
}

/** A listpack of fields and values becomes one that has deadlines, all of them none. */
function addDeadlines(key: Key): void {
  const { heap, hashes } = key.shard;
  const { values } = hashes;
  const from = values.attach(key.root);
  const to = hashes.pack;
  to.attach(to.create(from.byteLength + from.count * 2));
  try {
    for (let at = from.first(); at !== 0; at = from.next(at)) {
      append(to, from.read(at, piece));
      at = from.next(at);
      append(to, from.read(at, piece));
      to.appendInteger(UNDATED);
    }
  } catch (error) {
    heap.free(to.ref);
    throw error;
  }
  heap.free(key.root);
  key.moveCollection(LISTPACK_EX, to.ref);
}

/** Puts a field, its value and its new deadline where the deadline belongs. */
function moveField(pack: Listpack, at: number, deadline: number): void {
  const field = pack.read(at, piece).toBuffer();
  const content = pack.read(pack.next(at), piece).toBuffer();
  pack.remove(at, 3);
  let place = deadline === UNDATED ? 0 : placeFor(pack, deadline);
  const length = writeInt64(deadline, digits, 0);
  if (place === 0) {
    pack.append(field, 0, field.length);
    pack.append(content, 0, content.length);
    pack.append(digits, 0, length);
    return;
  }
  place = pack.insertBefore(place, field, 0, field.length);
  place = pack.insertAfter(place, content, 0, content.length);
  pack.insertAfter(place, digits, 0, length);
}

/** Position of the first field that expires later or never; 0 if there is none. */
function placeFor(pack: Listpack, deadline: number): number {
  for (let at = pack.first(); at !== 0; ) {
    const dated = pack.next(pack.next(at));
    const other = deadlineAt(pack, dated);
    if (other === UNDATED || other > deadline) return at;
    at = pack.next(dated);
  }
  return 0;
}

function append(pack: Listpack, element: Slice): void {
  pack.append(element.bytes, element.start, element.length);
}
