import assert from "node:assert/strict";
import { test } from "node:test";
import { Slice } from "../base/bytes.ts";
import { INT64_MAX, INT64_MIN } from "../base/int64.ts";
import { RequestBatch } from "../protocol/request-batch.ts";
import { commandsIn, linesOf, takeEffects } from "../testing/effects.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import { EffectLog, FULL_BYTES, HEAD_ROOM } from "./effect-log.ts";

const seed = seedOfRun();

function kept(): EffectLog {
  const log = new EffectLog();
  log.areKept = true;
  return log;
}

function unit(log: EffectLog, database: number, ...commands: string[]): void {
  log.beginUnit(database);
  for (const command of commands) log.add(...command.split(" "));
  log.endUnit();
}

test("a unit of one command stands alone, one of several between MULTI and EXEC; SELECT comes when it must", () => {
  const log = kept();
  unit(log, 0, "SET a 1");
  unit(log, 0, "SET b 2");
  unit(log, 3);
  unit(log, 3, "DEL a", "DEL b", "DEL c");
  unit(log, 0, "SET c 3");
  assert.deepEqual(linesOf(takeEffects(log)), [
    "SELECT 0",
    "SET a 1",
    "SET b 2",
    "MULTI",
    "SELECT 3",
    "DEL a",
    "DEL b",
    "DEL c",
    "EXEC",
    "SELECT 0",
    "SET c 3",
  ]);
  unit(log, 0, "SET d 4");
  log.beginFile();
  unit(log, 0, "SET e 5");
  assert.deepEqual(linesOf(takeEffects(log)), ["SET d 4", "SELECT 0", "SET e 5"]);
});

test("what nobody asked for is a unit of its own, or stands in front of the command that found it", () => {
  const log = kept();
  const removed = (database: number, name: string, isLazy: boolean): void =>
    log.keyRemoved(database, Buffer.from(name), 0, name.length, isLazy);
  const fieldsRemoved = (...names: string[]): void => {
    log.fieldsRemoved(1, Buffer.from("(hash)"), 1, 4, names.length);
    for (const name of names) log.fieldRemoved(Buffer.from(name), 0, name.length);
  };
  removed(1, "x", false);
  fieldsRemoved("f", "g");
  assert.deepEqual(linesOf(takeEffects(log)), ["SELECT 1", "DEL x", "HDEL hash f g"]);
  log.beginUnit(0);
  removed(0, "y", true);
  fieldsRemoved("f");
  assert.equal(log.length, 0, "a unit that has not ended does not count");
  log.add("SET", "y", 5);
  log.endUnit();
  assert.deepEqual(linesOf(takeEffects(log)), [
    "MULTI",
    "SELECT 0",
    "UNLINK y",
    "SELECT 1",
    "HDEL hash f",
    "SELECT 0",
    "SET y 5",
    "EXEC",
  ]);
  log.areKept = false;
  removed(1, "z", true);
  fieldsRemoved("f");
  assert.equal(log.length, 0);
});

test("words of any kind and length, one by one and together", (context) => {
  context.diagnostic(`seed ${seed}`);
  const random = new Random(seed);
  const log = kept();
  const expected: Buffer[][] = [[Buffer.from("SELECT"), Buffer.from("9")]];
  const slice = new Slice();
  for (let round = 0; round < 200; round++) {
    const words = Array.from({ length: random.between(1, 30) }, () => {
      const length = random.pick([0, 1, 3, 9, 10, 64, 65, 1000, random.below(40_000)]);
      return random.chance(0.2) ? Buffer.alloc(length, "x") : random.bytes(Math.min(length, 2000));
    });
    expected.push(words);
    log.beginUnit(9);
    log.begin(words.length);
    for (const word of words) {
      const padded = Buffer.concat([Buffer.from("<"), word, Buffer.from(">")]);
      slice.set(padded, 1, word.length);
      log.word(slice);
    }
    log.endUnit();
  }
  const bytes = takeEffects(log);
  assert.deepEqual(commandsIn(bytes), expected);
  log.beginUnit(9);
  log.add("\xff", 0, -1, 10, 2 ** 53 - 1, INT64_MAX, INT64_MIN);
  log.endUnit();
  const line = "\xff 0 -1 10 9007199254740991 9223372036854775807 -9223372036854775808";
  assert.deepEqual(linesOf(takeEffects(log)), [line]);
});

test("a request is kept as it came, with the line ends that a log must have", (context) => {
  context.diagnostic(`seed ${seed}`);
  const random = new Random(seed);
  const batch = new RequestBatch(8);
  const log = kept();
  log.beginFile();
  let asItCame = 0;
  for (let round = 0; round < 300; round++) {
    const requests = Array.from({ length: random.between(1, 8) }, () =>
      Array.from({ length: random.between(1, 9) }, () => random.bytes(random.pick([0, 1, 9, 10, 63, 64, 99]))),
    );
    const bytes = Buffer.concat(requests.map((words) => requestBytes(words, () => random.below(256))));
    assert.equal(batch.fill(bytes, 0, bytes.length), bytes.length);
    assert.equal(batch.count, requests.length);
    for (const request of batch.requests.slice(0, batch.count)) {
      if (request.requestStart !== -1) asItCame += 1;
      log.beginUnit(2);
      log.keep(request);
      log.endUnit();
    }
    const select = round === 0 ? [requestBytes([Buffer.from("SELECT"), Buffer.from("2")], () => LF)] : [];
    const expected = Buffer.concat([...select, ...requests.map((words) => requestBytes(words, () => LF))]);
    assert.deepEqual(log.buffer.subarray(HEAD_ROOM, HEAD_ROOM + log.length), expected);
    log.clear();
  }
  assert(asItCame > 300);
});

const LF = 0x0a;

/** A request whose lines end with CR and another byte each; after an argument stand any two. */
function requestBytes(words: readonly Buffer[], lineEnd: () => number): Buffer {
  const header = (text: string): Buffer => Buffer.from([...Buffer.from(`${text}\r`), lineEnd()]);
  const isProper = lineEnd() === LF && lineEnd() === LF;
  const behind = (): Buffer => Buffer.from(isProper ? "\r\n" : [lineEnd(), lineEnd()]);
  const parts = words.flatMap((word) => [header(`$${word.length}`), word, behind()]);
  return Buffer.concat([header(`*${words.length}`), ...parts]);
}

test("who writes is told of the first unit, and when there is much; a large buffer is let go", () => {
  const log = kept();
  const told: string[] = [];
  log.onFirst = () => told.push("first");
  log.onFull = () => told.push("full");
  unit(log, 0);
  assert.deepEqual(told, []);
  unit(log, 0, "SET a 1");
  unit(log, 0, "SET a 2");
  assert.deepEqual(told, ["first"]);
  unit(log, 0, `SET a ${"x".repeat(8 * FULL_BYTES)}`);
  assert.deepEqual(told, ["first", "full"]);
  const { length } = log.buffer;
  assert.ok(length > 8 * FULL_BYTES + HEAD_ROOM);
  log.clear();
  assert.equal(log.buffer.length, length, "kept for another of its kind");
  unit(log, 0, "SET a 3");
  log.clear();
  assert.ok(log.buffer.length < FULL_BYTES, "let go when little was needed");
  assert.equal(log.length, 0);
});
