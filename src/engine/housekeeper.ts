/**
 * Housekeeper: what a store does on its own, and when.
 *
 *     timer ──▶ round ─────────▶ slice ┄┄┄▶ slice ┄┄┄▶ ...      until a slice has left nothing
 *               clock, counters  at most 1 ms, then sockets have their turn
 *
 * A round brings the clocks up to date and looks whether anything is due: with nothing to do it costs microseconds. The
 * work itself is done in slices: keys whose time has come, then values to be given back, then room to be made; the
 * order matters, because each may leave work for the next. What a slice does not finish goes on in the next turn of the
 * event loop (base/next-turn.ts), so that however much is due, nobody waits longer than a slice.
 *
 * How long a slice is follows from active-expire-effort, and is what Redis allows its fast cycle: 1 ms, and a quarter
 * more for each step above 1. How often there is a round follows from hz, and with dynamic-hz from the number of
 * clients. Both directives are read at every round: nothing has to be told that they have changed.
 *
 * In the mode "manual" there is neither timer nor next turn: `tick` is all there is.
 * Owner thread only. Invariant: never keeps the process alive.
 */
import { NextTurn } from "../base/next-turn.ts";
import type { Configuration } from "../config/configuration.ts";

/** Whether a store does its work by itself, or when it is told to. */
export type HousekeepingMode = "background" | "manual";

export interface HousekeepingOptions {
  readonly mode?: HousekeepingMode | undefined;
  /** Milliseconds between two looks at what has expired; by default those that follow from `hz`. */
  readonly intervalMs?: number | undefined;
}

/**
 * What there is to do. Each of the last three gets milliseconds and stays within them but for its smallest step; it
 * returns whether it would go on at once if it had more. One that can do nothing at present returns false.
 */
export interface Chores {
  /** Clocks and counters; costs microseconds. */
  refresh(): void;
  expire(budgetMs: number): boolean;
  release(budgetMs: number): boolean;
  evict(budgetMs: number): boolean;
  /**
   * A slice is over, after so many milliseconds. Whoever listens can be told of what was done: nothing is under way,
   * and listeners may do anything.
   */
  finish(sliceMs: number): void;
  /** Clients connected, which dynamic-hz goes by. */
  clientCount(): number;
}

const FAST_CYCLE_MS = 1;
/** Redis's rule for dynamic-hz: double it until no round has more clients than this to look after. */
const CLIENTS_PER_ROUND = 200;
const HZ_MAX = 500;

export class Housekeeper {
  readonly mode: HousekeepingMode;
  /** Milliseconds between looks at what has expired; undefined for those of every round. */
  readonly intervalMs: number | undefined;
  readonly #chores: Chores;
  readonly #configuration: Configuration;
  readonly #next = new NextTurn(() => this.#slice(this.sliceMs));
  #timer: NodeJS.Timeout | undefined;
  #timerMs = 0;
  #isClosed = false;
  /** When expiry is looked at again, in milliseconds of performance.now(). */
  #expiryAt = 0;
  /** Chores that the last slice did not finish: they share the next one. */
  #unfinished = 0;
  #expiryIsUnfinished = false;
  #isAtWork = false;

  constructor(chores: Chores, configuration: Configuration, options: HousekeepingOptions = {}) {
    this.#chores = chores;
    this.#configuration = configuration;
    this.mode = options.mode ?? "background";
    this.intervalMs = options.intervalMs;
    this.#followInterval();
  }

  /** Rounds a second: `hz`, or more where many clients are connected. */
  get hz(): number {
    let hz = this.#configuration.get("hz");
    if (!this.#configuration.get("dynamic-hz")) return hz;
    const clients = this.#chores.clientCount();
    while (clients / hz > CLIENTS_PER_ROUND && hz < HZ_MAX) hz = Math.min(HZ_MAX, hz * 2);
    return hz;
  }

  /** Milliseconds that a slice may take. */
  get sliceMs(): number {
    return FAST_CYCLE_MS * (1 + (this.#configuration.get("active-expire-effort") - 1) / 4);
  }

  /** Whether a slice has left something, which the next one goes on with. */
  get isBusy(): boolean {
    return this.#unfinished > 0;
  }

  /**
   * Does what is due, for at most `budgetMs` and a step; the rest follows by itself, or in the mode "manual" with the
   * next call.
   * @returns whether more is due
   */
  tick(budgetMs: number = this.sliceMs): boolean {
    // A listener who is told of a slice may call; the slice is as good as the one it asks for.
    if (this.#isAtWork || this.#isClosed) return this.isBusy;
    this.#expiryAt = 0;
    this.#chores.refresh();
    return this.#slice(budgetMs);
  }

  /** Something is due at once: a slice follows in the next turn of the event loop; not in the mode "manual". */
  hurry(): void {
    if (this.mode === "background" && !this.#isClosed) this.#next.arm();
  }

  /** Nothing more is done; idempotent. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#next.cancel();
  }

  #round(): void {
    this.#followInterval();
    this.#chores.refresh();
    // What is being done in slices goes on in slices: a round in between would only be one more.
    if (!this.#next.isArmed) this.#slice(this.sliceMs);
  }

  /** Makes the timer what the directives and the number of clients say now. */
  #followInterval(): void {
    if (this.mode === "manual") return;
    const milliseconds = Math.max(1, Math.min(1000 / this.hz, this.intervalMs ?? Number.POSITIVE_INFINITY));
    if (milliseconds === this.#timerMs) return;
    clearInterval(this.#timer);
    this.#timerMs = milliseconds;
    this.#timer = setInterval(() => this.#round(), milliseconds).unref();
  }

  #slice(budgetMs: number): boolean {
    this.#isAtWork = true;
    try {
      const begin = performance.now();
      this.#work(budgetMs, begin);
      this.#chores.finish(performance.now() - begin);
    } finally {
      this.#isAtWork = false;
    }
    if (this.isBusy) this.hurry();
    return this.isBusy;
  }

  #work(budgetMs: number, begin: number): void {
    const chores = this.#chores;
    const share = budgetMs / Math.max(1, this.#unfinished);
    let unfinished = 0;
    if (this.#expiryIsUnfinished || begin >= this.#expiryAt) {
      this.#expiryIsUnfinished = chores.expire(share);
      this.#expiryAt = begin + (this.intervalMs ?? 0);
      if (this.#expiryIsUnfinished) unfinished += 1;
    }
    if (chores.release(share)) unfinished += 1;
    if (chores.evict(share)) unfinished += 1;
    this.#unfinished = unfinished;
  }
}
