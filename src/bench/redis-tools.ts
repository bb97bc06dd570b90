/** redis-cli and redis-benchmark, from where redis-server is: they load and question the servers under test. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** What one run of redis-benchmark measured; latencies in milliseconds. */
export interface LoadResult {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

export interface Load {
  /** A test of redis-benchmark's own, or a command, in which `__rand_int__` is any number below `keys`. */
  readonly test: string | readonly string[];
  readonly requests: number;
  readonly depth: number;
  readonly valueBytes: number;
  readonly keys: number;
}

export const CLIENTS = 50;

export class RedisTools {
  readonly #directory: string;

  constructor(redisServer: string) {
    this.#directory = redisServer.includes("/") ? dirname(redisServer) : "";
  }

  /** Runs commands, one per line of redis-cli's input; returns the lines of all replies. Throws on any error reply. */
  async ask(port: number, commands: readonly string[]): Promise<string[]> {
    const args = ["-h", "127.0.0.1", "-p", String(port), "-e"];
    const replies = await this.#run("redis-cli", args, [`${commands.join("\n")}\n`]);
    return replies.split("\n").slice(0, -1);
  }

  /** A number from the server's INFO. */
  async info(port: number, field: string): Promise<number> {
    const line = (await this.ask(port, ["INFO"])).find((text) => text.startsWith(`${field}:`));
    if (line === undefined) throw new Error(`INFO has no ${field}`);
    return Number(line.slice(field.length + 1));
  }

  /** Sends `count` commands, already in protocol form; every one must be answered, and none with an error. */
  async feed(port: number, count: number, commands: Iterable<string | Uint8Array>): Promise<void> {
    const summary = await this.#run("redis-cli", ["-h", "127.0.0.1", "-p", String(port), "--pipe"], commands);
    if (summary.includes(`errors: 0, replies: ${count}\n`)) return;
    throw new Error(`loading by ${count} commands failed: ${summary}`);
  }

  /** One run of redis-benchmark, which itself stops with an error at the first error reply. */
  async load(port: number, load: Load): Promise<LoadResult> {
    const { test, requests, depth, valueBytes, keys } = load;
    const numbers = { "-p": port, "-c": CLIENTS, "-n": requests, "-P": depth, "-d": valueBytes, "-r": keys };
    const args = ["-h", "127.0.0.1", "--csv", ...Object.entries(numbers).flat().map(String)];
    const text = await this.#run("redis-benchmark", [...args, ...(typeof test === "string" ? ["-t", test] : test)], []);
    const [heads, figures, ...more] = text
      .trim()
      .split("\n")
      .map((line) => line.slice(1, -1).split('","'));
    if (heads === undefined || figures === undefined || more.length > 0) throw new Error(`not one result: ${text}`);
    const figure = (name: string): number => Number(figures[heads.indexOf(name)]);
    const result = { perSecond: figure("rps"), p50: figure("p50_latency_ms"), p99: figure("p99_latency_ms") };
    if (!(result.perSecond > 0 && Number.isFinite(result.perSecond))) throw new Error(`nothing was measured: ${text}`);
    return result;
  }

  /** redis-benchmark's test again and again, until what is returned is called, which waits for the end of it. */
  loadEndlessly(port: number, { test, depth, valueBytes, keys }: Omit<Load, "requests">): () => Promise<void> {
    const numbers = { "-p": port, "-c": CLIENTS, "-n": 100_000_000, "-P": depth, "-d": valueBytes, "-r": keys };
    const args = ["-h", "127.0.0.1", "-q", ...Object.entries(numbers).flat().map(String)];
    const program = join(this.#directory, "redis-benchmark");
    const child = spawn(program, [...args, ...(typeof test === "string" ? ["-t", test] : test)], { stdio: "ignore" });
    const ended = once(child, "close");
    ended.catch(() => undefined);
    const kill = (): boolean => child.kill("SIGKILL");
    process.once("exit", kill);
    return async () => {
      process.removeListener("exit", kill);
      if (child.exitCode !== null) throw new Error(`redis-benchmark ended early, with ${child.exitCode}`);
      kill();
      await ended;
    };
  }

  async #run(tool: string, args: readonly string[], input: Iterable<string | Uint8Array>): Promise<string> {
    const child = spawn(join(this.#directory, tool), args, { stdio: ["pipe", "pipe", "pipe"] });
    const ended = once(child, "close");
    const collect = async (stream: Readable): Promise<string> => Buffer.concat(await stream.toArray()).toString();
    const [output, complaints] = await Promise.all([
      collect(child.stdout),
      collect(child.stderr),
      pipeline(Readable.from(input), child.stdin).catch(ignoreClosedInput),
      ended,
    ]);
    if (child.exitCode === 0) return output;
    const said = `${complaints.slice(0, 500)}${output.slice(-500)}`; // the first complaint tells most
    throw new Error(`${tool} ended with ${child.exitCode ?? child.signalCode}: ${said}`);
  }
}

/** A tool that stops early closes its input; its exit code then says why. */
function ignoreClosedInput(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE" && error.code !== "ERR_STREAM_PREMATURE_CLOSE") throw error;
}

/** Commands in protocol form, in pieces of some hundred; their words are of one-byte characters. */
export function* protocolCommands(count: number, words: (i: number) => readonly string[]): Generator<string> {
  const perPiece = 500;
  for (let from = 0; from < count; from += perPiece) {
    let piece = "";
    for (let i = from; i < Math.min(from + perPiece, count); i += 1) {
      const command = words(i);
      piece += `*${command.length}\r\n`;
      for (const word of command) piece += `$${word.length}\r\n${word}\r\n`;
    }
    yield piece;
  }
}
