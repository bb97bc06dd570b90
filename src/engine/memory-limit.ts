/**
 * MemoryLimit: `maxmemory`, and what is done about it: room is made before a command runs, or the command is refused.
 *
 *     used = blocks handed out + header and map of pages + buffers of connections      (running sums, never a walk)
 *
 * Blocks include tables, and what is dead but not free yet. Not included: what a freeze copies, as Redis does not count
 * what its child's pages cost; code and JavaScript objects; free room inside spans, which is fragmentation.
 *
 * As in Redis, room is tried to be made before every command, so that memory goes down even where only reads come; only
 * those that may need more are refused. How long a command waits for it is what maxmemory-eviction-tenacity says. What
 * is left then is told to `whenLeft`, so that it goes on in slices.
 *
 * A region may be full although the limit is not reached, or where there is none: keys do not spread evenly over
 * regions, and what is free may not be in one piece. Where keys may be evicted, users expect that rather than an error:
 * some are, from the regions that are full, what is left is moved together, and the command is tried again; it has
 * changed nothing.
 *
 * Owner thread only.
 */
import type { Services } from "../commands/context.ts";
import type { Configuration } from "../config/configuration.ts";
import { LATER, NO_ROOM, type Outcome, ROOM } from "../keyspace/eviction.ts";
import type { RegionFullError } from "../memory/heap.ts";

/** Milliseconds that a command waits for at each step of tenacity up to TENACITY_LINEAR, beyond which they grow. */
const STEP_MS = 0.05;
const TENACITY_LINEAR = 10;
const TENACITY_GROWTH = 1.15;
const TENACITY_UNBOUNDED = 100;

/** Milliseconds for making space in a region, each time; and how often it is tried for one command. */
const SPACE_MS = 5;
export const SPACE_ATTEMPTS = 8;

export class MemoryLimit {
  /** Bytes that may be used; 0 for no limit. */
  bytes = 0;
  /** Called when there is more to evict than a command could wait for. */
  whenLeft: () => void = () => undefined;
  /** Milliseconds spent on eviction since the start. */
  busyMs = 0;
  readonly #services: Services;
  #budgetMs = budgetOf(TENACITY_LINEAR);

  constructor(services: Services) {
    this.#services = services;
  }

  /** What counts against the limit, in bytes. */
  get usedBytes(): number {
    return this.#services.keyspace.chargedBytes + this.#services.clients.bufferBytes;
  }

  /** Whether commands that may need memory must be refused, or room be made for them. */
  get isExceeded(): boolean {
    return this.bytes > 0 && this.usedBytes > this.bytes;
  }

  /** Bytes beyond the limit; 0 if there are none. */
  get excessBytes(): number {
    return this.isExceeded ? this.usedBytes - this.bytes : 0;
  }

  /** Makes room before a command, if it can. @returns whether a command that may need memory may run */
  admit(): boolean {
    const outcome = this.#makeRoom(this.#budgetMs);
    if (outcome === LATER) this.whenLeft();
    return outcome !== NO_ROOM;
  }

  /**
   * Makes room in a region that is full.
   * @param bytes that the command has brought
   * @returns whether to try again
   */
  makeSpace({ region }: RegionFullError, bytes: number): boolean {
    const { evictor, defragmenter, shards } = this.#services.keyspace;
    const shard = shards.find((candidate) => candidate.region === region);
    if (shard === undefined || bytes > shard.region.size) return false;
    const begin = performance.now();
    const isWorthwhile = evictor.makeSpace(shard, bytes, SPACE_MS);
    if (isWorthwhile) defragmenter.hurry(shard, SPACE_MS);
    this.#noteTime(performance.now() - begin);
    return isWorthwhile;
  }

