import assert from "node:assert/strict";
import { test } from "node:test";
import { ProgressBar } from "./progress-bar.ts";

class RecordedScreen {
  readonly isTTY: boolean;
  text = "";

  constructor(isTTY: boolean) {
    this.isTTY = isTTY;
  }

  write(text: string): void {
    this.text += text;
  }
}

const MIB = 2 ** 20;
const ERASE = "\r\x1b[K";

test("on a terminal: one line, rewritten at most ten times a second, and gone at the end", () => {
  const screen = new RecordedScreen(true);
  let now = 5000;
  const bar = new ProgressBar(screen, () => now);
  now += 1000;
  bar.show({ loadedBytes: 10 * MIB, totalBytes: 40 * MIB, keys: 1234 });
  assert.equal(screen.text, `${ERASE}Loading  [#####...............]  25 %  of 40 MiB, 1,234 keys, 3 s left`);
  now += 99;
  bar.show({ loadedBytes: 30 * MIB, totalBytes: 40 * MIB, keys: 3000 });
  assert.equal(screen.text.split(ERASE).length, 2, "too early for another one");
  now += 1;
  screen.text = "";
  bar.show({ loadedBytes: 40 * MIB, totalBytes: 40 * MIB, keys: 5000 });
  assert.equal(screen.text, `${ERASE}Loading  [####################] 100 %  of 40 MiB, 5,000 keys, 0 s left`);
  screen.text = "";
  bar.end();
  bar.end();
  assert.equal(screen.text, ERASE);
});

test("before a second is over, and before anything is read, nobody can say how long it takes", () => {
  const screen = new RecordedScreen(true);
  let now = 0;
  const bar = new ProgressBar(screen, () => now);
  now = 999;
  bar.show({ loadedBytes: 2 ** 29, totalBytes: 3 * 2 ** 30, keys: 5 });
  assert.equal(screen.text, `${ERASE}Loading  [###.................]  16 %  of 3 GiB, 5 keys`);
  screen.text = "";
  now = 5000;
  bar.show({ loadedBytes: 0, totalBytes: 3 * 2 ** 30, keys: 0 });
  assert.equal(screen.text, `${ERASE}Loading  [....................]   0 %  of 3 GiB, 0 keys`);
});

test("a first start has nothing to load, and shows nothing", () => {
  const screen = new RecordedScreen(true);
  const bar = new ProgressBar(screen, () => 0);
  bar.show({ loadedBytes: 0, totalBytes: 0, keys: 0 });
  bar.end();
  assert.equal(screen.text, "");
});

test("where there is no terminal, nothing", () => {
  const screen = new RecordedScreen(false);
  const bar = new ProgressBar(screen, () => 0);
  bar.show({ loadedBytes: 1, totalBytes: 2, keys: 0 });
  bar.end();
  assert.equal(screen.text, "");
});
