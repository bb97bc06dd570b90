import assert from "node:assert/strict";
import { test } from "node:test";
import { Arguments } from "../base/arguments.ts";
import { NO_DEADLINE } from "./entry.ts";
import { hashLength, setFields } from "./hashes.ts";
import { Key } from "./key.ts";
import { Keyspace } from "./keyspace.ts";
import { LOOK_AHEAD_MAX, LookAhead } from "./look-ahead.ts";
import { setString } from "./strings.ts";

function request(...words: string[]): Arguments {
  const args = new Arguments();
  args.reset(Buffer.from(words.join("")));
  let start = 0;
  for (const word of words) {
    args.push(start, word.length);
    start += word.length;
  }
  return args;
}

/** Keys that exist, that do not, of every length, and requests that have none. */
function requests(from: number): Arguments[] {
  return Array.from({ length: LOOK_AHEAD_MAX }, (_, index) => {
    const number = from + index;
    if (number % 11 === 0) return request("PING");
    return request("GET", `${"k".repeat(number % 80)}${number}`);
  });
}

for (const shards of [1, 4]) {
  test(`a key that was looked at ahead is found as any other, ${shards} shards`, () => {
    const keyspace = new Keyspace({ shards, regionSize: 4 * 1024 * 1024, databases: 2 });
    const lookAhead = new LookAhead(keyspace);
    const database = keyspace.databases[1]!;
    let [hashed, found] = [0, 0];
    for (let from = 0; from < 3000; from += LOOK_AHEAD_MAX) {
      const batch = requests(from);
      lookAhead.warm(database, batch, batch.length);
      for (const [index, args] of batch.entries()) {
        if (args.count === 1) continue;
        if (args.isHashed) hashed += 1;
        const key = new Key(database);
        // What was seen ahead may have been changed by the requests before: here, half the keys are made meanwhile.
        if (index % 2 === 0) {
          key.locate(database, args.bytes, args.start(1), args.length(1));
          setString(key, args.bytes, args.start(1), args.length(1), NO_DEADLINE);
        }
        assert.equal(key.locateArgument(database, args, 1), index % 2 === 0);
        const { hash } = key;
        key.locate(database, args.bytes, args.start(1), args.length(1));
        assert.equal(key.hash, hash);
        if (key.found) found += 1;
      }
      // Once more, now that half of them exist.
      const again = requests(from);
      lookAhead.warm(database, again, again.length);
      for (const [index, args] of again.entries()) {
        if (args.count > 1) assert.equal(new Key(database).locateArgument(database, args, 1), index % 2 === 0);
      }
    }
    assert.ok(hashed > 1000 && found > 1000);
    keyspace.verify();
  });
}

test("too few requests are left alone", () => {
  const keyspace = new Keyspace({ shards: 1, regionSize: 1024 * 1024, databases: 1 });
  const batch = requests(1).slice(0, 3);
  new LookAhead(keyspace).warm(keyspace.databases[0]!, batch, batch.length);
  assert.ok(batch.every((args) => !args.isHashed));
});

test("members looked at ahead are found as any others, though the buffer is used again", () => {
  const keyspace = new Keyspace({ shards: 2, regionSize: 4 * 1024 * 1024, databases: 1 });
  const lookAhead = new LookAhead(keyspace);
  const database = keyspace.databases[0]!;
  const bytes = Buffer.alloc(4096);
  const digits = 4;
  let guessed = 0;
  // The same positions in the same buffer, other members each time: a hash kept from before would be wrong.
  for (let round = 0; round < 200; round++) {
    const batch = Array.from({ length: LOOK_AHEAD_MAX }, (_, index) => {
      const args = new Arguments();
      args.reset(bytes);
      const start = index * 64;
      const member = String((round * 7 + index * 3) % 1000).padStart(digits, "0");
      bytes.write(`HSETh${member}v`, start, "latin1");
      args.push(start, 4);
      args.push(start + 4, 1);
      args.push(start + 5, digits);
      args.push(start + 5 + digits, 1);
      return args;
    });
    lookAhead.warm(database, batch, batch.length);
    for (const args of batch) {
      if (args.memberAt !== 0) guessed += 1;
      keyspace.member.expect(args);
      setFields(database.write(args, 1), args, 2);
    }
  }
  assert.ok(guessed > 100 * LOOK_AHEAD_MAX, `${guessed} members were looked at ahead`);
  keyspace.verify();
  assert.equal(hashLength(database.key), 1000);
});
