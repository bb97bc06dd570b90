import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CommandRunner } from "../testing/commands.ts";
import { bitmapCommands } from "./bitmaps.ts";
import { keyCommands } from "./keys.ts";
import { stringCommands } from "./strings.ts";

const COMMANDS = [...keyCommands, ...stringCommands, ...bitmapCommands];
const REGION_SIZE = 512 * 1024;
const KEYS = ["a", "b", "c", "d", "e", "f"];

type Twin = Map<string, Buffer>;

/** One command: its words, and what it does to the twin if there is room for it. */
interface Step {
  readonly words: readonly (string | Buffer)[];
  apply(twin: Twin): void;
}

const keys = fc.constantFrom(...KEYS);
const lengths = fc.oneof(fc.nat({ max: 60 }), fc.nat({ max: 3000 }), fc.nat({ max: 90_000 }));
const values = fc.oneof(
  fc.integer().map((value) => Buffer.from(`${value}`)),
  fc.tuple(lengths, fc.nat({ max: 255 })).map(([length, byte]) => Buffer.alloc(length, byte)),
);
const offsets = fc.oneof(fc.nat({ max: 100 }), fc.nat({ max: 90_000 }));

/** The value, made at least `length` bytes long with zeros. */
function grown(value: Buffer | undefined, length: number): Buffer {
  const result = Buffer.alloc(Math.max(length, value?.length ?? 0));
  value?.copy(result);
  return result;
}

function step(words: Step["words"], apply: (twin: Twin) => void): Step {
  return { words, apply };
}

const setters = fc
  .tuple(fc.constantFrom("SET", "GETSET"), keys, values)
  .map(([name, key, value]) => step([name, key, value], (twin) => twin.set(key, value)));

const appenders = fc
  .tuple(keys, values)
  .map(([key, value]) =>
    step(["APPEND", key, value], (twin) => twin.set(key, Buffer.concat([twin.get(key) ?? Buffer.alloc(0), value]))),
  );

const writers = fc.tuple(keys, offsets, values).map(([key, offset, value]) =>
  step(["SETRANGE", key, `${offset}`, value], (twin) => {
    if (value.length === 0) return;
    const result = grown(twin.get(key), offset + value.length);
    value.copy(result, offset);
    twin.set(key, result);
  }),
);

const bitSetters = fc.tuple(keys, offsets).map(([key, offset]) =>
  step(["SETBIT", key, `${offset * 8 + 7}`, "1"], (twin) => {
    const result = grown(twin.get(key), offset + 1);
    result[offset]! |= 1;
    twin.set(key, result);
  }),
);

const combiners = fc.tuple(keys, keys, keys).map(([key, one, other]) =>
  step(["BITOP", "OR", key, one, other], (twin) => {
    const length = Math.max(twin.get(one)?.length ?? 0, twin.get(other)?.length ?? 0);
    const [left, right] = [grown(twin.get(one), length), grown(twin.get(other), length)];
    if (length === 0) twin.delete(key);
    else twin.set(key, Buffer.from(left.map((byte, at) => byte | right[at]!)));
  }),
);

const multipleSetters = fc
  .tuple(fc.constantFrom("MSET", "MSETNX"), fc.array(fc.tuple(keys, values), { minLength: 1, maxLength: 4 }))
  .map(([name, pairs]) =>
    step([name, ...pairs.flat()], (twin) => {
      if (name === "MSETNX" && pairs.some(([key]) => twin.has(key))) return;
      for (const [key, value] of pairs) twin.set(key, value);
    }),
  );

const others = fc.oneof(
  keys.map((key) => step(["GETEX", key, "EX", "1000"], () => undefined)),
  keys.map((key) => step(["GETEX", key, "PERSIST"], () => undefined)),
  keys.map((key) => step(["GETDEL", key], (twin) => twin.delete(key))),
);

const steps = fc.oneof(setters, appenders, writers, bitSetters, combiners, multipleSetters, others);

function bulk(value: Buffer | undefined): string {
  return value === undefined ? "$-1\r\n" : `$${value.length}\r\n${value.toString("latin1")}\r\n`;
}

for (const shards of [1, 2]) {
  test(`every command is done completely or, without room, not at all: ${shards} regions`, () => {
    let refused = 0;
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 60 }), (sequence) => {
        const runner = new CommandRunner(COMMANDS, { shards, regionSize: REGION_SIZE });
        const twin: Twin = new Map();
        // Audited: no write of any command escapes the guard.
        const frozen = runner.keyspace.freeze(true);
        for (const { words, apply } of sequence) {
          if (runner.run(...words).startsWith("-OOM ")) refused += 1;
          else apply(twin);
        }
        for (const key of KEYS) assert.equal(runner.run("GET", key), bulk(twin.get(key)));
        assert.equal(frozen.release().aborted, false);
        runner.verify();
      }),
      { numRuns: 150 },
    );
    assert.ok(refused > 0, "the regions were never full");
  });
}
