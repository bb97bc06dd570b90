import assert from "node:assert/strict";
import { test } from "node:test";
import { Configuration } from "../config/configuration.ts";
import { drawLatency } from "./latency-graph.ts";
import { LatencyMonitor } from "./latency-monitor.ts";
import { describeLatency } from "./latency-report.ts";

function monitorFrom(thresholdMs: number): LatencyMonitor {
  const configuration = new Configuration();
  configuration.initialize("latency-monitor-threshold", [`${thresholdMs}`]);
  return new LatencyMonitor(configuration);
}

test("nothing is kept while nothing is monitored", () => {
  const monitor = monitorFrom(0);
  monitor.add("command", 1e6, 0);
  assert.deepEqual(monitor.events, []);
  assert.match(describeLatency(monitor), /^Latency is not being monitored/);
});

test("the worst of each second is kept, for the last 160 seconds that had one", () => {
  const monitor = monitorFrom(10);
  monitor.add("command", 9.9, 1000);
  assert.match(describeLatency(monitor), /^No latency spike/);
  for (let second = 1; second <= 200; second++) {
    for (const milliseconds of [20, 10 + second, 15]) monitor.add("command", milliseconds, second * 1000 + 5);
  }
  const { samples, worst } = monitor.event("command")!;
  assert.equal(samples.length, 160);
  assert.deepEqual(samples[0], { time: 41, milliseconds: 51 });
  assert.deepEqual(samples.at(-1), { time: 200, milliseconds: 210 });
  assert.equal(worst, 210);
});

test("the graph", () => {
  const monitor = monitorFrom(1);
  const now = 1_000_000_000;
  const spikes: [ageSeconds: number, milliseconds: number][] = [
    [200_000, 10],
    [7200, 22],
    [600, 25],
    [59, 31],
    [0, 40],
  ];
  for (const [age, milliseconds] of spikes) monitor.add("command", milliseconds, now - age * 1000);
  const lines = drawLatency(monitor.event("command")!, now).split("\n");
  assert.equal(lines[0], "command - high 40 ms, low 10 ms (all time high 40 ms)");
  assert.equal(lines[1], "-".repeat(80));
  assert.deepEqual(lines.slice(2), ["    #", "  _#|", " o|||", "_||||", "     ", "22150", "dh09s", "  ms ", ""]);
});

test("a long graph goes on below", () => {
  const monitor = monitorFrom(1);
  for (let second = 1; second <= 100; second++) monitor.add("command", 5, second * 1000);
  const [, , ...lines] = drawLatency(monitor.event("command")!, 100_000).split("\n");
  const widths = lines.map(({ length }) => length).join(" ");
  assert.equal(widths, "80 80 80 80 80 80 80 80 0 20 20 20 20 20 20 20 20 0");
});
