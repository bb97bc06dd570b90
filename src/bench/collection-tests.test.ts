import assert from "node:assert/strict";
import { test } from "node:test";
import { collectionTests, filling } from "./collection-tests.ts";

const ELEMENTS = 1_000;
const tests = collectionTests(ELEMENTS);

test("collections are filled by as many commands as are announced, with as many elements as are asked for", () => {
  for (const collection of new Set(tests.map((each) => each.collection))) {
    const perElement = collection.element(0).length;
    for (const elements of [0, 1, 100, 101, 1_000]) {
      const [count, text] = filling(collection, elements);
      const commands = [...text].join("").split(/(?=\*\d+\r\n)/);
      assert.equal(elements === 0 ? 0 : commands.length, count);
      const words = commands.reduce((sum, command) => sum + Number(/^\*(\d+)/.exec(command)?.[1] ?? 0), 0);
      assert.equal(words, count * 2 + elements * perElement);
    }
  }
});

test("elements are different from one another, whatever is filled", () => {
  for (const { name, collection } of tests) {
    const elements = Array.from({ length: ELEMENTS }, (_, i) => collection.element(i).join(" "));
    assert.equal(new Set(elements).size, ELEMENTS, name);
  }
});

test("no test pops from an empty collection", () => {
  const pops = tests.filter(({ name }) => name.includes("POP"));
  assert.deepEqual(
    pops.map(({ name }) => name),
    ["LPOP", "SPOP", "ZPOPMIN"],
  );
  for (const { before, after, changes } of pops) {
    assert.ok(changes);
    assert.equal(before(5_000), 5_000 + ELEMENTS);
    assert.deepEqual(after(5_000), [ELEMENTS, ELEMENTS]);
  }
});
