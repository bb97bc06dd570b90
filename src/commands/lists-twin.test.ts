import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CommandRunner } from "../testing/commands.ts";
import { seedOfRun } from "../testing/random.ts";
import { keyCommands } from "./keys.ts";
import { listCommands } from "./lists.ts";

const COMMANDS = [...keyCommands, ...listCommands];
const REGION_SIZE = 512 * 1024;
const KEYS = ["a", "b", "c", "d"];
const seed = seedOfRun();

type Twin = Map<string, string[]>;

/** One command: its words, and what it does to the twin if there is room for it. */
interface Step {
  readonly words: readonly string[];
  apply(twin: Twin): void;
}

const keys = fc.constantFrom(...KEYS);
const elements = fc.oneof(
  { weight: 6, arbitrary: fc.nat({ max: 5 }).map(String) },
  { weight: 3, arbitrary: fc.integer().map(String) },
  { weight: 3, arbitrary: fc.nat({ max: 5000 }).map((length) => "v".repeat(length)) },
  { weight: 1, arbitrary: fc.constantFrom(9000, 40_000).map((length) => "w".repeat(length)) },
);
const indexes = fc.integer({ min: -12, max: 12 });
const ends = fc.constantFrom("LEFT", "RIGHT");

/** Changes a twin's list; one that becomes empty is removed. */
function change(twin: Twin, key: string, apply: (list: string[]) => void): void {
  const list = twin.get(key) ?? [];
  apply(list);
  if (list.length === 0) twin.delete(key);
  else twin.set(key, list);
}

const pushes = fc
  .tuple(fc.constantFrom("LPUSH", "RPUSH"), keys, fc.array(elements, { minLength: 1, maxLength: 12 }))
  .map(([name, key, added]): Step => {
    const apply = (list: string[]): unknown =>
      name === "RPUSH" ? list.push(...added) : list.unshift(...added.toReversed());
    return { words: [name, key, ...added], apply: (twin) => change(twin, key, apply) };
  });

const pops = fc.tuple(ends, keys, fc.integer({ min: 1, max: 8 })).map(([end, key, count]): Step => {
  const apply = (list: string[]): unknown =>
    end === "LEFT" ? list.splice(0, count) : list.splice(Math.max(0, list.length - count));
  const words = ["LMPOP", "1", key, end, "COUNT", `${count}`];
  return { words, apply: (twin) => change(twin, key, apply) };
});

const moves = fc.tuple(keys, keys, ends, ends).map(([from, to, first, last]): Step => {
  const words = ["LMOVE", from, to, first, last];
  const apply = (twin: Twin): void => {
    if (!twin.has(from)) return;
    let element = "";
    change(twin, from, (list) => {
      element = first === "LEFT" ? list.shift()! : list.pop()!;
    });
    change(twin, to, (list) => (last === "LEFT" ? list.unshift(element) : list.push(element)));
  };
  return { words, apply };
});

const sets = fc.tuple(keys, indexes, elements).map(([key, index, element]): Step => {
  const apply = (list: string[]): void => {
    const place = index < 0 ? list.length + index : index;
    if (place >= 0 && place < list.length) list[place] = element;
  };
  return { words: ["LSET", key, `${index}`, element], apply: (twin) => change(twin, key, apply) };
});

const inserts = fc
  .tuple(keys, fc.constantFrom("BEFORE", "AFTER"), elements, elements)
  .map(([key, where, pivot, element]): Step => {
    const apply = (list: string[]): void => {
      const place = list.indexOf(pivot);
      if (place !== -1) list.splice(where === "AFTER" ? place + 1 : place, 0, element);
    };
    return { words: ["LINSERT", key, where, pivot, element], apply: (twin) => change(twin, key, apply) };
  });

const removals = fc.tuple(keys, fc.integer({ min: -3, max: 3 }), elements).map(([key, count, element]): Step => {
  const apply = (list: string[]): void => {
    const most = count === 0 ? list.length : Math.abs(count);
    for (let removed = 0; removed < most; removed++) {
      const place = count < 0 ? list.lastIndexOf(element) : list.indexOf(element);
      if (place === -1) return;
      list.splice(place, 1);
    }
  };
  return { words: ["LREM", key, `${count}`, element], apply: (twin) => change(twin, key, apply) };
});

const trims = fc.tuple(keys, fc.nat({ max: 3 }), fc.nat({ max: 3 })).map(([key, front, back]): Step => {
  const apply = (list: string[]): void => {
    const kept = list.slice(front, Math.max(0, list.length - back));
    list.splice(0, list.length, ...kept);
  };
  return { words: ["LTRIM", key, `${front}`, `${-1 - back}`], apply: (twin) => change(twin, key, apply) };
});

const copies = fc
  .tuple(fc.constantFrom("COPY", "RENAME"), keys, keys)
  .filter(([, from, to]) => from !== to)
  .map(([name, from, to]): Step => {
    const words = name === "COPY" ? [name, from, to, "REPLACE"] : [name, from, to];
    const apply = (twin: Twin): void => {
      const list = twin.get(from);
      if (list === undefined) return;
      twin.set(to, [...list]);
      if (name === "RENAME") twin.delete(from);
    };
    return { words, apply };
  });

const steps = fc.oneof(
  { weight: 5, arbitrary: pushes },
  { weight: 2, arbitrary: pops },
  { weight: 3, arbitrary: moves },
  { weight: 2, arbitrary: sets },
  { weight: 3, arbitrary: inserts },
  { weight: 2, arbitrary: removals },
  { weight: 1, arbitrary: trims },
  { weight: 1, arbitrary: copies },
);

for (const [shards, listSize] of [
  [1, -2],
  [2, -1],
  [1, 3],
] as const) {
  test(`every command is done completely or not at all: ${shards} regions, limit ${listSize}`, (context) => {
    context.diagnostic(`seed ${seed}`);
    let refused = 0;
    const property = fc.property(fc.array(steps, { maxLength: 80, size: "max" }), (sequence) => {
      const runner = new CommandRunner(COMMANDS, { shards, regionSize: REGION_SIZE });
      runner.keyspace.limits.listSize = listSize;
      const twin: Twin = new Map();
      // Audited: no write of any command escapes the guard.
      const frozen = runner.keyspace.freeze(true);
      for (const { words, apply } of sequence) {
        if (runner.run(...words).startsWith("-OOM ")) refused += 1;
        else apply(twin);
      }
      for (const key of KEYS) {
        const found = runner.ask("LRANGE", key, "0", "-1") as Buffer[];
        assert.deepEqual(found.map(String), twin.get(key) ?? []);
      }
      assert.equal(frozen.release().aborted, false);
      runner.verify();
    });
    fc.assert(property, { seed, numRuns: 45 });
    assert.ok(refused > 0, "the regions were never full");
  });
}
