import assert from "node:assert/strict";
import { test } from "node:test";
import { Slice } from "../base/bytes.ts";
import { RegionFullError } from "../memory/heap.ts";
import { NO_DEADLINE } from "./entry.ts";
import { Key } from "./key.ts";
import { Keyspace } from "./keyspace.ts";
import { growString, setString, writeAt } from "./strings.ts";
import { copyKey, moveKey, renameKey } from "./transfer.ts";

const DEADLINE = 9_000_000_000_000;

/** Values of every encoding: INT, EMBEDDED, RAW, EXTERNAL. */
const VALUES = ["-12345678901234567", "short", "raw", "long".repeat(1000)];

function start(shards: number): Keyspace {
  return new Keyspace({ shards, regionSize: 1024 * 1024, databases: 2, seed: [1, 2] });
}

function place(keyspace: Keyspace, name: string, database = 0): Key {
  const bytes = Buffer.from(name);
  const key = new Key(keyspace.databases[database]!);
  key.locate(key.database, bytes, 0, bytes.length);
  return key;
}

function put(keyspace: Keyspace, name: string, value: string, deadline: number, database = 0): Key {
  const key = place(keyspace, name, database);
  const bytes = Buffer.from(value);
  if (value === "raw") {
    const slice = growString(key, bytes.length, new Slice());
    writeAt(key, slice, 0, bytes, 0, bytes.length);
    key.setDeadline(deadline);
  } else {
    setString(key, bytes, 0, bytes.length, deadline);
  }
  return key;
}

function textOf(keyspace: Keyspace, name: string, database = 0): string | undefined {
  const key = place(keyspace, name, database);
  return key.found ? key.readString(new Slice()).toLatin1() : undefined;
}

/** Two keys of the same shard, or of different ones. */
function pairOf(keyspace: Keyspace, isWithin: boolean): [string, string] {
  const first = place(keyspace, "first");
  for (let index = 0; ; index++) {
    const second = place(keyspace, `second${index}`);
    if ((second.shard === first.shard) === isWithin) return ["first", `second${index}`];
  }
}

for (const isWithin of [true, false]) {
  const where = isWithin ? "within a shard" : "to another shard";

  test(`a value is renamed and copied ${where} with its encoding and deadline`, () => {
    for (const value of VALUES) {
      for (const deadline of [NO_DEADLINE, DEADLINE]) {
        const keyspace = start(4);
        const [from, to] = pairOf(keyspace, isWithin);
        const { encodingName } = put(keyspace, from, value, deadline);
        put(keyspace, to, VALUES.at(-1)!, NO_DEADLINE);
        copyKey(place(keyspace, from), place(keyspace, to));
        assert.deepEqual([textOf(keyspace, from), textOf(keyspace, to)], [value, value]);
        keyspace.verify();
        renameKey(place(keyspace, from), place(keyspace, to));
        assert.deepEqual([textOf(keyspace, from), textOf(keyspace, to)], [undefined, value]);
        assert.equal(place(keyspace, to).encodingName, encodingName);
        assert.equal(place(keyspace, to).deadline, deadline);
        assert.equal(keyspace.databases[0]!.volatileCount, deadline === NO_DEADLINE ? 0 : 1);
        keyspace.verify();
      }
    }
  });

  test(`a transfer ${where} that finds no room in the table changes nothing`, () => {
    for (const value of VALUES) {
      const keyspace = start(4);
      const [from, to] = pairOf(keyspace, isWithin);
      put(keyspace, from, value, DEADLINE);
      for (const { dictionaries } of keyspace.shards) {
        for (const dictionary of dictionaries) {
          dictionary.insert = () => {
            throw new RegionFullError("no room");
          };
        }
      }
      const used = keyspace.usedBytes;
      assert.throws(() => copyKey(place(keyspace, from), place(keyspace, to)), RegionFullError);
      assert.throws(() => renameKey(place(keyspace, from), place(keyspace, to)), RegionFullError);
      assert.throws(() => moveKey(place(keyspace, from), place(keyspace, from, 1)), RegionFullError);
      assert.deepEqual([textOf(keyspace, from), textOf(keyspace, to)], [value, undefined]);
      assert.equal(keyspace.usedBytes, used);
      keyspace.verify();
    }
  });
}

test("a move leaves the entry where it is", () => {
  for (const value of VALUES) {
    const keyspace = start(1);
    const { entry } = put(keyspace, "a", value, DEADLINE);
    moveKey(place(keyspace, "a"), place(keyspace, "a", 1));
    assert.equal(textOf(keyspace, "a"), undefined);
    assert.equal(textOf(keyspace, "a", 1), value);
    assert.equal(place(keyspace, "a", 1).entry, entry);
    assert.deepEqual(
      keyspace.databases.map(({ volatileCount }) => volatileCount),
      [0, 1],
    );
    keyspace.verify();
  }
});

test("a rename within a shard leaves a long value where it is", () => {
  const keyspace = start(1);
  const key = put(keyspace, "a", "long".repeat(1000), NO_DEADLINE);
  const block = key.shard.entries.extra(key.entry);
  const target = place(keyspace, "b");
  renameKey(key, target);
  assert.equal(target.shard.entries.extra(target.entry), block);
  keyspace.verify();
});

test("no write of a transfer escapes the guard", () => {
  for (const isWithin of [true, false]) {
    const keyspace = start(4);
    const [from, to] = pairOf(keyspace, isWithin);
    for (const value of VALUES) {
      put(keyspace, from, value, DEADLINE);
      const frozen = keyspace.freeze(true);
      copyKey(place(keyspace, from), place(keyspace, to));
      renameKey(place(keyspace, from), place(keyspace, to));
      moveKey(place(keyspace, to), place(keyspace, to, 1));
      keyspace.swap(0, 1);
      frozen.release();
      keyspace.flush(0);
    }
    keyspace.verify();
  }
});
