/**
 * Scenarios that need more than one connection, or a loop: each is played to one server and returns what it saw, with
 * what must differ between two servers (addresses, times, numbers of connections) taken out. The test plays each to
 * both servers and compares.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { ReplyMissing, type RespClient } from "../testing/resp-client.ts";
import { decode, encodeCommand, type Reply } from "../testing/resp-frame.ts";
import type { TestServer } from "../testing/servers.ts";
import { clientFields, list, sorted } from "./replies.ts";

export type Scenario = (server: TestServer) => Promise<unknown>;

/** Sends a line of plain words and decodes the reply. */
async function ask(client: RespClient, line: string): Promise<Reply> {
  return decode(await client.command(...line.split(" ")));
}

async function askAll(client: RespClient, ...lines: string[]): Promise<Reply[]> {
  return (await client.pipeline(lines.map((line) => line.split(" ")))).map(decode);
}

/** What arrives within `silenceMs` milliseconds of each other, until nothing more comes or the connection ends. */
async function arriving(client: RespClient, silenceMs = 100): Promise<Reply[]> {
  const seen: Reply[] = [];
  try {
    for (;;) seen.push(...(await client.receive(1, silenceMs)).map(decode));
  } catch (error) {
    if (!(error instanceof ReplyMissing)) throw error;
    return error.message.startsWith("no reply") ? seen : [...seen, "(closed)"];
  }
}

async function scan(client: RespClient, options: string, between: (cursor: string) => Promise<unknown>) {
  const found = new Set<Reply>();
  let cursor = "0";
  do {
    const reply = list(await ask(client, `SCAN ${cursor} ${options}`));
    cursor = String(reply[0]);
    for (const key of list(reply[1])) found.add(key);
    await between(cursor);
  } while (cursor !== "0");
  return sorted([...found].filter((key) => String(key).startsWith("stays")));
}

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `SET ${prefix}:${index} x`);
}

