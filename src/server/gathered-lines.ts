/**
 * GatheredLines: what a client is sent without asking for it each time (MONITOR's lines, messages), as one write for
 * all that comes up in a turn.
 */
import type { Duplex } from "node:stream";

export class GatheredLines {
  readonly #stream: Duplex;
  readonly #onSent: () => void;
  #isGathering = false;

  /** @param onSent told when what was gathered has been handed to the stream */
  constructor(stream: Duplex, onSent: () => void) {
    this.#stream = stream;
    this.#onSent = onSent;
  }

  /** @param bytes must stay as they are */
  add(bytes: Buffer): void {
    if (!this.#isGathering) {
      this.#isGathering = true;
      this.#stream.cork();
      process.nextTick(() => {
        this.#isGathering = false;
        this.#stream.uncork();
        this.#onSent();
      });
    }
    this.#stream.write(bytes);
  }
}
