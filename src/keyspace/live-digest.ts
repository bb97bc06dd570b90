/** The digest of a database as it is now: through the structures that commands use. Owner thread only. */
import { Slice } from "../base/bytes.ts";
import type { Database } from "./database.ts";
import { Digest } from "./digest.ts";
import { HASH, LIST, SET, SORTED_SET, STRING } from "./entry.ts";
import { forEachField } from "./hash-walks.ts";
import { Key } from "./key.ts";

import { setOf } from "./sets.ts";

/** The digest of all that a database holds. O(everything). What has expired and nobody has touched counts. */
export function digestOf(database: Database): string {
  const digest = new Digest();
  const key = new Key(database);
  const name = new Slice();
  for (const shard of database.keyspace.shards) {
    key.shard = shard;
    const { entries } = shard;
    shard.dictionaries[database.index]!.forEach((entry) => {
      key.entry = entry;
      name.set(entries.bytes, entries.keyStart(entry), entries.keyLength(entry));
      addKey(digest, name, key);
    });
  }
  return digest.toString();
}

const value = new Slice();

function addKey(digest: Digest, name: Slice, key: Key): void {
  const { type, deadline } = key;
  if (type === STRING) {
    digest.addString(name, type, key.readString(value), deadline);
    return;
  }
  digest.beginCollection(name, type, deadline);
  if (type === LIST) addItems(digest, key);
  else if (type === SET) addMembers(digest, key);
  else if (type === SORTED_SET) addScored(digest, key);
  else if (type === HASH) forEachField(key, (field, content, expiry) => digest.addField(field, content, expiry));
  else throw new Error(`digest: type ${type}`);
  digest.endCollection();
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