export const scenarios: ReadonlyMap<string, Scenario> = new Map<string, Scenario>([
  [
    "SCAN finds every key that stays, while others come and go",
    async (server) => {
      const client = await server.client();
      await askAll(client, ...names("stays", 1000), ...names("goes", 1000));
      let step = 0;
      const changing = async () => {
        const [from, to] = [step * 10, step * 10 + 10];
        step += 1;
        const gone = Array.from({ length: to - from }, (_, index) => `DEL goes:${from + index}`);
        await askAll(client, ...gone, ...names(`new:${step}`, step < 100 ? 40 : 0));
      };
      const unchanging = () => Promise.resolve();
      return [
        await scan(client, "COUNT 7", unchanging),
        await scan(client, "COUNT 13", changing),
        await scan(client, "COUNT 100 MATCH stays:*5", unchanging),
        await scan(client, "TYPE string", unchanging),
        await scan(client, "COUNT 1 TYPE hash", unchanging),
        await ask(client, "DBSIZE"),
      ];
    },
  ],

  [
    "keys expire, whether asked for or not",
    async (server) => {
      const client = await server.client();
      await askAll(client, "SET a 1 PX 40", "SET b 1 PX 40", "SET c 1 PX 60000", "SET d 1");
      await sleep(80);
      const asked = await askAll(client, "GET a", "EXISTS a", "TTL a", "TYPE a", "INCR a", "TTL a");
      await sleep(1200);
      // In this order: keys that nobody asks for are not yet removed in the background.
      return [asked, await askAll(client, "EXISTS b c d", "DBSIZE")];
    },
  ],

  [
    "CLIENT KILL ends others, and oneself last",
    async (server) => {
      const [killer, victim, other] = [await server.client(), await server.client(), await server.client()];
      await ask(victim, "CLIENT SETNAME victim");
      const seen = [await ask(killer, `CLIENT KILL ID ${await ask(victim, "CLIENT ID")}`)];
      await victim.closedByServer();
      const address = String(await ask(other, "CLIENT INFO")).match(/ addr=(\S+)/)![1]!;
      seen.push(await ask(killer, `CLIENT KILL ${address}`));
      await other.closedByServer();
      const own = await ask(killer, "CLIENT ID");
      seen.push(await ask(killer, `CLIENT KILL ID ${own}`), await ask(killer, `CLIENT KILL ID ${own} SKIPME no`));
      await killer.closedByServer();
      return seen;
    },
  ],

  [
    "CLIENT LIST shows names, databases and states",
    async (server) => {
      const [one, two] = [await server.client(), await server.client()];
      await askAll(one, "CLIENT SETNAME one", "SELECT 3", "CLIENT NO-EVICT on");
      await askAll(two, "HELLO 3", "CLIENT SETNAME two", "GET a");
      const ids = `${await ask(one, "CLIENT ID")} ${await ask(two, "CLIENT ID")}`;
      const newInRedis72 = ["lib-name", "lib-ver"];
      return clientFields(await ask(one, `CLIENT LIST ID ${ids}`), newInRedis72);
    },
  ],

  [
    "CLIENT PAUSE holds writes until UNPAUSE",
    async (server) => {
      const [one, two] = [await server.client(), await server.client()];
      const seen: unknown[] = [await ask(one, "CLIENT PAUSE 60000 WRITE"), await ask(two, "GET a")];
      two.send(encodeCommand(["SET", "a", "1"]));
      seen.push(await arriving(two), await ask(one, "GET a"), await ask(one, "CLIENT UNPAUSE"));
      seen.push(await arriving(two), await ask(one, "GET a"), await ask(one, "CLIENT PAUSE 150"));
      two.send(encodeCommand(["GET", "a"]));
      seen.push(await arriving(two, 50), (await two.receive(1, 5000)).map(decode));
      return seen;
    },
  ],

  [
    "MONITOR shows what others do",
    async (server) => {
      const [monitor, client] = [await server.client(), await server.client()];
      const seen = [await ask(monitor, "MONITOR")];
      await askAll(
        client,
        "SET a 1",
        "SELECT 2",
        "get A",
        "FOO bar",
        "GET",
        "PING",
        "CLIENT ID",
        "MONITOR x",
        "AUTH secret",
        "HELLO 2 AUTH u p",
      );
      await client.command("SET", Buffer.from([0, 255, 10, 34, 92]), "x\ty");
      await client.command("CONFIG", "SET", "timeout", "0");
      seen.push(...(await arriving(monitor)), await ask(monitor, "PING"), await ask(monitor, "RESET"));
      seen.push(...(await arriving(monitor)), await ask(monitor, "PING"));
      return seen.map((line) => String(line).replace(/^[\d.]+ \[(\d+) [\d.:]+\]/, "TIME [$1 ADDRESS]"));
    },
  ],

  [
    "a password is asked for, and limits hold before it",
    async (server) => {
      const admin = await server.client();
      await ask(admin, "CONFIG SET requirepass secret");
      try {
        const client = await server.client();
        const seen: unknown[] = await askAll(
          client,
          "GET a",
          "PING",
          "FOO",
          "GET",
          "RESET",
          "CLIENT ID",
          "COMMAND COUNT",
          "AUTH wrong",
          "AUTH nobody secret",
          "AUTH default wrong",
          "HELLO 3 AUTH default wrong",
        );
        // Redis 7.2 names the protocol version in this advice, the reference does not.
        seen.push(JSON.stringify(await ask(client, "HELLO 3")).replace("HELLO <proto> AUTH", "HELLO AUTH"));
        for (const bytes of ["*11\r\n", "*10\r\n$16385\r\n", "*2\r\n$3\r\nGET\r\n$16385\r\n", "*1\r\n$4\r\nQUIT\r\n"]) {
          const stranger = await server.client();
          stranger.send(bytes);
          seen.push(await arriving(stranger));
        }
        seen.push(await askAll(client, "AUTH secret", "SET a 1", "AUTH wrong", "GET a", "RESET", "GET a"));
        seen.push(await ask(client, "AUTH default secret"), await ask(client, "CONFIG GET requirepass"));
        return seen;
      } finally {
        await ask(admin, "CONFIG SET requirepass ");
      }
    },
  ],

  [
    "SLOWLOG keeps commands, long ones cut",
    async (server) => {
      const client = await server.client();
      await askAll(client, "CLIENT SETNAME slow", "CONFIG SET slowlog-log-slower-than 0", "SLOWLOG RESET");
      await askAll(
        client,
        "SET a 1",
        `SET a ${"x".repeat(300)}`,
        `MGET ${"k ".repeat(40).trim()}`,
        "GET",
        "FOO",
        "CLIENT ID",
      );
      await askAll(client, "AUTH secret", "CONFIG SET slowlog-max-len 5");
      const entries = list(await ask(client, "SLOWLOG GET -1"));
      const length = await ask(client, "SLOWLOG LEN");
      await askAll(client, "CONFIG SET slowlog-log-slower-than 10000 slowlog-max-len 128", "SLOWLOG RESET");
      return [length, entries.map((entry) => [list(entry).length, list(entry)[3], list(entry)[5]])];
    },
  ],

  [
    "writes are refused at the memory limit, reads and deletions are not",
    async (server) => {
      const client = await server.client();
      await askAll(client, "SET a 1", "CONFIG SET maxmemory 1");
      const seen = await askAll(
        client,
        "SET b 1",
        "GET a",
        "INCR a",
        "APPEND a x",
        "SETBIT a 1 1",
        "GETEX a",
        "GETDEL a",
        "RENAME a b",
        "DEL a",
        "EXPIRE a 100",
        "COPY a b",
        "MSET a 1",
        "GETSET a 1",
        "BITFIELD a GET u8 0",
        "LCS a b",
        "MOVE a 1",
        "FLUSHALL",
      );
      await ask(client, "CONFIG SET maxmemory 0");
      return seen;
    },
  ],

  [
    "no more clients than maxclients",
    async (server) => {
      const admin = await server.client();
      const limit = String(list(await ask(admin, "CONFIG GET maxclients"))[1]);
      // The connections of the scenarios before may still be open on the server.
      await ask(admin, "CLIENT KILL TYPE normal SKIPME yes");
      await sleep(50);
      await ask(admin, "CONFIG SET maxclients 2");
      const second = await server.client();
      const seen: unknown[] = [await ask(second, "PING")];
      const third = await server.client();
      seen.push(await arriving(third));
      await ask(admin, `CONFIG SET maxclients ${limit}`);
      return seen;
    },
  ],

  [
    "large values, long pipelines, and bytes one at a time",
    async (server) => {
      const client = await server.client();
      const large = Buffer.alloc(3_000_000, "0123456789abcdef");
      const seen: unknown[] = [decode(await client.command("SET", "large", large))];
      seen.push(
        (await client.command("GET", "large")).equals(
          Buffer.concat([Buffer.from("$3000000\r\n"), large, Buffer.from("\r\n")]),
        ),
      );
      const replies = await client.pipeline(Array.from({ length: 20_000 }, () => ["INCR", "counter"]));
      seen.push(replies.length, decode(replies.at(-1)!));
      for (const byte of encodeCommand(["SET", "slow", "value\r\n"])) {
        client.send(Uint8Array.of(byte));
        await sleep(1);
      }
      seen.push((await client.receive()).map(decode), await ask(client, "GET slow"));
      return seen;
    },
  ],
]);
