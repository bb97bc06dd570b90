/** A server used as a cache through the protocol: batches of GET, and SET of what was not there. */
import { RespClient } from "../testing/resp-client.ts";
import { numberedCommands } from "./numbered-commands.ts";
import type { RedisTools } from "./redis-tools.ts";
import { type ServerCommand, ServerProcess } from "./server-process.ts";

export const VALUE_BYTES = 128;

const DIGITS = 12;
const PADDING = "x".repeat(VALUE_BYTES - DIGITS);
const KEY = `key:${"#".repeat(DIGITS)}`;
const GET = `*2\r\n$3\r\nGET\r\n$${KEY.length}\r\n${KEY}\r\n`;
const SET = `*3\r\n$3\r\nSET\r\n$${KEY.length}\r\n${KEY}\r\n$${VALUE_BYTES}\r\n${"#".repeat(DIGITS)}${PADDING}\r\n`;
const ANSWER_MILLISECONDS = 60_000;
const SET_REPLY_BYTES = "+OK\r\n".length;
/** Where in the reply to GET the value begins. */
const VALUE_AT = `$${VALUE_BYTES}\r\n`.length;
const VALUE_REPLY_BYTES = VALUE_AT + VALUE_BYTES + 2;
const NO_VALUE_BYTES = "$-1\r\n".length;

function digits(key: number): string {
  return String(key).padStart(DIGITS, "0");
}

/** The same command for each of the keys; their numbers stand where the pattern has digits' places. */
function batch(pattern: string, keys: readonly number[]): Buffer {
  const bytes = Buffer.from(pattern.repeat(keys.length), "latin1");
  const places: number[] = [];
  const place = "#".repeat(DIGITS);
  for (let at = pattern.indexOf(place); at >= 0; at = pattern.indexOf(place, at + DIGITS)) places.push(at);
  keys.forEach((key, i) => {
    for (const at of places) bytes.latin1Write(digits(key), i * pattern.length + at, DIGITS);
  });
  return bytes;
}

/** Bytes of memory, and keys. */
interface Level {
  readonly used: number;
  readonly keys: number;
}

export class CacheServer {
  readonly #server: ServerProcess;
  readonly #client: RespClient;
  readonly #tools: RedisTools;
  #limit = 0;

  private constructor(server: ServerProcess, client: RespClient, tools: RedisTools) {
    this.#server = server;
    this.#client = client;
    this.#tools = tools;
  }

  /** Starts one, empty and without a policy; stop it when it is no longer used. */
  static async start(command: ServerCommand, tools: RedisTools): Promise<CacheServer> {
    // A limit from the start: a server that divides its memory by it need not prepare for all of the machine's.
    const server = await ServerProcess.start([...command, "--maxmemory", "1gb"], tools);
    try {
      return new CacheServer(server, await RespClient.connect({ port: server.port }, ANSWER_MILLISECONDS), tools);
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  /** The memory that so many keys need: they are loaded, and taken out again. `keys` is a multiple of 1,000. */
  async memoryOf(keys: number): Promise<{ readonly total: number; readonly perKey: number }> {
    const empty = (await this.level()).used;
    const element = (number: { upper: string; lower: string }): string[] => {
      const text = `${number.upper}${number.lower}`;
      return [`key:${text}`, `${text}${PADDING}`];
    };
    await this.#tools.feed(this.#server.port, keys, numberedCommands({ head: ["SET"], element, perCommand: 1 }, keys));
    const { used, keys: count } = await this.level();
    if (count !== keys || used <= empty) throw new Error(`${count} of ${keys} keys were loaded, ${used} bytes used`);
    await this.#ask("FLUSHALL", "SYNC");
    return { total: used, perKey: (used - empty) / keys };
  }

  async configure(settings: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, value] of Object.entries(settings)) await this.#ask("CONFIG", "SET", name, value);
  }

  /** Bytes of `maxmemory`. */
  get limit(): number {
    return this.#limit;
  }

  async setLimit(bytes: number): Promise<void> {
    this.#limit = Math.round(bytes);
    await this.configure({ maxmemory: String(this.#limit) });
  }

  async level(): Promise<Level> {
    const used = Number(/^used_memory:(\d+)/m.exec(await this.#ask("INFO", "memory"))?.[1]);
    return { used, keys: Number((await this.#ask("DBSIZE")).slice(1)) };
  }

  async evicted(): Promise<number> {
    return Number(/^evicted_keys:(\d+)/m.exec(await this.#ask("INFO", "stats"))?.[1]);
  }

  /** Asks for all keys, then stores those that are not there. Returns how many were there. */
  async request(keys: readonly number[]): Promise<number> {
    this.#client.send(batch(GET, keys));
    const replies = await this.#client.receive(keys.length);
    const missing = keys.filter((key, i) => !isValueOf(replies[i] as Buffer, key));
    if (missing.length > 0) {
      this.#client.send(batch(SET, missing));
      const answers = await this.#client.receive(missing.length);
      const wrong = answers.find(({ length }) => length !== SET_REPLY_BYTES);
      if (wrong !== undefined) throw new Error(`SET was answered ${wrong.toString("latin1")}`);
    }
    return keys.length - missing.length;
  }

  async #ask(...words: readonly string[]): Promise<string> {
    const reply = (await this.#client.command(...words)).toString("latin1");
    if (reply.startsWith("-")) throw new Error(`${words.join(" ")}: ${reply.trim()}`);
    return reply;
  }
}

/** Whether the reply holds the key's value; throws if it is anything else than that or none. */
function isValueOf(reply: Buffer, key: number): boolean {
  if (reply.length === NO_VALUE_BYTES && reply[0] === "$".charCodeAt(0)) return false;
  const isRight = reply.length === VALUE_REPLY_BYTES && reply.latin1Slice(VALUE_AT, VALUE_AT + DIGITS) === digits(key);
  if (!isRight) throw new Error(`GET of key ${key} was answered ${reply.toString("latin1")}`);
  return true;
}
