/** A server under test, with the probe on it, and a second connection by which the harness gives its orders. */
import { setTimeout as delay } from "node:timers/promises";
import { RespClient } from "../testing/resp-client.ts";
import type { Latencies } from "./latencies.ts";
import { commandCount, type Numbered, numberedCommands } from "./numbered-commands.ts";
import { PROBE_KEY, PROBE_VALUE, Probe } from "./probe.ts";
import type { RedisTools } from "./redis-tools.ts";
import { type ServerCommand, ServerProcess } from "./server-process.ts";

const ANSWER_MILLISECONDS = 300_000;

export class Subject {
  readonly server: ServerProcess;
  readonly tools: RedisTools;
  readonly #control: RespClient;
  readonly #probe: Probe;

  private constructor(server: ServerProcess, tools: RedisTools, control: RespClient, probe: Probe) {
    this.server = server;
    this.tools = tools;
    this.#control = control;
    this.#probe = probe;
  }

  /** Starts a server, fresh and empty but for the probe's key, and ends all of it when `work` is done. */
  static async use<T>(command: ServerCommand, tools: RedisTools, work: (subject: Subject) => Promise<T>): Promise<T> {
    const server = await ServerProcess.start(command, tools);
    let probe: Probe | undefined;
    try {
      const control = await RespClient.connect({ port: server.port }, ANSWER_MILLISECONDS);
      await control.command("SET", PROBE_KEY, PROBE_VALUE);
      probe = new Probe(server.port);
      return await work(new Subject(server, tools, control, probe));
    } finally {
      await probe?.stop();
      await server.stop();
    }
  }

  /** One command; the first line of its reply, without its type. Throws on an error reply. */
  async ask(...words: readonly string[]): Promise<string> {
    const reply = (await this.#control.command(...words)).toString("latin1");
    if (reply.startsWith("-")) throw new Error(`${words[0]}: ${reply.trim()}`);
    return reply.slice(1, reply.indexOf("\r\n"));
  }

  /** A number from a section of INFO. */
  async info(section: string, field: string): Promise<number> {
    const figure = Number.parseInt(await this.text(section, field), 10);
    if (!Number.isFinite(figure)) throw new Error(`INFO ${section}: ${field} is no number`);
    return figure;
  }

  /** A word from a section of INFO. */
  async text(section: string, field: string): Promise<string> {
    const text = (await this.#control.command("INFO", section)).toString("latin1");
    const word = new RegExp(`^${field}:(\\S+)`, "m").exec(text)?.[1];
    if (word === undefined) throw new Error(`INFO ${section} has no ${field}`);
    return word;
  }

  /** Sends all commands of `numbered` as fast as the server takes them. */
  async load(numbered: Numbered, elements: number): Promise<void> {
    await this.tools.feed(this.server.port, commandCount(numbered, elements), numberedCommands(numbered, elements));
  }

  /** The answers to the probe, asked with such pauses, while `work` goes on, and for at least so many seconds. */
  async probed(pauseMilliseconds: number, secondsMin: number, work: () => Promise<void>): Promise<Latencies> {
    await this.#probe.begin(pauseMilliseconds);
    const floor = delay(secondsMin * 1_000);
    await work();
    await floor;
    return await this.#probe.end();
  }
}

/** Asks again and again, a pause between, until `isDone` says so; returns the seconds it took. Throws if too many. */
export async function secondsUntil(what: string, secondsMax: number, isDone: () => Promise<boolean>): Promise<number> {
  const pauseMilliseconds = 10;
  const start = performance.now();
  for (;;) {
    if (await isDone()) return (performance.now() - start) / 1_000;
    if (performance.now() - start > secondsMax * 1_000) throw new Error(`not within ${secondsMax} s: ${what}`);
    await delay(pauseMilliseconds);
  }
}
