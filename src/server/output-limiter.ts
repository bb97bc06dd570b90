/**
 * OutputLimiter: client-output-buffer-limit: who has had too much waiting for it, or enough of it for too long.
 *
 * What counts is what a client has not read. Beside that, as in Redis, replies count before they are sent: a client
 * that asks for more at once than its hard limit allows is disconnected even if it would have read it all.
 */
import type { Configuration } from "../config/configuration.ts";
import type { OutputBufferLimit } from "../config/special-kinds.ts";

/** Redis writes a turn's first replies to a buffer of this size, which does not count. */
const UNCOUNTED_BYTES = 16 * 1024;

export class OutputLimiter {
  /** Replies of one turn that come to no more than this are over nobody's hard limit before they are sent. */
  unlimitedBytes = 0;
  readonly #configuration: Configuration;
  /** Since when a client is over its soft limit, milliseconds since 1970. */
  readonly #overSince = new WeakMap<object, number>();

  constructor(configuration: Configuration) {
    this.#configuration = configuration;
    this.#setUnlimited();
  }

  /** Follows the directive. @returns what ends this */
  follow(): () => void {
    return this.#configuration.onChange("client-output-buffer-limit", () => {
      this.#setUnlimited();
      return undefined;
    });
  }

  /**
   * @param bytes that wait for the client to read
   * @param isWatching whether it is sent what it did not ask for each time
   * @param now milliseconds since 1970
   */
  isExceeded(client: object, bytes: number, isWatching: boolean, now: number): boolean {
    const limit = this.#limit(isWatching);
    if (limit.hardBytes > 0 && bytes > limit.hardBytes) return true;
    if (limit.softBytes === 0 || bytes <= limit.softBytes) {
      this.#overSince.delete(client);
      return false;
    }
    const since = this.#overSince.get(client) ?? now;
    this.#overSince.set(client, since);
    return now - since >= limit.softSeconds * 1000;
  }

  /** @param bytes that wait, and those of replies that are to be sent. @param isWatching as for `isExceeded` */
  isOverHardLimit(bytes: number, isWatching: boolean): boolean {
    const { hardBytes } = this.#limit(isWatching);
    return hardBytes > 0 && bytes > hardBytes;
  }

  forget(client: object): void {
    this.#overSince.delete(client);
  }

  #limit(isWatching: boolean): OutputBufferLimit {
    const { normal, pubsub } = this.#configuration.get("client-output-buffer-limit");
    // Normal clients have no limit by default; what nobody asked for would then pile up without end.
    return isWatching ? pubsub : normal;
  }

  #setUnlimited(): void {
    const { normal, pubsub } = this.#configuration.get("client-output-buffer-limit");
    const limits = [normal, pubsub].map(({ hardBytes }) => (hardBytes === 0 ? Number.POSITIVE_INFINITY : hardBytes));
    this.unlimitedBytes = Math.max(UNCOUNTED_BYTES, Math.min(...limits));
  }
}
