/** LATENCY DOCTOR: what the monitored spikes look like, and what to do about each kind, in words. */
import type { LatencyEvent, LatencyMonitor } from "./latency-monitor.ts";

const DISABLED =
  "Latency is not being monitored. Choose what counts as slow, in milliseconds, and come back after a while: " +
  "CONFIG SET latency-monitor-threshold <milliseconds>.\n";

const HEALTHY = "No latency spike since monitoring began.\n";

const ADVICE: Readonly<Record<string, string>> = {
  command:
    "Commands that do much work at once were slow: SLOWLOG GET names them. Split them up, or bound what they touch " +
    "(COUNT, LIMIT, ranges); SCAN instead of KEYS.",
  "fast-command":
    "Commands of constant cost were slow, so something else held the thread: another program on the same processors, " +
    "swapping, or work of the embedding program between two turns of its event loop.",
  fork:
    "Freezing the data for a snapshot was slow, which it should never be: other programs, or swapping, held the " +
    "thread.",
  "aof-write":
    "Appending to the log was slow: the disk is busy. Take other writers off it, rewrite the log when less is going " +
    "on, or let nothing be synced meanwhile (no-appendfsync-on-rewrite yes).",
  "aof-write-pending-fsync":
    "So much of the log was waiting for the disk that everybody had to wait with it: the disk is slower than what is " +
    "written. A faster disk helps, fewer or smaller writes, or appendfsync no, which leaves syncing to the system.",
  "aof-fsync-always":
    "Syncing the log was slow, and replies to writes wait for it. A faster disk helps, or appendfsync everysec, " +
    "which may lose the last second if the machine loses power.",
  "expire-cycle": "Removing what had expired took long at a time. Spread the deadlines, or lower active-expire-effort.",
  "eviction-cycle": "Making room took long at a time. Lower maxmemory-eviction-tenacity, or give the data more memory.",
};

/** The whole report. */
export function describeLatency(monitor: LatencyMonitor): string {
  if (monitor.thresholdMs === 0) return DISABLED;
  const { events } = monitor;
  if (events.length === 0) return HEALTHY;
  const findings = events.map((event, index) => `${index + 1}. ${describeEvent(event)}\n`);
  const advice = events.flatMap(({ name }) => (ADVICE[name] === undefined ? [] : [`- ${ADVICE[name]}\n`]));
  return `Latency spikes of at least ${monitor.thresholdMs} ms:\n\n${findings.join("")}\n${advice.join("")}`;
}

function describeEvent({ name, samples, worst }: LatencyEvent): string {
  const count = samples.length;
  const average = samples.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / count;
  const deviation = samples.reduce((sum, { milliseconds }) => sum + Math.abs(milliseconds - average), 0) / count;
  const seconds = (samples.at(-1)!.time - samples[0]!.time) / Math.max(1, count - 1);
  const period = count > 1 ? `, one every ${seconds.toFixed(2)} seconds` : "";
  const spikes = count === 1 ? "1 spike" : `${count} spikes`;
  return (
    `${name}: ${spikes}${period}, average ${Math.round(average)} ms, ` +
    `mean deviation ${Math.round(deviation)} ms, worst of all time ${worst} ms.`
  );
}
