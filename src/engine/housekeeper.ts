/**
 * Housekeeper: what a store does on its own, and when.
 *
 *     timer ──▶ round ─────────▶ slice ┄┄┄▶ slice ┄┄┄▶ ...      until a slice has left nothing
 *               clock, counters  at most 0.5 ms, then sockets have their turn
 *
 * A round brings the clocks up to date and looks whether anything is due: with nothing to do it costs microseconds. The
 * work itself is done in slices: keys whose time has come, then values to be given back, then room to be made; the
 * order matters, because each may leave work for the next. Only when none of these has left anything, what is there is
 * put in order. What a slice does not finish goes on in the next turn of the event loop (base/next-turn.ts), so that
 * however much is due, nobody waits longer than a slice. Where keys expire by the million and somebody has asked since
 * the last slice, the next one waits for a millisecond, in which the loop sleeps: then most answers meet no slice at
 * all, and where processors are scarce this thread is not one that has had its share. Answers that are ready go out
 * before a slice begins (`beforeSlices`): otherwise who asks while much is due would wait for two, the one under way
 * and the one that the event loop has planned before the answer (docs/latency.md has what that was).
 *
 * How long a slice is follows from active-expire-effort: half of what Redis allows its fast cycle, so 0.5 ms, and a
 * quarter more for each step above 1. How often there is a round follows from hz, and with dynamic-hz from the number
 * of clients. Both directives are read at every round: nothing has to be told that they have changed.
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
 * What there is to do. Each of those with a budget gets milliseconds and stays within them but for its smallest step;
 * it returns whether it would go on at once if it had more. One that can do nothing at present returns false.
 */
export interface Chores {
  /** Clocks and counters; costs microseconds. */
  refresh(): void;
  expire(budgetMs: number): boolean;
  release(budgetMs: number): boolean;
  evict(budgetMs: number): boolean;
  /** Only while none of the others has left anything: it would put in order what is about to go. */
  tidy(budgetMs: number): boolean;
  /**
   * A slice is over, after so many milliseconds. Whoever listens can be told of what was done: nothing is under way,
   * and listeners may do anything.
   */
  finish(sliceMs: number): void;
  /** Clients connected, which dynamic-hz goes by. */
  clientCount(): number;
  /** Commands that have been executed so far. */
  commandCount(): number;
}

const SLICE_MS = 0.5;
const PAUSE_MS = 1;
/** Redis's rule for dynamic-hz: double it until no round has more clients than this to look after. */
const CLIENTS_PER_ROUND = 200;
const HZ_MAX = 500;

export class Housekeeper {
  readonly mode: HousekeepingMode;
  /** Milliseconds between looks at what has expired; undefined for those of every round. */
  readonly intervalMs: number | undefined;
  /** Called before each slice that the store begins by itself; servers send what they have to say. */
  readonly beforeSlices = new Set<() => void>();
  readonly #chores: Chores;
  readonly #configuration: Configuration;
  readonly #next = new NextTurn(() => this.#sliceBetweenAnswers());
  #timer: NodeJS.Timeout | undefined;
  #timerMs = 0;
  #pause: NodeJS.Timeout | undefined;
  #isClosed = false;
  /** When expiry is looked at again, in milliseconds of performance.now(). */
  #expiryAt = 0;
  /** Chores that the last slice did not finish: they share the next one. */
  #unfinished = 0;
  #expiryIsUnfinished = false;
  /** Commands executed when the last slice was over. */
  #commandsBefore = 0;
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
    return SLICE_MS * (1 + (this.#configuration.get("active-expire-effort") - 1) / 4);
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
    clearTimeout(this.#pause);
    this.#next.cancel();
  }

  #round(): void {
    this.#followInterval();
    this.#chores.refresh();
    // What is being done in slices goes on in slices: a round in between would only be one more.
    if (!this.#next.isArmed && this.#pause === undefined) this.#sliceBetweenAnswers();
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

  #sliceBetweenAnswers(): void {
    for (const send of this.beforeSlices) send();
    this.#slice(this.sliceMs);
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
    if (this.isBusy) this.#goOn();
    this.#commandsBefore = this.#chores.commandCount();
    return this.isBusy;
  }

  /** Sees to it that what is unfinished is gone on with. */
  #goOn(): void {
    const isOnlyExpiry = this.#unfinished === 1 && this.#expiryIsUnfinished;
    if (!isOnlyExpiry || this.#chores.commandCount() === this.#commandsBefore) {
      this.hurry();
    } else if (this.mode === "background" && !this.#isClosed) {
      this.#pause ??= setTimeout(() => {
        this.#pause = undefined;
        if (!this.#next.isArmed) this.#sliceBetweenAnswers();
      }, PAUSE_MS).unref();
    }
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
    if (unfinished === 0 && chores.tidy(budgetMs)) unfinished = 1;
    this.#unfinished = unfinished;
  }
}
