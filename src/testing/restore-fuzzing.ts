/**
 * Payloads that RESTORE must survive: sound ones of every form, with something in them broken and their sums right
 * again, so that the damage reaches what reads values. Whatever becomes a key must be a sound one: it can be read by
 * its type's commands, verifies, and comes back equal through DUMP and RESTORE.
 */
import assert from "node:assert/strict";
import { allCommands } from "../commands/all-commands.ts";
import type { FrozenStore } from "../keyspace/keyspace.ts";
import { CommandRunner } from "./commands.ts";
import type { Random } from "./random.ts";
import {
  double,
  intset,
  listpack,
  littleEndian,
  payload,
  size,
  text,
  textScore,
  withFooter,
  ziplist,
  zipmap,
} from "./saved-forms.ts";

const REFUSALS = /^-(ERR Bad data format|OOM )/;
const REGION_SIZE = 1024 * 1024;
const FOOTER_SIZE = 10;
const VERSIONS = [6, 10, 11, 12];

/** Bytes that mean something in one form or another. */
const TELLING = [
  0, 1, 2, 5, 7, 9, 10, 11, 12, 13, 14, 16, 17, 18, 20, 22, 24, 25, 63, 64, 127, 128, 129, 130, 191, 192, 193, 194,
].concat([195, 196, 208, 223, 224, 239, 240, 241, 242, 243, 244, 245, 253, 254, 255]);

const WORDS = ["a", "b", "field", "", "12", "0", "-1", "127", "128", "4095", "-4097", "70000", "8388608"].concat(
  ["2147483648", "9223372036854775807", "-9223372036854775808", "01", "1.5", "inf", "-inf", "nan", "x".repeat(63)],
  ["x".repeat(64), "y".repeat(70), "ab".repeat(40), "\0\xff"],
);

function words(random: Random, least = 1): string[] {
  return Array.from({ length: random.between(least, 8) }, () => random.pick(WORDS));
}

function pairs(random: Random, values: (random: Random) => string): string[] {
  const names = [...new Set(words(random))];
  return names.flatMap((name) => [name, values(random)]);
}

function scored(random: Random): string[] {
  const names = [...new Set(words(random))].sort((left, right) =>
    Buffer.compare(Buffer.from(left), Buffer.from(right)),
  );
  return names.flatMap((name, index) => [name, `${index >> 1}`]);
}

const someNumber = (random: Random): string => `${random.between(-300, 70_000)}`;
const someWord = (random: Random): string => random.pick(WORDS);
const strings = (values: readonly string[]): Buffer[] => values.map((value) => text(value));

/** A compressed string: literals, then repetitions, in all their forms. */
function compressed(): Buffer {
  const bytes = Buffer.from("0461626364652004e0100400405a", "hex");
  return Buffer.concat([Buffer.from([0xc3]), size(bytes.length), size(36), bytes]);
}

type Form = (random: Random) => Buffer;

/** A sound payload of every type, but for elements that may be there twice. */
const FORMS: readonly Form[] = [
  (random) => payload(0, [text(random.pick(WORDS))]),
  (random) => payload(0, [Buffer.from([random.pick([0xc0, 0xc1, 0xc2])]), random.bytes(4)]),
  () => payload(0, [compressed()]),
  (random) => payload(1, listOf(words(random))),
  (random) => payload(2, listOf([...new Set(words(random))])),
  (random) => payload(3, [size(2), text("a"), textScore(random.between(-9, 9)), text("b"), textScore(1.5)]),
  (random) => payload(4, pairsOf(pairs(random, someWord))),
  (random) => payload(5, [size(2), text("a"), double(random.between(-9, 9)), text(random.pick(WORDS)), double(0.1)]),
  (random) => payload(9, [text(zipmap(random.below(4), ...pairs(random, someWord)))]),
  (random) => payload(10, [text(ziplist(...words(random)))]),
  (random) => payload(11, [text(intset(random.pick([2, 4, 8]), -5, 1, 300, 301))]),
  (random) => payload(12, [text(ziplist(...scored(random)))]),
  (random) => payload(13, [text(ziplist(...pairs(random, someWord)))]),
  (random) => payload(14, [size(2), text(ziplist(...words(random))), text(ziplist(...words(random, 0)))]),
  (random) => payload(16, [text(listpack(pairs(random, someWord), random.chance(0.1)))]),
  (random) => payload(17, [text(listpack(scored(random), random.chance(0.1)))]),
  (random) => payload(18, [size(2), size(1), text("plain"), size(2), text(listpack(words(random)))]),
  (random) => payload(18, [size(1), size(2), text(listpack(words(random, 0), random.chance(0.1)))]),
  (random) => payload(20, [text(listpack([...new Set(words(random))], random.chance(0.1)))]),
  (random) => payload(22, [size(1), size(random.below(99)), text("f"), text(random.pick(WORDS))], 12),
  (random) => payload(23, [text(listpack(["f", random.pick(WORDS), "77"]))], 12),
  (random) => payload(24, [littleEndian(9e12, 8), size(2), ...dated(random, 0, "f"), ...dated(random, 5, "g")], 12),
  () => payload(25, [littleEndian(9e12, 8), text(listpack(["f", "v", "9000000000000", "g", "w", "0"]))], 12),
  (random) => payload(25, [littleEndian(0, 8), text(listpack(pairs(random, someNumber).flatMap(withDeadline)))], 12),
];

function listOf(values: readonly string[]): Buffer[] {
  return [size(values.length), ...strings(values)];
}

