import assert from "node:assert/strict";
import { test } from "node:test";
import { Random, seedOfRun } from "../testing/random.ts";
import { AccessClock, COUNTS_ACCESSES, INITIAL_COUNT } from "./access-clock.ts";

const START = 1_700_000_000_000;
const MINUTE = 60_000;

test("without evictions a stamp is a second, and idle times are exact across the 24 bits", () => {
  const start = (2 ** 24 * 101 - 3) * 1000;
  const clock = new AccessClock(start);
  const stamp = clock.stamp;
  assert.equal(stamp, 2 ** 24 - 3);
  clock.tick(start + 999);
  assert.equal(clock.stamp, stamp);
  clock.tick(start + 5000);
  assert.equal(clock.stamp, 2);
  assert.equal(clock.seconds, 2);
  assert.equal(clock.age(stamp), 5);
  assert.equal(clock.idleSeconds(stamp), 5);
  assert.equal(clock.idleSeconds(clock.ofIdle(1000)), 1000);
  assert.equal(clock.idleSeconds(clock.ofIdle(Number.MAX_SAFE_INTEGER)), 2 ** 23);
});

test("idle times stay exact, and generations in order, whatever the steps", (context) => {
  const seed = seedOfRun();
  context.diagnostic(`seed ${seed}`);
  const random = new Random(seed);
  let now = START + random.below(100_000);
  let last = now;
  let counted = now;
  const clock = new AccessClock(now);
  const stamps: { stamp: number; second: number }[] = [];
  for (let step = 0; step < 20_000; step++) {
    now += random.pick([0, 3, 11, 11, 11, 11, 250, 1000, 1700, 40_000, random.chance(0.01) ? -20_000 : 5]);
    counted += Math.max(0, now - last);
    last = now;
    clock.tick(now);
    if (random.chance(0.7)) clock.advance(now);
    stamps.push({ stamp: clock.stamp, second: Math.floor(counted / 1000) });
  }
  const present = Math.floor(counted / 1000);
  let age = Number.POSITIVE_INFINITY;
  for (const { stamp, second } of stamps) {
    assert.equal(clock.idleSeconds(stamp), present - second);
    assert.ok(clock.age(stamp) <= age, "older stamps are of older generations");
    age = clock.age(stamp);
    assert.equal(clock.idleSeconds(clock.ofIdle(present - second)), present - second);
  }
  const beforeAll = clock.ofIdle(present - stamps[0]!.second + 5000);
  assert.equal(clock.idleSeconds(beforeAll), present - stamps[0]!.second + 5000);
});

test("idle times stay exact over jumps of any length, too", (context) => {
  const seed = seedOfRun();
  context.diagnostic(`seed ${seed}`);
  const random = new Random(seed);
  for (let round = 0; round < 20; round++) {
    let now = START + random.below(100_000);
    const clock = new AccessClock(now);
    const stamps: { stamp: number; second: number }[] = [];
    for (let step = 0; step < 300; step++) {
      now += 1000 * random.pick([0, 1, 30, 31, 32, 33, 63, 64, 65, random.below(2000), random.below(20_000)]);
      clock.tick(now);
      for (let count = random.below(40); count > 0; count--) {
        now += 10;
        clock.tick(now);
        clock.advance(now);
      }
      stamps.push({ stamp: clock.stamp, second: Math.floor(now / 1000) });
    }
    for (const { stamp, second } of stamps) assert.equal(clock.idleSeconds(stamp), Math.floor(now / 1000) - second);
  }
});

test("a clock that jumps by years does not hold up whoever asks", () => {
  const jump = (): number => {
    const clock = new AccessClock(START);
    clock.advance(START);
    const last = clock.stamp;
    const before = process.cpuUsage();
    clock.tick(START + (2 ** 24 - 100) * 1000);
    const { user, system } = process.cpuUsage(before);
    assert.equal(clock.idleSeconds(last), 2 ** 24 - 100);
    clock.tick(START + 2 ** 27 * 1000);
    assert.equal(clock.idleSeconds(clock.ofIdle(1000)), 1000);
    return (user + system) / 1000;
  };
  const milliseconds = Math.min(jump(), jump(), jump(), jump());
  // A step for every second takes 100.
  assert.ok(milliseconds < 30, `${milliseconds} ms`);
});

