/** The digest of a database as it is now: through the structures that commands use. Owner thread only. */
import { createHash } from "node:crypto";
import { Slice } from "../base/bytes.ts";
import type { Int64 } from "../base/int64.ts";
import { UNDATED } from "../structures/field-table.ts";
import type { Database } from "./database.ts";
import { Digest } from "./digest.ts";
import { HASH, LIST, NO_DEADLINE, SET, SORTED_SET, STRING } from "./entry.ts";
import { forEachField } from "./hash-walks.ts";
import { Key } from "./key.ts";
import type { Keyspace } from "./keyspace.ts";
import { setOf } from "./sets.ts";

/**
 * The digest of all that a database holds. O(everything).
 * @param now milliseconds since 1970: keys and fields that have expired by then do not count; by default all do that
 *   have not been removed
 */
export function digestOf(database: Database, now = Number.NEGATIVE_INFINITY): string {
  const digest = new Digest();
  const key = new Key(database);
  const name = new Slice();
  for (const shard of database.keyspace.shards) {
    key.shard = shard;
    const { entries } = shard;
    shard.dictionaries[database.index]!.forEach((entry) => {
      key.entry = entry;
      name.set(entries.bytes, entries.keyStart(entry), entries.keyLength(entry));
      if (!isOver(key.deadline, now)) addKey(digest, name, key, now);
    });
  }
  return digest.toString();
}

/**
 * One digest for the databases of a whole store. What has expired does not count, whether it has been removed or not.
 * O(everything).
 * @returns forty hexadecimal digits; zeros if there are no keys
 */
export function digestOfAll(keyspace: Keyspace): string {
  const now = keyspace.clock.now();
  const hash = createHash("sha1");
  let isEmpty = true;
  for (const database of keyspace.databases) {
    if (database.count === 0) continue;
    const digest = digestOf(database, now);
    if (digest === NOTHING) continue;
    isEmpty = false;
    hash.update(`${database.index} ${digest}\n`);
  }
  return isEmpty ? NOTHING : hash.digest("hex");
}

const NOTHING = new Digest().toString();

function isOver(deadline: Int64, now: number): boolean {
  return deadline !== NO_DEADLINE && deadline <= now;
}

const value = new Slice();

function addKey(digest: Digest, name: Slice, key: Key, now: number): void {
  const { type, deadline } = key;
  if (type === STRING) {
    digest.addString(name, type, key.readString(value), deadline);
    return;
  }
  digest.beginCollection(name, type, deadline);
  if (type === LIST) addItems(digest, key);
  else if (type === SET) addMembers(digest, key);
  else if (type === SORTED_SET) addScored(digest, key);
  else if (type === HASH) {
    // A hash whose fields have all expired is no key any more.
    if (!addFields(digest, key, now)) return;
  } else throw new Error(`digest: type ${type}`);
  digest.endCollection();
}

/** @returns whether there was any that has not expired */
function addFields(digest: Digest, key: Key, now: number): boolean {
  let isAny = false;
  forEachField(key, (field, content, expiry) => {
    if (expiry !== UNDATED && expiry <= now) return;
    isAny = true;
    digest.addField(field, content, expiry);
  });
  return isAny;
}

function addItems(digest: Digest, key: Key): void {
  const list = key.shard.lists.attach(key.encoding, key.root);
  for (let isThere = list.seek(0); isThere; isThere = list.next()) digest.addItem(list.read(value));
}

function addMembers(digest: Digest, key: Key): void {
  const set = setOf(key);
  set.forEach((place) => {
    digest.addMember(set.read(place, value));
  });
}

function addScored(digest: Digest, key: Key): void {
  const set = key.shard.sortedSets.own.attach(key.encoding, key.root);
  set.forEach((place) => {
    const score = set.score(place);
    digest.addScored(set.read(place, value), score);
  });
}
