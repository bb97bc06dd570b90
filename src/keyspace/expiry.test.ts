/** What has expired goes by itself, in slices, whatever the clock does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Slice } from "../base/bytes.ts";
import { TICK_MS } from "../structures/timing-wheel.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import { NO_DEADLINE } from "./entry.ts";
import { FrozenKeyspace } from "./frozen-keyspace.ts";
import { prepareDating, setDeadline } from "./hash-deadlines.ts";
import { findField, hashLength, setField } from "./hashes.ts";
import { Key } from "./key.ts";
import { Keyspace } from "./keyspace.ts";
import { digestOf } from "./live-digest.ts";
import { setString } from "./strings.ts";

const seed = seedOfRun();
const START = Date.UTC(2025, 5, 1);
const HOUR = 3_600_000;
const YEAR = 8766 * HOUR;
/** Keys, or fields, that one run without time removes. */
const BATCH = 32;

class Fixture {
  now = START;
  readonly keyspace: Keyspace;
  readonly events: string[] = [];

  constructor(shards = 1, regionSize = 64 * 1024 * 1024) {
    this.keyspace = new Keyspace({ shards, regionSize, databases: 3, now: () => this.now });
    this.keyspace.onEvent = (_type, event, database, bytes, start, length) => {
      this.events.push(`${event} ${database} ${bytes.latin1Slice(start, start + length)}`);
    };
  }

  key(name: string, database = 0): Key {
    const key = new Key(this.keyspace.databases[database]!);
    this.keyspace.clock.forget();
    key.locate(this.keyspace.databases[database]!, Buffer.from(name), 0, name.length);
    return key;
  }

  /** @param life milliseconds from now */
  set(name: string, life: number, database = 0, value = "value"): void {
    setString(this.key(name, database), Buffer.from(value), 0, value.length, this.now + life);
  }

  /** Sets fields `from` ... `from + count - 1` of a hash, which live so long. */
  setFields(name: string, from: number, count: number, life: number): void {
    const key = this.key(name);
    const [field, value] = [new Slice(), new Slice()];
    for (let index = from; index < from + count; index++) {
      const bytes = Buffer.from(`field ${index}`);
      field.set(bytes, 0, bytes.length);
      value.set(bytes, 0, bytes.length);
      setField(key, field, value, false);
      prepareDating(key, [field]);
      setDeadline(key, findField(key, field), this.now + life);
    }
  }

  /** Lets time pass, in steps of a tenth of a second as the store's rounds are, and each with all the time it wants. */
  pass(milliseconds: number): void {
    for (let left = milliseconds; left > 0; left -= 100) {
      this.now += Math.min(left, 100);
      while (this.keyspace.expireDue(1000));
    }
  }

  get count(): number {
    return this.keyspace.databases.reduce((sum, { count }) => sum + count, 0);
  }
}

test("a key goes by itself within a tick of its time, and not before", () => {
  const fixture = new Fixture();
  const random = new Random(seed);
  for (let index = 0; index < 2000; index++) fixture.set(`key ${index}`, 1 + random.below(20_000), index % 3);
  for (let step = 0; step < 230; step++) {
    fixture.pass(100);
    fixture.keyspace.verify();
    let alive = 0;
    let late = 0;
    for (const { dictionaries, entries } of fixture.keyspace.shards) {
      for (const dictionary of dictionaries) {
        dictionary.forEach((entry) => {
          if (Number(entries.deadline(entry)) > fixture.now) alive += 1;
          else if (Number(entries.deadline(entry)) <= fixture.now - TICK_MS) late += 1;
        });
      }
    }
    assert.equal(late, 0);
    assert(alive > 0 || step >= 190);
  }
  assert.equal(fixture.count, 0);
  assert.equal(fixture.keyspace.expiredKeys, 2000);
});

test("memory is what it was, wheels included, when the last key has gone", () => {
  const fixture = new Fixture(4);
  const { usedBytes } = fixture.keyspace;
  for (let index = 0; index < 500; index++) fixture.set(`key ${index}`, index, index % 3, "v".repeat(index * 3));
  fixture.pass(1000);
  assert.equal(fixture.keyspace.usedBytes, usedBytes);
  assert.equal(fixture.keyspace.nextDeadline, Number.POSITIVE_INFINITY);
});

test("a run without time removes one batch, and the next one goes on", () => {
  const fixture = new Fixture();
  for (let index = 0; index < 1000; index++) fixture.set(`key ${index}`, 500);
  fixture.now += 1000;
  let runs = 0;
  for (let before = fixture.count; ; before = fixture.count) {
    const isMore = fixture.keyspace.expireDue(0);
    assert(before - fixture.count <= BATCH);
    runs += 1;
    if (!isMore) break;
  }
  assert.equal(fixture.count, 0);
  assert(runs >= 1000 / BATCH);
  assert(fixture.keyspace.expireCapReached >= runs - 1);
  assert(fixture.keyspace.expireStalePercent > 0);
  fixture.keyspace.verify();
});

