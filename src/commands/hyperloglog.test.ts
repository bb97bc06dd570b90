import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandRunner } from "../testing/commands.ts";
import { converse } from "../testing/dialogue.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import { hyperLogLogCommands } from "./hyperloglog.ts";
import { keyCommands } from "./keys.ts";
import { stringCommands } from "./strings.ts";

const COMMANDS = [...hyperLogLogCommands, ...stringCommands, ...keyCommands];
const NOT_VALID = "-WRONGTYPE Key is not a valid HyperLogLog string value.";
const seed = seedOfRun();

test("counting, merging and looking inside", () => {
  const runner = new CommandRunner(COMMANDS, { now: () => 1_700_000_000_000 });
  converse(
    runner,
    `
    PFADD h a b c              => :1
    PFADD h a b c              => :0
    PFADD h                    => :0
    PFCOUNT h                  => :3
    PFCOUNT h nokey            => :3
    PFCOUNT nokey              => :0
    PFADD empty                => :1
    PFCOUNT empty              => :0
    PFDEBUG DECODE empty       => $7 Z:16384
    PFADD one foo              => :1
    PFDEBUG decode one         => $19 Z:7348 v:5,1 Z:9035
    PFDEBUG ENCODING one       => +sparse
    OBJECT ENCODING one        => $3 raw
    PFMERGE all h one nokey    => +OK
    PFCOUNT all                => :4
    PFDEBUG TODENSE one        => :1
    PFDEBUG TODENSE one        => :0
    PFDEBUG ENCODING one       => +dense
    PFDEBUG DECODE one         => -ERR HLL encoding is not sparse
    STRLEN one                 => :12304
    PFCOUNT one                => :1
    PFMERGE h one              => +OK
    PFDEBUG ENCODING h         => +dense
    PFCOUNT h                  => :4
    PFMERGE fresh              => +OK
    PFCOUNT fresh              => :0
    EXPIRE fresh 100           => :1
    PFADD fresh x              => :1
    PFDEBUG TODENSE fresh      => :1
    PFADD fresh y              => :1
    TTL fresh                  => :100
    PFDEBUG NOTHING h          => -ERR Unknown PFDEBUG subcommand 'NOTHING'
    PFDEBUG NOTHING nokey      => -ERR The specified key does not exist
    PFDEBUG DECODE             => -ERR wrong number of arguments for 'pfdebug' command
    PFADD                      => -ERR wrong number of arguments for 'pfadd' command
    `,
  );
  assert.match(runner.run("PFDEBUG", "GETREG", "all"), /^\*16384\r\n(:\d+\r\n){16384}$/);
  assert.equal(runner.run("PFDEBUG", "ENCODING", "all"), "+dense\r\n");
  runner.verify();
});

test("values that are something else, or damaged", () => {
  const runner = new CommandRunner(COMMANDS);
  const header = "HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80";
  runner.run("SET", "text", "not one");
  runner.run("SET", "number", "5");
  runner.run("SET", "magic", `HYLX${header.slice(4)}\x7f\xff`);
  runner.run("SET", "encoding", Buffer.from(`HYLL\x02${header.slice(5)}`, "latin1"));
  runner.run("SET", "short", Buffer.from(`HYLL\0${header.slice(5)}${"\0".repeat(12_287)}`, "latin1"));
  for (const key of ["text", "number", "magic", "encoding", "short"]) {
    converse(
      runner,
      `
      PFADD ${key} a           => ${NOT_VALID}
      PFCOUNT ${key}           => ${NOT_VALID}
      PFCOUNT nokey ${key}     => ${NOT_VALID}
      PFMERGE new ${key}       => ${NOT_VALID}
      PFMERGE ${key}           => ${NOT_VALID}
      PFDEBUG ENCODING ${key}  => ${NOT_VALID}
      EXISTS new               => :0
      `,
    );
  }
  // One register too few, and one too many.
  runner.run("SET", "few", Buffer.from(`${header}\x7f\xfe`, "latin1"));
  runner.run("SET", "many", Buffer.from(`${header}\x7f\xff\x80`, "latin1"));
  for (const key of ["few", "many"]) {
    converse(
      runner,
      `
      PFCOUNT ${key}           => -INVALIDOBJ Corrupted HLL object detected
      PFCOUNT nokey ${key}     => -INVALIDOBJ Corrupted HLL object detected
      PFMERGE new ${key}       => -INVALIDOBJ Corrupted HLL object detected
      PFDEBUG TODENSE ${key}   => -INVALIDOBJ Corrupted HLL object detected
      PFDEBUG GETREG ${key}    => -INVALIDOBJ Corrupted HLL object detected
      `,
    );
  }
  runner.run("SET", "none", Buffer.from(header, "latin1"));
  assert.equal(runner.run("PFADD", "none", "a"), "-INVALIDOBJ Corrupted HLL object detected\r\n");
  runner.verify();
});

