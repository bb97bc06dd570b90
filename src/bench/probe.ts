/**
 * A connection in a process of its own that asks PING and GET all the while: what another client feels of what a server
 * does. Being a process, it has no part in the stalls of the harness; see probe-process.ts.
 */
import { type ChildProcess, fork } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Latencies } from "./latencies.ts";

export const PROBE_KEY = "probe";
export const PROBE_VALUE = "value";

/** Both are answered: the order to begin with null, "end" with what was measured since. */
export type ProbeOrder = { readonly pauseMilliseconds: number } | "end";

// Room for young garbage: collections of a second's requests, not of a tenth's.
const NODE_OPTIONS = ["--max-semi-space-size=32"];

export class Probe {
  readonly #child: ChildProcess;
  readonly #ended: Promise<never>;

  /** Starts to ask the server on `port` of this machine. */
  constructor(port: number) {
    const entry = fileURLToPath(new URL(`./probe-process${extname(import.meta.url)}`, import.meta.url));
    const stdio = ["ignore", "inherit", "inherit", "ipc"] as const;
    this.#child = fork(entry, [String(port)], { execArgv: NODE_OPTIONS, stdio: [...stdio] });
    const kill = (): boolean => this.#child.kill("SIGKILL");
    process.once("exit", kill);
    this.#ended = new Promise((_, reject) => {
      this.#child.once("error", reject);
      // Not "close": Node.js never emits that once the parent has disconnected.
      this.#child.once("exit", (code, signal) => {
        process.removeListener("exit", kill);
        reject(new Error(`the probe ended with ${code ?? signal}`));
      });
    });
    this.#ended.catch(() => undefined); // told to whoever waits for an answer
  }

  /** From now on answers count; a pause of at least so many milliseconds is between an answer and the next question. */
  async begin(pauseMilliseconds: number): Promise<void> {
    await this.#order({ pauseMilliseconds });
  }

  /** What was measured since `begin`. */
  end(): Promise<Latencies> {
    return this.#order("end") as Promise<Latencies>;
  }

  async stop(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    await this.#ended.catch(() => undefined);
  }

  #order(order: ProbeOrder): Promise<Latencies | null> {
    const answered = new Promise<Latencies | null>((resolve) => {
      this.#child.once("message", (answer) => resolve(answer as Latencies | null));
    });
    this.#child.send(order);
    return Promise.race([answered, this.#ended]);
  }
}
