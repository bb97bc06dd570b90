/**
 * RewriteSchedule: when the log is rewritten by itself, and what came of rewrites.
 *
 * The rule is Redis's: the log is at least `auto-aof-rewrite-min-size`, and has grown by
 * `auto-aof-rewrite-percentage` since it was last rewritten, or loaded. After rewrites that failed, the next one waits:
 * a minute, and twice as long with each failure, up to an hour; one that is asked for does not wait.
 *
 * Owner thread only.
 */
import type { Configuration } from "../config/configuration.ts";

const RETRY_MS_MIN = 60_000;
const RETRY_MS_MAX = 3_600_000;

export class RewriteSchedule {
  /** Whether one has been asked for, and waits for a snapshot to be over. */
  isScheduled = false;
  rewrites = 0;
  failuresInARow = 0;
  /** Bytes of the log when it was last rewritten, or loaded. */
  rememberedSize = 0;
  readonly #configuration: Configuration;
  readonly #now: () => number;
  #retryAt = 0;

  /** @param now milliseconds of any clock that only goes forward */
  constructor(configuration: Configuration, now: () => number = () => performance.now()) {
    this.#configuration = configuration;
    this.#now = now;
  }

  get hasFailed(): boolean {
    return this.failuresInARow > 0;
  }

  /** Whether enough time has passed since a failure. */
  get mayRetry(): boolean {
    return this.#now() >= this.#retryAt;
  }

  rememberSize(bytes: number): void {
    this.rememberedSize = bytes;
  }

  /** @param isHealthy a log that has failed is rewritten only when that is asked for */
  isDue(bytes: number, isHealthy: boolean): boolean {
    if (this.isScheduled) return true;
    if (!isHealthy || !this.mayRetry) return false;
    const percentage = this.#configuration.get("auto-aof-rewrite-percentage");
    if (percentage === 0 || bytes < this.#configuration.get("auto-aof-rewrite-min-size")) return false;
    const growth = (bytes * 100) / Math.max(1, this.rememberedSize) - 100;
    return growth >= percentage;
  }

  begin(): void {
    this.isScheduled = false;
    this.rewrites += 1;
  }

  end(hasSucceeded: boolean): void {
    if (hasSucceeded) {
      this.failuresInARow = 0;
      this.#retryAt = 0;
      return;
    }
    this.failuresInARow += 1;
    this.#retryAt = this.#now() + Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** (this.failuresInARow - 1));
  }
}
