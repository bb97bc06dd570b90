import assert from "node:assert/strict";
import { test } from "node:test";
import { Slice } from "../base/bytes.ts";
import { FreezeLostError } from "../memory/freeze-reader.ts";
import { EMBEDDED, EXTERNAL, INT, NO_DEADLINE, RAW, STRING } from "./entry.ts";
import { FrozenKeyspace } from "./frozen-keyspace.ts";
import { Key } from "./key.ts";
import { Keyspace } from "./keyspace.ts";
import { digestOf } from "./live-digest.ts";
import { growString, setInteger, setString } from "./strings.ts";

const MEBIBYTE = 1024 * 1024;

function open(shards = 1): Keyspace {
  return new Keyspace({ shards, regionSize: 16 * MEBIBYTE, databases: 4 });
}

function locate(keyspace: Keyspace, name: string | Buffer, database = 0): Key {
  const key = new Key(keyspace.databases[database]!);
  const bytes = Buffer.from(name);
  key.locate(keyspace.databases[database]!, bytes, 0, bytes.length);
  return key;
}

function set(
  keyspace: Keyspace,
  name: string | Buffer,
  value: string | Buffer,
  deadline = NO_DEADLINE,
  database = 0,
): void {
  const bytes = Buffer.from(value);
  setString(locate(keyspace, name, database), bytes, 0, bytes.length, deadline);
}

interface Seen {
  readonly type: number;
  readonly encoding: number;
  readonly deadline: number | bigint;
  readonly value: string;
}

function read(frozen: FrozenKeyspace, database = 0): Map<string, Seen> {
  const seen = new Map<string, Seen>();
  frozen.databases[database]!.forEach((entry) => {
    const { type, encoding, deadline, valueLength } = entry;
    const value = entry.value().toBuffer();
    const parts = Buffer.alloc(valueLength);
    for (let at = 0; at < valueLength; at += 1000) entry.copyValue(at, Math.min(1000, valueLength - at), parts, at);
    assert(parts.equals(value), "a value read in parts is the value");
    seen.set(entry.key.toLatin1(), { type, encoding, deadline, value: value.toString("latin1") });
  });
  return seen;
}

test("every kind of string, key and deadline is read as it was stored", () => {
  const keyspace = open();
  const large = Buffer.alloc(3 * MEBIBYTE, "large");
  const longKey = "k".repeat(10_000);
  const later = 1_900_000_000_123;
  set(keyspace, "", "");
  set(keyspace, "small", "value");
  set(keyspace, "int", "-12");
  set(keyspace, "int64", "9223372036854775807", later);
  set(keyspace, "bytes\0\r\n", Buffer.from([0, 255, 13, 10]), later);
  set(keyspace, "kilobyte", "x".repeat(1024));
  set(keyspace, "large", large, later);
  set(keyspace, longKey, "y".repeat(900));
  const far = locate(keyspace, "far");
  setInteger(far, 5, 2 ** 62);
  growString(locate(keyspace, "grown"), 3, new Slice());
  const view = keyspace.freeze(true);
  const kind = (encoding: number, value: string, deadline: number | bigint = NO_DEADLINE): Seen => {
    return { type: STRING, encoding, deadline, value };
  };
  const expected = new Map([
    ["", kind(EMBEDDED, "")],
    ["small", kind(EMBEDDED, "value")],
    ["int", kind(INT, "-12")],
    ["int64", kind(INT, "9223372036854775807", later)],
    ["bytes\0\r\n", kind(EMBEDDED, "\0\xff\r\n", later)],
    ["kilobyte", kind(EMBEDDED, "x".repeat(1024))],
    ["large", kind(EXTERNAL, large.toString("latin1"), later)],
    [longKey, kind(EMBEDDED, "y".repeat(900))],
    ["far", kind(INT, "5", 2n ** 62n)],
    ["grown", kind(RAW, "\0\0\0")],
  ]);
  keyspace.flushAll();
  for (let index = 0; index < 2000; index++) set(keyspace, `after ${index}`, "z".repeat(500));
  const frozen = new FrozenKeyspace(view.regions, view.databases);
  assert.deepEqual(read(frozen), expected);
  assert.equal(frozen.databases[0]!.count, expected.size);
  view.release();
  keyspace.verify();
});

test("all databases of all shards, whatever is swapped, moved or flushed meanwhile", () => {
  const keyspace = open(8);
  for (let index = 0; index < 3000; index++) set(keyspace, `key ${index}`, `value ${index}`, NO_DEADLINE, index % 3);
  const digests = keyspace.databases.map(digestOf);
  const view = keyspace.freeze(true);
  keyspace.swap(0, 3);
  keyspace.flush(1);
  for (let index = 0; index < 500; index++) set(keyspace, `key ${index}`, "new", NO_DEADLINE, index % 4);
  keyspace.flushAll();
  const frozen = new FrozenKeyspace(view.regions, view.databases);
  assert.deepEqual(
    frozen.databases.map(({ count }) => count),
    [1000, 1000, 1000, 0],
  );
  assert.deepEqual(
    frozen.databases.map((database) => database.digest()),
    digests,
  );
  assert.equal(read(frozen, 1).get("key 4")?.value, "value 4");
  assert.equal(view.release().aborted, false);
  assert.throws(() => frozen.databases[0]!.digest(), FreezeLostError);
  keyspace.verify();
});

test("a store of four regions is frozen at once, or not at all", () => {
  const keyspace = open(4);
  keyspace.shards[2]!.region.freeze();
  assert.throws(() => keyspace.freeze(), /already active/);
  keyspace.shards[2]!.region.release();
  const view = keyspace.freeze();
  assert.throws(() => keyspace.freeze(), /already active/);
  view.release();
  keyspace.freeze().release();
});

test("a digest depends on what is stored, not on how or in which order", () => {
  const digest = (change: (keyspace: Keyspace) => void): string => {
    const keyspace = open(2);
    for (const index of [1, 2, 3]) set(keyspace, `key ${index}`, `${index * 100}`);
    change(keyspace);
    const { regions, databases, release } = keyspace.freeze();
    const [database] = keyspace.databases;
    assert.equal(new FrozenKeyspace(regions, databases).databases[0]!.digest(), digestOf(database!));
    release();
    return digestOf(database!);
  };
  const same = digest(() => undefined);
  assert.match(same, /^[0-9a-f]{40}$/);
  assert.equal(
    digest((keyspace) => keyspace.flushAll()),
    "0".repeat(40),
  );
  const reordered = (keyspace: Keyspace): void => {
    keyspace.flushAll();
    for (const index of [3, 1, 2]) set(keyspace, `key ${index}`, `${index * 100}`);
  };
  assert.equal(digest(reordered), same);
  assert.equal(
    digest((keyspace) => growString(locate(keyspace, "key 2"), 3, new Slice())),
    same,
    "an integer as bytes",
  );
  const changes: ((keyspace: Keyspace) => void)[] = [
    (keyspace) => set(keyspace, "key 1", "101"),
    (keyspace) => set(keyspace, "key 4", "100"),
    (keyspace) => locate(keyspace, "key 1").remove(),
    (keyspace) => locate(keyspace, "key 1").setDeadline(1_900_000_000_000),
    (keyspace) => locate(keyspace, "key 1").setDeadline(1_900_000_000_001),
  ];
  const different = new Set([same, ...changes.map(digest)]);
  assert.equal(different.size, changes.length + 1);
});
