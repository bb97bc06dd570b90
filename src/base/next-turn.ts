/**
 * NextTurn: runs a function in the next turn of the event loop, after the sockets have been looked at, and keeps no
 * process alive for it longer than that turn.
 *
 * What is armed from elsewhere is an ordinary immediate: it ends the loop's sleep and costs next to nothing, and a
 * process that is about to end has one more turn. A function that arms itself again, turn by turn, must not keep the
 * process for as long as there is work; but an unreferenced immediate does not stop the loop from sleeping until
 * something else happens, so in an idle process the next slice of some work would wait for the next timer. A message to
 * ourselves, on an unreferenced port, ends that sleep; it costs some 10 microseconds, which slices can bear and a
 * command that hands something over should not (docs/latency.md). Measured, 1 ms slices follow one another as closely
 * as with a referenced immediate, where timers would leave half of the time unused. The function itself does not run
 * in the port's handler, because ports deliver hundreds of messages in a row before sockets have their turn.
 */
import { MessageChannel, type MessagePort } from "node:worker_threads";

export class NextTurn {
  readonly #run: () => void;
  #immediate: NodeJS.Immediate | undefined;
  #port: MessagePort | undefined;
  #isRunning = false;

  /** @param run called once for each `arm`, or for several that came in one turn */
  constructor(run: () => void) {
    this.#run = run;
  }

  get isArmed(): boolean {
    return this.#immediate !== undefined;
  }

  /** Runs the function in the next turn, once. */
  arm(): void {
    if (this.#immediate !== undefined) return;
    this.#immediate = setImmediate(this.#fire);
    if (!this.#isRunning) return;
    this.#immediate.unref();
    this.#port ??= openPort();
    this.#port.postMessage(0);
  }

  /** Takes back what was armed, and gives back the port; it may be armed again. */
  cancel(): void {
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
    this.#port?.close();
    this.#port = undefined;
  }

  readonly #fire = (): void => {
    this.#immediate = undefined;
    this.#isRunning = true;
    try {
      this.#run();
    } finally {
      this.#isRunning = false;
    }
  };
}

/** A port that answers to nobody: what is posted there only wakes this thread. */
function openPort(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port2.on("message", () => undefined);
  port2.unref();
  return port1;
}
