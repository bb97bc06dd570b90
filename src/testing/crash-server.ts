/** A server as users start it, on files that outlive it: it is killed without warning and started again on them. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { RespClient } from "./resp-client.ts";
import { SHIPPED_MAIN } from "./shipped.ts";

const START_TIMEOUT_MS = 20_000;
const LOOK_EVERY_MS = 5;

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export class CrashServer {
  readonly #child: ChildProcess;
  readonly #port: number;
  readonly #ended: Promise<unknown>;
  #output = "";

  /** @param args of the command line, beside port and address */
  constructor(port: number, args: readonly string[]) {
    this.#port = port;
    const fixed = ["--port", `${port}`, "--bind", "127.0.0.1", "--enable-debug-command", "yes"];
    this.#child = spawn(process.execPath, [SHIPPED_MAIN, ...fixed, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    running.add(this.#child);
    this.#ended = once(this.#child, "close").finally(() => running.delete(this.#child));
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (text) => {
        this.#output += text;
      });
    }
  }

  /** What it has printed. */
  get output(): string {
    return this.#output;
  }

  /** Connects once everything has been loaded. @throws Error when it ends instead, or that takes too long */
  async ready(): Promise<RespClient> {
    for (const deadline = Date.now() + START_TIMEOUT_MS; ; await sleep(LOOK_EVERY_MS)) {
      const { exitCode, signalCode } = this.#child;
      if (exitCode !== null || signalCode !== null) {
        await this.#ended;
        throw new Error(`the server did not start, it ended with ${exitCode ?? signalCode}:\n${this.#output}`);
      }
      const client = await this.client().catch(() => undefined);
      const answer = await client?.command("PING").catch(() => undefined);
      if (client !== undefined && answer?.toString() === "+PONG\r\n") return client;
      await client?.close();
      if (Date.now() > deadline) throw new Error(`the server is not ready in time:\n${this.#output}`);
    }
  }

  client(): Promise<RespClient> {
    return RespClient.connect({ port: this.#port });
  }

  /** Ends it where it stands. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  /** Asks it to end. @returns its exit code, or the signal that ended it */
  async stop(): Promise<number | string | null> {
    this.#child.kill("SIGTERM");
    await this.#ended;
    return this.#child.exitCode ?? this.#child.signalCode;
  }
}