test("within a second there are generations, 10 ms apart, and only as many as keep idle times true", () => {
  let now = START;
  const clock = new AccessClock(now);
  const begin = clock.generation;
  for (let step = 0; step < 1000; step++) {
    now += 1;
    clock.tick(now);
    clock.advance(now);
  }
  assert.equal(clock.generation - begin, 1 + 100);
  for (let step = 0; step < 2 ** 22; step++) {
    now += 10;
    clock.tick(now);
    clock.advance(now);
  }
  const spent = clock.generation;
  const seconds = 10_000;
  for (let step = 0; step < seconds * 100; step++) {
    now += 10;
    clock.tick(now);
    clock.advance(now);
  }
  // One with every second, one more with every second second, and what little was left.
  assert.ok(clock.generation - spent <= seconds * 1.5 + 2 ** 22 * 0.01, `${clock.generation - spent}`);
});

test("a clock that is set back makes nothing look older, and goes on from there", () => {
  const clock = new AccessClock(START);
  const stamp = clock.stamp;
  clock.tick(START - 3_600_000);
  assert.equal(clock.idleSeconds(stamp), 0);
  clock.tick(START - 3_590_000);
  assert.equal(clock.idleSeconds(stamp), 10);
});

test("counts grow with the probability that Redis gives each, and stop at 255", () => {
  let drawn = 0;
  const clock = new AccessClock(START, () => drawn);
  clock.countsAccesses = true;
  assert.equal(clock.stamp, COUNTS_ACCESSES);
  assert.equal(clock.count(clock.initial), INITIAL_COUNT);
  for (const factor of [0, 1, 10, 100]) {
    clock.logFactor = factor;
    for (let count = 0; count <= 255; count++) {
      const probability = count === 255 ? 0 : 1 / (Math.max(0, count - 5) * factor + 1);
      drawn = Math.max(0, probability - 1e-9);
      assert.equal(clock.count(clock.counted(clock.ofCount(count))), Math.min(255, count + (probability > 0 ? 1 : 0)));
      drawn = probability;
      if (probability < 1) assert.equal(clock.count(clock.counted(clock.ofCount(count))), count);
    }
  }
});

test("a thousand, and a hundred thousand accesses count as Redis's table says", () => {
  const random = new Random(12);
  const clock = new AccessClock(START, () => random.below(2 ** 32) / 2 ** 32);
  clock.countsAccesses = true;
  const mean = (accesses: number): number => {
    let sum = 0;
    for (let key = 0; key < 20; key++) {
      let stamp = clock.initial;
      for (let access = 0; access < accesses; access++) stamp = clock.counted(stamp);
      sum += clock.count(stamp);
    }
    return sum / 20;
  };
  // redis.conf, factor 10: 100 hits 10, 1000 hits 18, 100 K hits 142.
  assert.ok(Math.abs(mean(100) - 10) < 2);
  assert.ok(Math.abs(mean(1000) - 18) < 3);
  assert.ok(Math.abs(mean(100_000) - 142) < 6);
});

test("counts go down by one for each lfu-decay-time, and with 0 never", () => {
  const clock = new AccessClock(START);
  clock.countsAccesses = true;
  const stamp = clock.ofCount(100);
  clock.tick(START + 30 * MINUTE);
  assert.equal(clock.count(stamp), 70);
  clock.decayMinutes = 7;
  assert.equal(clock.count(stamp), 96);
  clock.decayMinutes = 0;
  assert.equal(clock.count(stamp), 100);
  clock.decayMinutes = 1;
  clock.tick(START + 101 * MINUTE);
  assert.equal(clock.count(stamp), 0);
  const untilRound = 65_536 - (Math.floor(START / MINUTE) % 65_536);
  clock.tick(START + (untilRound - 6) * MINUTE);
  const late = clock.ofCount(50);
  clock.tick(START + (untilRound + 9) * MINUTE);
  assert.equal(clock.count(late), 50 - 14, "the minutes come round, one short, as in Redis");
});
