/**
 * LATENCY GRAPH: the samples of an event as columns of characters, the newest on the right, each with its age below it,
 * read downwards.
 *
 *     command - high 40 ms, low 10 ms (all time high 40 ms)
 *     ---------------------------------------------------- …
 *         #
 *       _#|
 *      o|||
 *     _||||
 *
 *     22150       two days, two hours, ten minutes, 59 seconds, no time ago
 *     dh09s
 *       ms
 */
import type { LatencyEvent, LatencySample } from "./latency-monitor.ts";

const COLUMNS = 80;
const ROWS = 4;
/** Three heights to a row, from below; what rises above its row is a bar there. */
const HEIGHTS = ["_", "o", "#"];
const BAR = "|";

/** @param clockMs milliseconds since 1970 */
export function drawLatency(event: LatencyEvent, clockMs: number): string {
  const { samples } = event;
  const values = samples.map(({ milliseconds }) => milliseconds);
  const high = Math.max(...values);
  const low = Math.min(...values);
  const title = `${event.name} - high ${high} ms, low ${low} ms (all time high ${event.worst} ms)`;
  const parts: string[] = [];
  for (let first = 0; first < samples.length; first += COLUMNS) {
    parts.push(drawColumns(samples.slice(first, first + COLUMNS), low, high, clockMs));
  }
  return `${title}\n${"-".repeat(COLUMNS)}\n${parts.join("\n")}`;
}

function drawColumns(samples: readonly LatencySample[], low: number, high: number, clockMs: number): string {
  const steps = ROWS * HEIGHTS.length;
  const range = high - low || 1;
  const heights = samples.map(({ milliseconds }) => {
    return Math.min(steps - 1, Math.floor(((milliseconds - low) * steps) / range));
  });
  const ages = samples.map(({ time }) => age(Math.floor(clockMs / 1000) - time));
  const lines: string[] = [];
  for (let row = ROWS - 1; row >= 0; row--) {
    const floor = row * HEIGHTS.length;
    lines.push(heights.map((height) => HEIGHTS[height - floor] ?? (height < floor ? " " : BAR)).join(""));
  }
  lines.push(" ".repeat(samples.length));
  const longest = Math.max(...ages.map(({ length }) => length));
  for (let character = 0; character < longest; character++) {
    lines.push(ages.map((label) => label[character] ?? " ").join(""));
  }
  return lines.map((line) => `${line}\n`).join("");
}

function age(seconds: number): string {
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
