/** A server under test: started fresh on a free port of this machine, questioned for its CPU time, always stopped. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { SHIPPED_MAIN } from "../testing/shipped.ts";
import type { RedisTools } from "./redis-tools.ts";

const TICKS_PER_SECOND = 100; // what Linux shows to programs, whatever its own timer does
const START_SECONDS = 20;
const STOP_SECONDS = 10;

/** The command line of a server, without address and port. */
export type ServerCommand = readonly [command: string, ...args: string[]];

/** Our own server, as it ships. */
export function stillwaterCommand(): ServerCommand {
  return [process.execPath, SHIPPED_MAIN, "--save", ""];
}

export function redisCommand(redisServer: string): ServerCommand {
  return [redisServer, "--save", "", "--appendonly", "no"];
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, "close");
  return port;
}

/** User and system time of all threads, in seconds, from the text of /proc/<pid>/stat. */
export function cpuSecondsOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // the name before it may contain anything
  const ticks = Number(fields[11]) + Number(fields[12]);
  if (!Number.isFinite(ticks)) throw new Error(`no CPU time in ${stat}`);
  return ticks / TICKS_PER_SECOND;
}

export class ServerProcess {
  readonly port: number;
  readonly #child: ChildProcess;
  #complaints = "";

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
    child.stderr?.on("data", (text) => {
      this.#complaints = `${this.#complaints}${text}`.slice(-2_000);
    });
  }

  /** Starts the server and waits until it answers PING. Throws, with what it printed, if it does not. */
  static async start([command, ...args]: ServerCommand, tools: RedisTools): Promise<ServerProcess> {
    const port = await freePort();
    const address = ["--bind", "127.0.0.1", "--port", String(port)];
    const child = spawn(command, [...args, ...address], { stdio: ["ignore", "ignore", "pipe"] });
    const server = new ServerProcess(child, port);
    const kill = (): boolean => child.kill("SIGKILL");
    process.once("exit", kill);
    child.once("close", () => process.removeListener("exit", kill));
    child.once("error", (error) => {
      server.#complaints += error.message;
    });
    await server.#ready(tools);
    return server;
  }

  /** CPU time of the whole process so far, in seconds; null where the system does not show it. */
  cpuSeconds(): number | null {
    if (process.platform !== "linux") return null;
    return cpuSecondsOf(readFileSync(`/proc/${this.#child.pid}/stat`, "latin1"));
  }

  async stop(): Promise<void> {
    if (this.#hasEnded()) return;
    const ended = once(this.#child, "close");
    this.#child.kill("SIGTERM");
    const deadline = setTimeout(() => this.#child.kill("SIGKILL"), STOP_SECONDS * 1_000);
    await ended;
    clearTimeout(deadline);
  }

  async #ready(tools: RedisTools): Promise<void> {
    const deadline = Date.now() + START_SECONDS * 1_000;
    for (;;) {
      const answer = await tools.ask(this.port, ["PING"]).catch((error: Error) => [error.message]);
      if (answer[0] === "PONG") return;
      if (this.#hasEnded() || Date.now() > deadline) {
        await this.stop();
        throw new Error(`the server did not start: ${this.#complaints || answer[0]}`);
      }
      await delay(50);
    }
  }

  #hasEnded(): boolean {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}
