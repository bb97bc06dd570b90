import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Discarded } from "./discarded.ts";
import { PAGE_SIZE } from "./region.ts";

const SIZE = 1024 * 1024 * 1024;
const TOUCHED = 8 * 1024 * 1024;

test("large buffers that are replaced again and again do not pile up", async () => {
  const discarded = new Discarded();
  const renew = (): SharedArrayBuffer => {
    const buffer = new SharedArrayBuffer(SIZE);
    const bytes = new Uint8Array(buffer);
    for (let at = 0; at < TOUCHED; at += PAGE_SIZE) bytes[at] = 1;
    return buffer;
  };
  let buffer = renew();
  const before = process.memoryUsage.rss();
  let replaced = 0;
  for (let round = 0; round < 100; round++) {
    if (discarded.offer(buffer)) {
      buffer = renew();
      replaced += 1;
    }
    await delay(1);
  }
  assert(replaced > 0, "memory is given back");
  const grown = process.memoryUsage.rss() - before;
  assert(grown < 20 * TOUCHED, `${replaced} replacements, and ${grown} bytes more`);
});

test("only one buffer waits to be collected", () => {
  const discarded = new Discarded();
  const buffer = new SharedArrayBuffer(PAGE_SIZE);
  assert.equal(discarded.offer(buffer), true);
  assert.equal(discarded.offer(new SharedArrayBuffer(PAGE_SIZE)), false);
  assert.equal(buffer.byteLength, PAGE_SIZE);
});

test("another thread holds what is discarded, and is told when it is the last", async () => {
  const calls: string[] = [];
  let accepts = false;
  const discarded = new Discarded({
    hold: () => {
      calls.push("hold");
      return 7;
    },
    letGo: (held) => {
      calls.push(`letGo ${held}`);
      return accepts;
    },
  });
  assert(discarded.offer(new SharedArrayBuffer(SIZE)));
  assert.deepEqual(calls, ["hold"]);
  // The collector comes when it likes, but with a reason it comes.
  for (const end = Date.now() + 10_000; calls.length === 1 && Date.now() < end; ) await delay(20);
  assert.deepEqual(calls.slice(0, 2), ["hold", "letGo 7"]);
  assert.equal(discarded.offer(new SharedArrayBuffer(PAGE_SIZE)), false, "it has not been let go yet");
  accepts = true;
  assert.equal(discarded.offer(new SharedArrayBuffer(PAGE_SIZE)), true);
  assert.equal(calls[calls.length - 1], "hold");
});
