/** What is written of a frozen entry is what DUMP writes of the live one, whatever the type and encoding. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { allCommands } from "../commands/all-commands.ts";
import { HASH, STRING } from "../keyspace/entry.ts";
import { FrozenKeyspace } from "../keyspace/frozen-keyspace.ts";
import { Keyspace } from "../keyspace/keyspace.ts";
import { ENCODING_NAMES } from "../structures/collection.ts";
import { CommandRunner } from "../testing/commands.ts";
import { FreezeWriter } from "../testing/freeze-writer.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import { FrozenValueWriter, savedType } from "./frozen-value.ts";
import { writeValue } from "./value.ts";
import { RdbWriter } from "./writer.ts";

const seed = seedOfRun();

/** What DUMP has of each key, without the footer. */
function liveValues(keyspace: Keyspace, database: number): Map<string, Buffer> {
  const values = new Map<string, Buffer>();
  for (const shard of keyspace.shards) {
    shard.dictionaries[database]!.forEach((entry) => {
      const writer = new RdbWriter(true);
      writeValue(writer, shard.entries, entry);
      const start = shard.entries.keyStart(entry);
      const name = shard.entries.bytes.latin1Slice(start, start + shard.entries.keyLength(entry));
      values.set(name, Buffer.from(writer.buffer.subarray(0, writer.length)));
    });
  }
  return values;
}

/** Compares all keys of all databases. @returns what was met: type and encoding */
function compare(keyspace: Keyspace, compressedMax?: number): Map<string, number> {
  const met = new Map<string, number>();
  const frozen = keyspace.freeze(true);
  const writer = new RdbWriter(compressedMax === undefined);
  const values = new FrozenValueWriter(writer, compressedMax);
  for (const database of new FrozenKeyspace(frozen.regions, frozen.databases).databases) {
    const live = liveValues(keyspace, database.index);
    let keys = 0;
    database.forEach((entry) => {
      const name = entry.key.toLatin1();
      const saved = savedType(entry);
      writer.length = 0;
      writer.byte(saved);
      values.write(entry, saved);
      const bytes = writer.buffer.subarray(0, writer.length);
      const encoding = entry.type === STRING ? `string ${entry.encoding}` : ENCODING_NAMES[entry.encoding];
      const kind = `${entry.type} ${encoding}${entry.type === HASH && saved >= 24 ? " dated" : ""}`;
      if (compressedMax === undefined) assert(bytes.equals(live.get(name)!), `${kind} ${name}`);
      met.set(kind, (met.get(kind) ?? 0) + 1);
      keys += 1;
    });
    assert.equal(keys, live.size);
    assert.equal(database.count, live.size);
    assert.equal(database.volatileCount, keyspace.databases[database.index]!.volatileCount);
  }
  frozen.release();
  return met;
}

test("random values of all types and encodings", (context) => {
  context.diagnostic(`seed ${seed}`);
  const random = new Random(seed);
  const met = new Set<string>();
  for (let round = 0; round < 4; round++) {
    const keyspace = new Keyspace({ shards: 2, regionSize: 32 << 20, databases: 3 });
    const writer = new FreezeWriter(keyspace, random, 600);
    writer.collectionEvery = 2;
    for (let phase = 0; phase < 3; phase++) {
      for (let count = 0; count < 2500; count++) writer.write();
      for (const kind of compare(keyspace).keys()) met.add(kind);
    }
  }
  const expected = ["0 string 0", "0 string 1", "0 string 2", "0 string 3", "1 quicklist", "1 listpack"];
  expected.push("2 hashtable", "2 intset", "2 listpack", "3 listpack", "3 skiplist");
  expected.push("4 hashtable", "4 hashtable dated", "4 listpack", "4 listpackex dated");
  assert.deepEqual([...met].sort(), expected.sort());
});

test("a string that is too long to be held whole is written in parts, as it is", () => {
  const runner = new CommandRunner(allCommands);
  const value = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => index * 7));
  runner.run("SET", "long", value);
  const frozen = runner.keyspace.freeze();
  const writer = new RdbWriter(true);
  const values = new FrozenValueWriter(writer, 2_999_999);
  new FrozenKeyspace(frozen.regions, frozen.databases).databases[0]!.forEach((entry) => {
    values.write(entry, savedType(entry));
  });
  frozen.release();
  const header = Buffer.from([0x80, 0, 0x2d, 0xc6, 0xc0]);
  assert(writer.buffer.subarray(0, writer.length).equals(Buffer.concat([header, value])));
});