  /** Goes on with what commands have not waited for. @returns whether there is more to do at once */
  work(budgetMs: number): boolean {
    const { evictor } = this.#services.keyspace;
    if (this.isExceeded) {
      const outcome = this.#makeRoom(budgetMs);
      return outcome === LATER && evictor.isDue(this.#dataBytes);
    }
    evictor.noteRoom();
    return evictor.prepare(budgetMs);
  }

  /** Keeps all that depends on the configuration what it says, now and later. @returns a function that ends this */
  follow(configuration: Configuration): () => void {
    const { evictor, access, defragmenter } = this.#services.keyspace;
    this.bytes = Number(configuration.get("maxmemory"));
    const stops = [configuration.onChange("maxmemory", (value) => this.#setLimit(Number(value)))];
    const keep = <Name extends Followed>(name: Name, use: (value: Value<Name>) => void): void => {
      use(configuration.get(name));
      stops.push(
        configuration.onChange(name, (value) => {
          use(value);
          return undefined;
        }),
      );
    };
    keep("maxmemory-policy", (policy) => {
      if (policy === evictor.policy) return;
      evictor.policy = policy;
      this.whenLeft();
    });
    keep("maxmemory-samples", (samples) => {
      evictor.samples = samples;
    });
    keep("lfu-log-factor", (factor) => {
      access.logFactor = factor;
    });
    keep("lfu-decay-time", (minutes) => {
      access.decayMinutes = minutes;
    });
    keep("maxmemory-eviction-tenacity", (tenacity) => {
      this.#budgetMs = budgetOf(tenacity);
    });
    const { settings } = defragmenter;
    keep("activedefrag", (isOn) => {
      settings.isOn = isOn;
    });
    keep("active-defrag-ignore-bytes", (bytes) => {
      settings.ignoreBytes = Number(bytes);
    });
    keep("active-defrag-threshold-lower", (percent) => {
      settings.thresholdLower = percent;
    });
    keep("active-defrag-threshold-upper", (percent) => {
      settings.thresholdUpper = percent;
    });
    keep("active-defrag-cycle-min", (percent) => {
      settings.cycleMin = percent;
    });
    keep("active-defrag-cycle-max", (percent) => {
      settings.cycleMax = percent;
    });
    return () => {
      for (const stop of stops) stop();
    };
  }

  /** The part of the limit that is left for data. */
  get #dataBytes(): number {
    return Math.max(0, this.bytes - this.#services.clients.bufferBytes);
  }

  #makeRoom(budgetMs: number): Outcome {
    const { evictor } = this.#services.keyspace;
    if (!this.isExceeded || this.#services.keyspace.isLoading) return ROOM;
    if (!evictor.evicts && this.#services.keyspace.releaser.pendingBytes === 0) return evictor.refuse();
    const begin = performance.now();
    const outcome = evictor.makeRoom(this.#dataBytes, budgetMs);
    this.#noteTime(performance.now() - begin);
    return outcome;
  }

  #noteTime(milliseconds: number): void {
    const { keyspace, latency } = this.#services;
    this.busyMs += milliseconds;
    latency.add("eviction-cycle", milliseconds, keyspace.clock.now());
  }

  /** @returns why not: how much there is room for was settled when the store was opened */
  #setLimit(bytes: number): string | undefined {
    const { capacityBytes } = this.#services.keyspace.figures();
    if (bytes > capacityBytes)
      return `there is room for ${capacityBytes} bytes; more needs a restart with that maxmemory`;
    this.bytes = bytes;
    this.#services.keyspace.evictor.forgive();
    if (this.isExceeded) this.whenLeft();
    return undefined;
  }
}

type Followed =
  | "maxmemory-policy"
  | "maxmemory-samples"
  | "lfu-log-factor"
  | "lfu-decay-time"
  | "maxmemory-eviction-tenacity"
  | "activedefrag"
  | "active-defrag-ignore-bytes"
  | "active-defrag-threshold-lower"
  | "active-defrag-threshold-upper"
  | "active-defrag-cycle-min"
  | "active-defrag-cycle-max";
type Value<Name extends Followed> = ReturnType<typeof Configuration.prototype.get<Name>>;

/** Milliseconds that a command waits for room: Redis's own. */
export function budgetOf(tenacity: number): number {
  if (tenacity <= TENACITY_LINEAR) return STEP_MS * tenacity;
  if (tenacity >= TENACITY_UNBOUNDED) return Number.POSITIVE_INFINITY;
  return STEP_MS * TENACITY_LINEAR * TENACITY_GROWTH ** (tenacity - TENACITY_LINEAR);
}