test("the estimate is kept in the value, and told out of date", () => {
  const runner = new CommandRunner(COMMANDS, { shards: 1 });
  const bytes = (): Buffer => Buffer.from(runner.run("GETRANGE", "h", "8", "15").slice(4, 12), "latin1");
  runner.run("PFADD", "h", "a", "b");
  assert.equal(bytes().toString("hex"), "0000000000000080");
  runner.run("PFCOUNT", "h");
  assert.equal(bytes().toString("hex"), "0200000000000000");
  runner.run("SETRANGE", "h", "8", Buffer.from("ffffffffffffff7f", "hex"));
  assert.equal(runner.run("PFCOUNT", "h"), ":9223372036854775807\r\n");
  runner.run("PFADD", "h", "c");
  assert.equal(runner.run("PFCOUNT", "h"), ":3\r\n");
});

test("changes are counted as in Redis: every element that changed something", () => {
  const runner = new CommandRunner(COMMANDS);
  const changesOf = (...command: string[]): number => {
    const before = runner.keyspace.changes;
    runner.run(...command);
    return runner.keyspace.changes - before;
  };
  assert.equal(changesOf("PFADD", "h", "a", "b", "a"), 3);
  assert.equal(changesOf("PFADD", "h", "a"), 0);
  assert.equal(changesOf("PFCOUNT", "h"), 1);
  assert.equal(changesOf("PFCOUNT", "h"), 0);
  assert.equal(changesOf("PFDEBUG", "TODENSE", "h"), 1);
  assert.equal(changesOf("PFADD", "h", "c", "d", "e"), 3);
  assert.equal(changesOf("PFADD", "h", "c", "d", "e"), 0);
  assert.equal(changesOf("PFMERGE", "h", "nokey"), 1);
});

test("a sparse value becomes dense where the setting says so", () => {
  const runner = new CommandRunner(COMMANDS);
  const encodingAfter = (sizeMax: number, ...elements: string[]): string => {
    runner.keyspace.limits.sparseHyperLogLogBytes = sizeMax;
    runner.run("DEL", "h");
    runner.run("PFADD", "h", ...elements);
    return runner.run("PFDEBUG", "ENCODING", "h").trim();
  };
  const many = Array.from({ length: 1000 }, (_, index) => `${index}`);
  assert.equal(encodingAfter(0), "+sparse");
  assert.equal(encodingAfter(0, "a"), "+dense");
  assert.equal(encodingAfter(21, "a"), "+sparse");
  assert.equal(encodingAfter(21, "a", "b"), "+dense");
  assert.equal(encodingAfter(3000, ...many), "+sparse");
  assert.equal(encodingAfter(1000, ...many), "+dense");
});

test("each command is done completely or, without room, not at all; no write escapes the guard", (context) => {
  context.diagnostic(`seed ${seed}`);
  const random = new Random(seed);
  let refused = 0;
  for (let round = 0; round < 8; round++) {
    const runner = new CommandRunner(COMMANDS, { shards: 2, regionSize: 512 * 1024 });
    const frozen = runner.keyspace.freeze(true);
    for (let step = 0; step < 150; step++) {
      const key = `k${random.below(60)}`;
      const elements = Array.from({ length: random.pick([0, 1, 5, 400]) }, () => `e${random.below(100_000)}`);
      const before = runner.run("GET", key);
      const reply = random.chance(0.8)
        ? runner.run("PFADD", key, ...elements)
        : runner.run("PFMERGE", key, `k${random.below(60)}`, `k${random.below(60)}`);
      if (!reply.startsWith("-OOM ")) continue;
      refused += 1;
      assert.equal(runner.run("GET", key), before);
    }
    assert.equal(frozen.release().aborted, false);
    runner.verify();
  }
  assert.ok(refused > 0, "the regions were never full");
});