function pairsOf(values: readonly string[]): Buffer[] {
  return [size(values.length / 2), ...strings(values)];
}

function dated(random: Random, distance: number, field: string): Buffer[] {
  return [size(distance), text(field), text(random.pick(WORDS))];
}

function withDeadline(value: string, index: number): string[] {
  return index % 2 === 0 ? [value] : [value, "9000000000000"];
}

/** A payload whose sum is right, and something else perhaps not. */
export function randomPayload(random: Random): Buffer {
  let bytes = soundValue(random);
  for (let count = random.below(5); count > 0; count--) bytes = broken(random, bytes);
  return withFooter(bytes, random.pick(VERSIONS));
}

/** A sound value of any type, behind its type's number. */
export function soundValue(random: Random): Buffer {
  return random.pick(FORMS)(random).subarray(0, -FOOTER_SIZE);
}

/** The bytes with something changed, added or missing. */
export function broken(random: Random, bytes: Buffer): Buffer {
  if (bytes.length === 0) return random.bytes(3);
  const at = random.below(bytes.length);
  const before = bytes.subarray(0, at);
  switch (random.below(9)) {
    case 0:
      return Buffer.concat([before, Buffer.from([random.pick(TELLING)]), bytes.subarray(at + 1)]);
    case 1:
      return Buffer.concat([before, Buffer.from([bytes[at]! ^ (1 << random.below(8))]), bytes.subarray(at + 1)]);
    case 2:
      return Buffer.concat([before, Buffer.from([bytes[at]! + random.pick([-1, 1])]), bytes.subarray(at + 1)]);
    case 3:
      return Buffer.concat([before, random.bytes(random.between(1, 4)), bytes.subarray(at)]);
    case 4:
      return Buffer.concat([before, bytes.subarray(at + random.between(1, 4))]);
    case 5:
      return before;
    case 6:
      return Buffer.concat([before, bytes.subarray(random.below(bytes.length))]);
    case 7:
      return Buffer.concat([before, soundValue(random).subarray(random.below(20))]);
    default:
      // Another type's number before what may well be read as that type too.
      return Buffer.concat([Buffer.from([random.below(27)]), bytes.subarray(1)]);
  }
}

/** Commands that look at all of a value, by its type. */
const READERS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  string: [["GET", "k"]],
  list: [
    ["LRANGE", "k", "0", "-1"],
    ["LLEN", "k"],
    ["LINDEX", "k", "-1"],
  ],
  set: [
    ["SMEMBERS", "k"],
    ["SCARD", "k"],
  ],
  zset: [
    ["ZRANGE", "k", "0", "-1", "WITHSCORES"],
    ["ZREVRANGE", "k", "0", "-1"],
    ["ZCARD", "k"],
  ],
  hash: [
    ["HGETALL", "k"],
    ["HLEN", "k"],
    ["HPEXPIRETIME", "k", "FIELDS", "1", "f"],
  ],
};

/** A store that is given one damaged payload after another. */
export class RestoreFuzzer {
  readonly #runner = new CommandRunner(allCommands, { regionSize: REGION_SIZE });
  readonly #random: Random;
  #frozen: FrozenStore | undefined;

  constructor(random: Random) {
    this.#random = random;
    Object.assign(this.#runner.keyspace.limits, {
      hashEntries: 5,
      sortedSetEntries: 5,
      setListpackEntries: 5,
      listSize: 6,
    });
  }

  /** Restores one random payload, and checks what has come of it. @returns whether it became a key */
  once(): boolean {
    const runner = this.#runner;
    const bytes = randomPayload(this.#random);
    if (this.#random.chance(0.02)) this.#audit();
    try {
      return this.#check(bytes);
    } catch (error) {
      throw new Error(`RESTORE of ${bytes.toString("hex")}: ${(error as Error).message}`, { cause: error });
    } finally {
      runner.run("DEL", "k", "copy");
    }
  }

  /** Checks that nothing has been left behind. */
  end(): void {
    this.#frozen?.release();
    this.#runner.verify();
    assert.equal(this.#runner.ask("DBSIZE"), 0);
  }

  /** Proves that no write since the last call has escaped the guard of its page. */
  #audit(): void {
    this.#frozen?.release();
    this.#frozen = this.#runner.keyspace.freeze(true);
  }

  #check(bytes: Buffer): boolean {
    const runner = this.#runner;
    const reply = runner.run("RESTORE", "k", "0", bytes);
    if (reply !== "+OK\r\n") {
      assert.match(reply, REFUSALS);
      assert.equal(runner.ask("EXISTS", "k"), 0);
      if (this.#random.chance(0.01)) runner.verify();
      return false;
    }
    runner.verify();
    const readers = READERS[String(runner.ask("TYPE", "k"))]!;
    const seen = readers.map((command) => runner.run(...command));
    const dump = runner.run("DUMP", "k");
    // A hash all of whose fields have expired is gone once it is looked at.
    if (dump === "$-1\r\n") return true;
    const again = Buffer.from(dump.slice(dump.indexOf("\n") + 1, -2), "latin1");
    assert.equal(runner.run("RESTORE", "copy", "0", again), "+OK\r\n");
    const copied = readers.map((command) => runner.run(command[0]!, "copy", ...command.slice(2)));
    assert.deepEqual(copied.map(comparable), seen.map(comparable));
    runner.verify();
    return true;
  }
}

/** A reply with its lines in order: tables tell their elements in any. */
function comparable(reply: string): string {
  return reply.split("\r\n").sort().join("\r\n");
}