test("a database full of what has expired does not keep the others waiting", () => {
  const fixture = new Fixture(2);
  for (let index = 0; index < 3000; index++) fixture.set(`key ${index}`, 500, 0);
  for (let index = 0; index < 10; index++) fixture.set(`key ${index}`, 500, 2);
  fixture.now += 1000;
  for (let run = 0; run < 20; run++) fixture.keyspace.expireDue(0);
  assert.equal(fixture.keyspace.databases[2]!.count, 0);
  assert(fixture.keyspace.databases[0]!.count > 2000);
});

test("a million keys of the same second go, a millisecond at a time", () => {
  const fixture = new Fixture(1, 256 * 1024 * 1024);
  const key = new Key(fixture.keyspace.databases[0]!);
  const name = Buffer.alloc(16);
  for (let index = 0; index < 1_000_000; index++) {
    const length = name.write(`key ${index}`, "latin1");
    key.locate(fixture.keyspace.databases[0]!, name, 0, length);
    setString(key, name, 0, length, START + 60_000 + (index % 1000));
  }
  fixture.pass(59_000);
  assert.equal(fixture.count, 1_000_000);
  fixture.now = START + 61_000 + TICK_MS;
  let most = 0;
  for (let before = fixture.count; fixture.keyspace.expireDue(1); before = fixture.count) {
    most = Math.max(most, before - fixture.count);
  }
  assert.equal(fixture.count, 0);
  assert(most < 100_000, `${most} keys in a millisecond`);
  fixture.keyspace.verify();
});

test("fields go by themselves, some at a time, and with the last one the key", () => {
  for (const count of [1, 5, 100, 129, 5000]) {
    const fixture = new Fixture();
    fixture.keyspace.eventTypes = -1;
    fixture.keyspace.limits.hashEntries = 10;
    fixture.setFields("hash", 0, count, 10_000);
    fixture.setFields("hash", count, 1, 20_000);
    fixture.events.length = 0;
    fixture.pass(9_000);
    assert.equal(hashLength(fixture.key("hash")), count + 1);
    fixture.now = START + 10_000 + 2 * TICK_MS;
    for (let before = count + 1; ; before = hashLength(fixture.key("hash"))) {
      const isMore = fixture.keyspace.expireDue(0);
      assert(before - hashLength(fixture.key("hash")) <= BATCH || count < BATCH);
      fixture.keyspace.verify();
      if (!isMore) break;
    }
    assert.equal(hashLength(fixture.key("hash")), 1);
    assert.equal(fixture.keyspace.expiredFields, count);
    assert(fixture.events.length > 0 && fixture.events.every((event) => event === "hexpired 0 hash"));
    fixture.pass(11_000);
    assert.equal(fixture.count, 0);
    assert.deepEqual(fixture.events.slice(-2), ["hexpired 0 hash", "del 0 hash"]);
    assert.equal(fixture.keyspace.expiredKeys, 0);
    fixture.keyspace.verify();
  }
});

test("a hash that has a deadline itself goes at the earlier of its times", () => {
  for (const [ofKey, ofFields, left] of [
    [5000, 10_000, 0],
    [10_000, 5000, 1],
  ] as const) {
    const fixture = new Fixture();
    fixture.setFields("hash", 0, 3, ofFields);
    fixture.setFields("hash", 3, 1, 60_000);
    fixture.key("hash").setDeadline(START + ofKey);
    assert.equal(fixture.key("hash").deadline, START + ofKey);
    fixture.pass(7000);
    fixture.keyspace.verify();
    assert.equal(fixture.count, left);
    assert.equal(fixture.keyspace.expiredFields, left * 3);
    fixture.pass(7000);
    assert.equal(fixture.count, 0);
    assert.equal(fixture.keyspace.expiredKeys, 1);
  }
});

test("a hash whose deadline is taken away is left to its fields", () => {
  const fixture = new Fixture();
  fixture.setFields("hash", 0, 2, 10_000);
  fixture.key("hash").setDeadline(START + 5000);
  assert.equal(fixture.keyspace.databases[0]!.volatileCount, 1);
  fixture.key("hash").setDeadline(NO_DEADLINE);
  assert.equal(fixture.keyspace.databases[0]!.volatileCount, 0);
  fixture.pass(7000);
  assert.equal(hashLength(fixture.key("hash")), 2);
  fixture.pass(4000);
  assert.equal(fixture.count, 0);
});

test("the event of an expired key has its name, when it is looked up and when it is not", () => {
  const fixture = new Fixture();
  fixture.set("untouched", 1000, 1, "v".repeat(5000));
  fixture.set("touched", 1000, 2);
  fixture.keyspace.eventTypes = -1;
  fixture.now += 1000;
  assert.equal(fixture.key("touched", 2).found, false);
  assert.deepEqual(fixture.events, ["expired 2 touched"]);
  fixture.pass(1000);
  assert.deepEqual(fixture.events, ["expired 2 touched", "expired 1 untouched"]);
});

