/** client-output-buffer-limit: who has had too much waiting for it, or enough of it for too long. */
import type { OutputBufferLimit } from "../config/special-kinds.ts";

export class OutputLimiter {
  /** Since when a client is over its soft limit, milliseconds since 1970. */
  readonly #overSince = new WeakMap<object, number>();

  /** @param bytes that wait for the client to read. @param now milliseconds since 1970 */
  isExceeded(client: object, bytes: number, limit: OutputBufferLimit, now: number): boolean {
    if (limit.hardBytes > 0 && bytes > limit.hardBytes) return true;
    if (limit.softBytes === 0 || bytes <= limit.softBytes) {
      this.#overSince.delete(client);
      return false;
    }
    const since = this.#overSince.get(client) ?? now;
    this.#overSince.set(client, since);
    return now - since >= limit.softSeconds * 1000;
  }

  forget(client: object): void {
    this.#overSince.delete(client);
  }
}
