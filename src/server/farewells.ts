/**
 * Farewells: connections that end after a last word: the reply to QUIT, the error of a broken protocol, a refusal.
 *
 * They are not simply closed, because a socket that is closed with bytes from its client unread is reset, and the last
 * word may be lost. So what the client still sends is read and thrown away until it closes its end, for a time.
 */
import type { Duplex } from "node:stream";

export class Farewells {
  readonly #streams = new Set<Duplex>();

  /**
   * Closes the stream once all that was written is sent and the client has closed its end.
   * @param patienceMs milliseconds after which it is closed all the same
   */
  begin(stream: Duplex, patienceMs: number): void {
    if (stream.destroyed) return;
    this.#streams.add(stream);
    const timer = setTimeout(() => stream.destroy(), patienceMs).unref();
    stream.once("close", () => {
      clearTimeout(timer);
      this.#streams.delete(stream);
    });
    stream.end();
    stream.resume();
  }

  /** Closes all of them now. */
  close(): void {
    for (const stream of this.#streams) stream.destroy();
  }
}
