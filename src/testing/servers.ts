/**
 * Starts servers for tests: a real redis-server to compare with, or ours as users start it.
 *
 * Each gets a free port of 127.0.0.1, a temporary directory of its own, and ends by its process id: by `stop()`, or at
 * the latest when the test's process ends, however it ends. A forgotten server never keeps that process alive.
 */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { RespClient } from "./resp-client.ts";
import { SHIPPED_MAIN } from "./shipped.ts";

/** A running server. */
export interface TestServer {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  readonly directory: string;
  /** A new connection; the caller closes it, or leaves that to `stop`. */
  client(): Promise<RespClient>;
  /** SIGTERM, then after 5 seconds SIGKILL; waits for the end, and removes the directory. */
  stop(): Promise<void>;
  /** What the server has printed so far, standard error included. */
  output(): string;
  /** How the process ended, or undefined while it runs. */
  ended(): string | undefined;
}

const START_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 5_000;
const running = new Map<number, string>();

/**
 * Starts the redis-server found in PATH, without persistence.
 * @param args further directives, as on its command line
 * @throws Error when it is not installed, or does not answer in time
 */
export function startRedis(args: readonly string[] = []): Promise<TestServer> {
  return start("redis-server", "redis-server", [], ["--enable-debug-command", "yes", ...args]);
}

/**
 * Starts the server that this package ships, without persistence.
 * @param args further directives, as on its command line
 * @throws Error when it has not been built, or does not answer in time
 */
export function startStillwater(args: readonly string[] = []): Promise<TestServer> {
  return start("stillwater", process.execPath, [SHIPPED_MAIN], ["--enable-debug-command", "yes", ...args]);
}

async function start(name: string, program: string, first: readonly string[], args: readonly string[]) {
  for (let attempt = 1; ; attempt += 1) {
    const server = launch(name, program, [...first], await freePort(), args);
    try {
      await answering(server);
      return server;
    } catch (error) {
      await server.stop();
      // Another process may have taken the port between our look and the server's.
      if (attempt < 5 && /in use|EADDRINUSE/i.test(server.output())) continue;
      throw error;
    }
  }
}

function launch(name: string, program: string, first: string[], port: number, args: readonly string[]): TestServer {
  const directory = mkdtempSync(join(tmpdir(), `${name}-test-`));
  const fixed = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", directory];
  const child = spawn(program, [...first, ...fixed, ...args], { stdio: ["ignore", "pipe", "pipe"], cwd: directory });
  const pid = child.pid ?? 0;
  let output = "";
  let ended: string | undefined;
  const exit = new Promise<void>((resolve) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      ended = error.code === "ENOENT" ? notInstalled(program) : error.message;
      resolve();
    });
    child.once("exit", (code, signal) => {
      ended = signal === null ? `exit code ${code}` : `killed by ${signal}`;
      running.delete(pid);
      resolve();
    });
  });
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text));
  if (pid > 0) endWithThisProcess(pid, directory);
  letGo(child);
  return {
    name,
    port,
    pid,
    directory,
    client: () => RespClient.connect({ port }),
    output: () => output,
    ended: () => ended,
    async stop() {
      if (ended === undefined) await end(pid, exit);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function notInstalled(program: string): string {
  return `${program} is not installed; on Debian or Ubuntu: apt-get install redis-server`;
}

async function end(pid: number, exit: Promise<void>): Promise<void> {
  process.kill(pid, "SIGTERM");
  // The timer also keeps this process alive until the server has ended.
  const timer = setTimeout(() => process.kill(pid, "SIGKILL"), STOP_TIMEOUT_MS);
  await exit;
  clearTimeout(timer);
}

async function answering(server: TestServer): Promise<void> {
  for (const deadline = Date.now() + START_TIMEOUT_MS; ; await sleep(20)) {
    if (server.ended() !== undefined) {
      throw new Error(`${server.name} did not start: ${server.ended()}\n${server.output()}`);
    }
    const answered = await pings(server);
    if (answered) return;
    if (Date.now() > deadline) throw new Error(`${server.name} does not answer PING:\n${server.output()}`);
  }
}

async function pings(server: TestServer): Promise<boolean> {
  try {
    const client = await server.client();
    const reply = await client.command("PING");
    await client.close();
    return /^(\+PONG|-NOAUTH)/.test(reply.toString());
  } catch {
    return false;
  }
}

/** A port of 127.0.0.1 nobody listens on at the moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const listener = createServer();
    listener.once("error", reject);
    listener.listen(0, "127.0.0.1", () => {
      const address = listener.address();
      listener.close(() =>
        address !== null && typeof address === "object" ? resolve(address.port) : reject(new Error("no free port")),
      );
    });
  });
}

function letGo(child: ChildProcessByStdio<null, Readable, Readable>): void {
  child.unref();
  for (const stream of [child.stdout, child.stderr]) if ("unref" in stream) (stream as { unref(): void }).unref();
}

function endWithThisProcess(pid: number, directory: string): void {
  if (running.size === 0 && process.listenerCount("exit", killAll) === 0) {
    process.on("exit", killAll);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.once(signal, () => {
        killAll();
        process.kill(process.pid, signal);
      });
    }
  }
  running.set(pid, directory);
}

function killAll(): void {
  for (const [pid, directory] of running) {
    running.delete(pid);
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended on its own a moment ago.
    }
    rmSync(directory, { recursive: true, force: true });
  }
}
