/**
 * Hash fields that expire, as in Redis 7.4: asking for a field's deadline, setting it, removing what has expired.
 *
 * When fields go: soon after their time, a few at a time (`expireDueFields`, for expiry.ts), and before that when a
 * command would see them. Of a listpack all that have expired whenever a command opens the hash (`expireFront`: they
 * stand in front, so this costs what it removes). Of a table, a field when a command looks for it (`findField`) or sets
 * it, and all of them when a command wants them all or one at random (`expireAll`). What has expired and is not removed
 * yet is seen by HLEN only, as in Redis. With its last field the key goes.
 *
 * The hash's entry is filed in the wheel of its database under a time that is not after any field's deadline: a field
 * that is given a deadline may bring it forward (`setDeadline`); nothing else has to tell.
 *
 * Deadlines are milliseconds since 1970; UNDATED (0) stands for none. A field expires when the clock reaches its
 * deadline, as keys do. Owner thread only.
 */
import { Slice } from "../base/bytes.ts";
import { writeInt64 } from "../base/int64.ts";
import type { Ref } from "../memory/heap.ts";
import { LISTPACK, LISTPACK_EX, TABLE } from "../structures/collection.ts";
import { FieldTable, UNDATED } from "../structures/field-table.ts";
import type { Listpack } from "../structures/listpack.ts";
import { NO_DEADLINE } from "./entry.ts";
import { hashType } from "./hash-type.ts";
import { afterExpiry, findField } from "./hashes.ts";
import type { Key } from "./key.ts";

/** Bytes that the deadline of one field adds to a listpack or to its block, at the most. */
const DEADLINE_SIZE = 16;

/** Fields that are removed together, before the clock is looked at. */
const BATCH = 32;

const nodes: Ref[] = [];
const hashes = new Int32Array(BATCH);
/** What was loaded ahead: loads that serve nothing would be optimized away. */
const lookedAhead = { sink: 0 };
const piece = new Slice();
const digits = Buffer.alloc(24);

/** Removes the fields of a LISTPACK_EX hash that have expired. The key may be gone afterwards. */
export function expireFront(key: Key): void {
  const pack = key.shard.hashes.pack.attach(key.root);
  const now = key.keyspace.expiryClock.now();
  let removed = 0;
  for (let at = pack.first(); at !== 0; at = pack.next(at)) {
    at = pack.next(pack.next(at));
    const deadline = deadlineAt(pack, at);
    if (deadline === UNDATED || deadline > now) break;
    removed += 1;
  }
  if (removed === 0) return;
  tellOfFront(key, pack, removed);
  pack.remove(pack.first(), removed * 3);
  key.moveCollection(LISTPACK_EX, pack.ref);
  afterExpiry(key, removed);
}

/** Tells of the first fields of a listpack, which are about to go. */
function tellOfFront({ keyspace, database, bytes, start, length }: Key, pack: Listpack, count: number): void {
  const { removals } = keyspace;
  if (removals === undefined) return;
  removals.fieldsRemoved(database.index, bytes, start, length, count);
  let at = pack.first();
  for (let told = 0; told < count; told++) {
    pack.read(at, piece);
    removals.fieldRemoved(piece.bytes, piece.start, piece.length);
    at = pack.next(pack.next(pack.next(at)));
  }
}

/** Removes all fields that have expired. The key may be gone afterwards. */
export function expireAll(key: Key): void {
  if (!key.found || key.encoding === LISTPACK) return;
  if (key.encoding === LISTPACK_EX) {
    expireFront(key);
    return;
  }
  expireTable(key, key.keyspace.expiryClock.now(), Number.POSITIVE_INFINITY, true);
}

/**
 * Removes the fields of a hash that are due, and files its entry under when it has to be looked at next. The key may be
 * gone afterwards.
 * @param now milliseconds since 1970
 * @param endMs when to stop, by performance.now()
 * @returns whether more is due
 */
export function expireDueFields(key: Key, now: number, endMs: number): boolean {
  if (key.encoding === TABLE) {
    if (expireTable(key, now, endMs, false)) return true;
  } else if (key.encoding === LISTPACK_EX) {
    expireFront(key);
  }
  if (!key.found) return false;
  const due = hashType.nextDeadline!(key.shard.heap, key.encoding, key.root);
  key.setFieldsDue(due === NO_DEADLINE ? Number.POSITIVE_INFINITY : due, true);
  return false;
}

/** @param isExact whether those of the last 128 ms must go too @returns whether more is due, since the time was up */
function expireTable(key: Key, now: number, endMs: number, isExact: boolean): boolean {
  const table = key.shard.hashes.table.attach(key.root);
  if (table.datedCount === 0 || table.deadlines.earliest > now) return false;
  let removed = 0;
  let isMore = true;
  while (isMore) {
    const count = table.deadlines.findDue(now, nodes, BATCH, isExact);
    if (count > 0) removeNodes(key, table, count);
    if (count === -1) isMore = false;
    else removed += count;
    if (isMore && performance.now() >= endMs) break;
  }
  if (!isMore) table.deadlines.settle();
  if (removed > 0) afterExpiry(key, removed);
  return isMore && key.found;
}

/** Removes the fields whose nodes have been found: first looks at all of them, so that the waits for memory overlap. */
function removeNodes(key: Key, table: FieldTable, count: number): void {
  const { member, removals } = key.keyspace;
  const { heap } = key.shard;
  removals?.fieldsRemoved(key.database.index, key.bytes, key.start, key.length, count);
  for (let index = 0; index < count; index++) {
    table.readName(FieldTable.ofNode(nodes[index]!), piece);
    removals?.fieldRemoved(piece.bytes, piece.start, piece.length);
    member.stage(piece.bytes, piece.start, piece.length);
    hashes[index] = member.hash;
  }
  let seen = 0;
  for (let index = 0; index < count; index++) {
    seen ^= table.dictionary.warm(hashes[index]!) ^ heap.warm(nodes[index]!);
  }
  lookedAhead.sink ^= seen;
  for (let index = 0; index < count; index++) table.remove(FieldTable.ofNode(nodes[index]!), hashes[index]!);
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
  key.prepareFieldDeadlines();
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
  if (deadline !== UNDATED) key.setFieldsDue(deadline, false);
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