test("the clock may leap and be set back: what has passed is gone, what has not is not", () => {
  const fixture = new Fixture(2);
  fixture.set("soon", 1000);
  fixture.set("in a year", YEAR);
  fixture.set("in ten years", 10 * YEAR);
  fixture.set("for ever", 2 ** 62);
  fixture.pass(100);
  fixture.now -= 3 * YEAR;
  fixture.pass(10_000);
  assert.equal(fixture.count, 4);
  fixture.set("set in the past", 2000);
  fixture.set("set in the past, too", HOUR);
  fixture.keyspace.verify();
  fixture.pass(1900);
  assert.equal(fixture.count, 6);
  fixture.pass(400);
  assert.equal(fixture.key("set in the past").found, false);
  assert.equal(fixture.keyspace.expiredKeys, 1);
  assert.equal(fixture.count, 5);
  fixture.now = START + 2000;
  fixture.pass(100);
  assert.equal(fixture.keyspace.expiredKeys, 3);
  assert.equal(fixture.count, 3);
  fixture.now = START + 2 * YEAR;
  fixture.pass(100);
  assert.equal(fixture.count, 2);
  fixture.now = START + 11 * YEAR;
  fixture.pass(100);
  assert.equal(fixture.count, 1);
  fixture.now = 2 ** 43 + YEAR;
  fixture.pass(1000);
  assert.equal(fixture.key("for ever").found, true);
  fixture.keyspace.verify();
});

test("what is set with a deadline that has passed goes with the next run", () => {
  const fixture = new Fixture();
  fixture.set("later", HOUR);
  for (let index = 0; index < 100; index++) fixture.set(`key ${index}`, -50 * YEAR * (index % 2) + index - 100);
  fixture.keyspace.verify();
  fixture.keyspace.expireDue(1000);
  assert.equal(fixture.count, 1);
  fixture.pass(1000);
  assert.equal(fixture.count, 1);
});

test("DEBUG SET-ACTIVE-EXPIRE 0: what nobody looks up stays", () => {
  const fixture = new Fixture();
  fixture.set("key", 1000);
  fixture.keyspace.expiresActively = false;
  fixture.pass(5000);
  assert.equal(fixture.count, 1);
  fixture.keyspace.expiresActively = true;
  assert(fixture.keyspace.nextDeadline <= START + 1000);
  fixture.pass(1);
  assert.equal(fixture.count, 0);
});

test("SWAPDB takes deadlines along, FLUSHDB forgets them", () => {
  const fixture = new Fixture();
  fixture.set("a", 5000, 0);
  fixture.set("b", 7000, 1);
  fixture.keyspace.swap(0, 1);
  fixture.keyspace.verify();
  fixture.pass(6000);
  assert.deepEqual(
    fixture.keyspace.databases.map(({ count }) => count),
    [1, 0, 0],
  );
  fixture.set("c", 7000, 2);
  fixture.keyspace.flush(0);
  fixture.keyspace.verify();
  assert.equal(fixture.keyspace.databases[0]!.volatileCount, 0);
  fixture.pass(10_000);
  assert.equal(fixture.count, 0);
});

test("no write of expiry escapes the guard, and a frozen view keeps what expires", () => {
  const fixture = new Fixture(2, 8 * 1024 * 1024);
  const random = new Random(seed);
  const { keyspace } = fixture;
  keyspace.limits.hashEntries = 20;
  let expired = 0;
  for (let round = 0; round < 12; round++) {
    for (let index = 0; index < 300; index++) fixture.set(`key ${random.below(1000)}`, random.below(40_000), index % 3);
    for (let index = 0; index < 6; index++) {
      fixture.setFields(`hash ${index}`, random.below(500), random.below(200), random.below(40_000) + 1);
    }
    const digests = keyspace.databases.map(digestOf);
    const before = keyspace.expiredKeys + keyspace.expiredFields;
    const view = keyspace.freeze(true);
    if (round % 4 === 3) fixture.now -= HOUR;
    else fixture.pass(random.below(20_000));
    if (round % 4 === 3) for (let index = 0; index < 50; index++) fixture.set(`key ${index}`, 1000 + index, 1);
    while (keyspace.expireDue(1));
    const frozen = new FrozenKeyspace(view.regions, view.databases);
    assert.deepEqual(
      frozen.databases.map((database) => database.digest()),
      digests,
    );
    assert.equal(view.release().aborted, false);
    keyspace.verify();
    expired += keyspace.expiredKeys + keyspace.expiredFields - before;
  }
  assert(expired > 1000, `only ${expired} expired`);
});
