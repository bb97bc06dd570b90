/**
 * The time of day in microseconds, which `Date` does not tell: `Date` says when a steady clock began, and that clock
 * counts on. When the two disagree the time of day was set, and is believed.
 */
const TOLERANCE_MS = 2;

let beganAt = Date.now() - performance.now();

/** Microseconds since 1970. */
export function microsecondsNow(): number {
  const steady = performance.now();
  const wall = Date.now();
  const disagrees = Math.abs(beganAt + steady - wall) > TOLERANCE_MS;
  // Unless the thread was interrupted between the two readings: then they say nothing of each other.
  if (disagrees && performance.now() - steady < 1) beganAt = wall - steady;
  return Math.floor((beganAt + steady) * 1000);
}
