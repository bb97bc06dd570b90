import assert from "node:assert/strict";
import { test } from "node:test";
import { Histogram } from "./histogram.ts";
import { Rate } from "./rate.ts";
import { Statistics } from "./statistics.ts";

test("a rate is the mean of the last samples, and survives a reset of its counter", () => {
  const rate = new Rate();
  for (let tick = 1; tick <= 40; tick++) rate.sample(tick * 50, tick * 100);
  assert.equal(rate.perSecond, 500);
  rate.sample(0, 4100);
  assert.ok(rate.perSecond >= 0 && rate.perSecond < 500);
  rate.sample(10, 4100);
  assert.ok(Number.isFinite(rate.perSecond));
});

test("statistics sample their rates, and are reset as one", () => {
  const statistics = new Statistics();
  for (let tick = 1; tick <= 17; tick++) {
    statistics.totalCommands += 10;
    statistics.inputBytes += 100;
    statistics.outputBytes += 1000;
    statistics.tick(tick * 100);
  }
  const { commandRate, inputRate, outputRate } = statistics;
  assert.deepEqual([commandRate.perSecond, inputRate.perSecond, outputRate.perSecond], [100, 1000, 10_000]);
  statistics.reset();
  statistics.tick(1800);
  assert.equal(statistics.commandRate.perSecond, 0);
});

test("a histogram's percentiles are right to a fifth, up to very long durations", () => {
  const histogram = new Histogram();
  for (let microseconds = 1; microseconds <= 1000; microseconds++) histogram.add(microseconds);
  for (const percent of [10, 50, 90, 99]) {
    const exact = percent * 10;
    const found = histogram.percentile(percent / 100);
    assert.ok(found >= exact && found <= exact * 1.26, `p${percent}: ${found}`);
  }
  assert.equal(histogram.countUpTo(2 ** 30), 1000);
  histogram.add(1e12);
  assert.equal(histogram.total, 1001);
  assert.ok(histogram.percentile(1) > 5e8);
});
