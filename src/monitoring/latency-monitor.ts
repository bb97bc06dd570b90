/**
 * LatencyMonitor: spikes by kind of event, as LATENCY shows them: what took at least `latency-monitor-threshold`
 * milliseconds. For each event the worst sample of a second is kept, for the last SAMPLES_MAX seconds that had one.
 */
import type { Configuration } from "../config/configuration.ts";

const SAMPLES_MAX = 160;

export interface LatencySample {
  /** Seconds since 1970. */
  readonly time: number;
  readonly milliseconds: number;
}

/** The spikes of one event, oldest first; there is at least one. */
export interface LatencyEvent {
  readonly name: string;
  readonly samples: readonly LatencySample[];
  /** The longest since the event was first seen or reset, in milliseconds. */
  readonly worst: number;
}

interface MutableEvent extends LatencyEvent {
  readonly samples: LatencySample[];
  worst: number;
}

export class LatencyMonitor {
  readonly #events = new Map<string, MutableEvent>();
  #thresholdMs: number;

  constructor(configuration: Configuration) {
    this.#thresholdMs = configuration.get("latency-monitor-threshold");
    configuration.onChange("latency-monitor-threshold", (milliseconds) => {
      this.#thresholdMs = milliseconds;
      return undefined;
    });
  }

  /** Milliseconds from which on something is a spike; 0 while nothing is monitored. */
  get thresholdMs(): number {
    return this.#thresholdMs;
  }

  /** In the order in which they were first seen. */
  get events(): readonly LatencyEvent[] {
    return [...this.#events.values()];
  }

  event(name: string): LatencyEvent | undefined {
    return this.#events.get(name);
  }

  /**
   * Notes how long something took, if that was long.
   * @param event such as "command"; from a fixed set, since every name is kept
   * @param clockMs milliseconds since 1970
   */
  add(event: string, milliseconds: number, clockMs: number): void {
    if (this.#thresholdMs === 0 || milliseconds < this.#thresholdMs) return;
    const sample = { time: Math.floor(clockMs / 1000), milliseconds: Math.floor(milliseconds) };
    const known = this.#events.get(event);
    if (known === undefined) {
      this.#events.set(event, { name: event, samples: [sample], worst: sample.milliseconds });
      return;
    }
    known.worst = Math.max(known.worst, sample.milliseconds);
    const last = known.samples.at(-1);
    if (last?.time === sample.time) {
      if (sample.milliseconds > last.milliseconds) known.samples[known.samples.length - 1] = sample;
      return;
    }
    known.samples.push(sample);
    if (known.samples.length > SAMPLES_MAX) known.samples.shift();
  }

  /** Forgets one event. @returns whether it was known */
  reset(event: string): boolean {
    return this.#events.delete(event);
  }

  /** Forgets everything. @returns how many events were known */
  resetAll(): number {
    const count = this.#events.size;
    this.#events.clear();
    return count;
  }
}
