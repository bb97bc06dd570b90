/** What clients may ask of connections, their own and others'. */
import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { serveInProcess } from "../testing/in-process.ts";
import type { RespClient } from "../testing/resp-client.ts";
import { heardUntilEnd, openSocket, until } from "../testing/sockets.ts";

const ask = async (client: RespClient, ...command: (string | number)[]) =>
  (await client.command(...command)).toString();

describe("requirepass", () => {
  test("set at run time, it concerns who connects from then on", async (t) => {
    const { client } = await serveInProcess(t);
    const before = await client();
    assert.equal(await ask(before, "CONFIG", "SET", "requirepass", "secret"), "+OK\r\n");
    assert.equal(await ask(before, "PING"), "+PONG\r\n");
    const after = await client();
    assert.equal(await ask(after, "GET", "a"), "-NOAUTH Authentication required.\r\n");
    assert.match(await ask(after, "AUTH", "wrong"), /^-WRONGPASS /);
    assert.equal(await ask(after, "AUTH", "secret"), "+OK\r\n");
    assert.equal(await ask(after, "GET", "a"), "$-1\r\n");
    await ask(before, "CONFIG", "SET", "requirepass", "");
    assert.equal(await ask(await client(), "PING"), "+PONG\r\n");
  });
});

describe("CLIENT KILL", () => {
  test("another client is gone at once, with what it had asked", async (t) => {
    const { client } = await serveInProcess(t);
    const [victim, killer] = await Promise.all([client(), client()]);
    const id = (await ask(victim, "CLIENT", "ID")).slice(1, -2);
    assert.equal(await ask(killer, "CLIENT", "KILL", "ID", id), ":1\r\n");
    await victim.closedByServer();
    assert.equal((await ask(killer, "CLIENT", "LIST")).split("\n").filter((line) => line.startsWith("id=")).length, 1);
  });

  test("who kills itself gets the reply first, and nothing after it", async (t) => {
    const { port } = await serveInProcess(t);
    const socket = await openSocket(port);
    socket.write("CLIENT KILL TYPE normal SKIPME no\r\nPING\r\n");
    assert.equal(await heardUntilEnd(socket), ":1\r\n");
  });
});

describe("CLIENT NO-TOUCH", () => {
  for (const [ending, ...command] of [
    ["OFF", "CLIENT", "NO-TOUCH", "OFF"],
    ["RESET", "RESET"],
  ] as const) {
    test(`what is read meanwhile does not count as used; from ${ending} on it does, for everybody`, async (t) => {
      const directives = { "maxmemory-policy": "allkeys-lfu", "lfu-log-factor": "0", "lfu-decay-time": "0" };
      const { client } = await serveInProcess(t, directives);
      const [quiet, other] = await Promise.all([client(), client()]);
      const frequency = async () => Number((await ask(other, "OBJECT", "FREQ", "key")).slice(1, -2));
      await ask(quiet, "SET", "key", "value");
      const before = await frequency();
      await ask(quiet, "CLIENT", "NO-TOUCH", "ON");
      await ask(quiet, "GET", "key");
      assert.equal(await frequency(), before);
      await ask(other, "GET", "key");
      assert.equal(await frequency(), before + 1);
      await ask(quiet, ...command);
      await ask(other, "GET", "key");
      assert.equal(await frequency(), before + 2);
      await ask(quiet, "GET", "key");
      assert.equal(await frequency(), before + 3);
    });
  }
});

test("after a defect in a command of a client in NO-TOUCH, others' reads count as uses", async (t) => {
  const { server, store } = await serveInProcess(t);
  const stream = new PassThrough();
  const origin = { address: "here", localAddress: "here", fileDescriptor: -1, isEmbedded: false };
  const connection = server.serve(stream, origin);
  const receive = (text: string) => connection.receive(Buffer.from(text), text.length);
  receive("CLIENT NO-TOUCH ON\r\n");
  let touches = true;
  t.mock.method(store.engine, "execute", () => {
    touches = store.keyspace.touches;
    throw new Error("a broken invariant");
  });
  assert.throws(() => receive("GET key\r\n"), /a defect in the command/);
  assert.equal(touches, false);
  assert.equal(store.keyspace.touches, true);
});

describe("CLIENT REPLY", () => {
  test("OFF silences all, SKIP one", async (t) => {
    const { client } = await serveInProcess(t);
    const speaker = await client();
    speaker.send("CLIENT REPLY SKIP\r\nPING\r\nECHO 1\r\n");
    speaker.send("CLIENT REPLY OFF\r\nPING\r\nSET a 1\r\nCLIENT REPLY ON\r\nGET a\r\n");
    const replies = Buffer.concat(await speaker.receive(3)).toString();
    assert.equal(replies, "$1\r\n1\r\n+OK\r\n$1\r\n1\r\n");
  });
});

describe("CLIENT PAUSE", () => {
  test("WRITE holds writes back until UNPAUSE; reads go on, and the order stays", async (t) => {
    const { client } = await serveInProcess(t);
    const [writer, reader] = await Promise.all([client(), client()]);
    assert.equal(await ask(reader, "CLIENT", "PAUSE", 60_000, "WRITE"), "+OK\r\n");
    const replies = writer.pipeline([["GET", "a"], ["SET", "a", "1"], ["GET", "a"], ["PING"]]);
    await sleep(50);
    assert.equal(await ask(reader, "GET", "a"), "$-1\r\n");
    // Behind other replies of the same turn: those of the resumed client must not mix with them.
    const resuming = await reader.pipeline([
      ["ECHO", "before"],
      ["CLIENT", "UNPAUSE"],
      ["ECHO", "behind"],
    ]);
    assert.equal(Buffer.concat(resuming).toString(), "$6\r\nbefore\r\n+OK\r\n$6\r\nbehind\r\n");
    assert.equal(Buffer.concat(await replies).toString(), "$-1\r\n+OK\r\n$1\r\n1\r\n+PONG\r\n");
  });

  test("ALL holds everybody back for its time", async (t) => {
    const { client } = await serveInProcess(t);
    const [first, second] = await Promise.all([client(), client()]);
    const begin = performance.now();
    await ask(first, "CLIENT", "PAUSE", 200, "ALL");
    await Promise.all([ask(first, "PING"), ask(second, "PING")]);
    assert(performance.now() - begin >= 190);
  });

  test("a paused client that leaves is forgotten", async (t) => {
    const { client, store } = await serveInProcess(t);
    const [leaver, other] = await Promise.all([client(), client()]);
    await ask(other, "CLIENT", "PAUSE", 200, "WRITE");
    leaver.send("SET a 1\r\nSET b 2\r\n");
    await sleep(20);
    await leaver.close();
    await sleep(250);
    assert.equal(await ask(other, "PING"), "+PONG\r\n");
    assert.equal(store.clients.size, 1);
  });
});

test("blocked_clients counts who is held back by a pause, and who waits in WAIT and WAITAOF", async (t) => {
  const { client } = await serveInProcess(t);
  const [other, writer, ...waiting] = await Promise.all(Array.from({ length: 5 }, client));
  const areBlocked = (wanted: number) =>
    until(`${wanted} are blocked`, async () => {
      const flags = (await ask(other!, "CLIENT", "LIST")).match(/ flags=\w+/g) ?? [];
      const blocked = flags.filter((each) => each === " flags=b").length;
      assert.match(await ask(other!, "INFO", "clients"), new RegExp(`blocked_clients:${blocked}\r\n`));
      return blocked === wanted;
    });
  await ask(other!, "CLIENT", "PAUSE", 60_000, "WRITE");
  writer!.send("GET a\r\n");
  await writer!.receive();
  await areBlocked(0);
  writer!.send("SET a 1\r\n");
  await areBlocked(1);
  waiting[0]!.send("SET b 2\r\n");
  await areBlocked(2);
  waiting[1]!.send("WAIT 1 0\r\n");
  waiting[2]!.send("WAITAOF 0 1 300\r\n");
  await areBlocked(4);
  await ask(other!, "CLIENT", "UNPAUSE");
  assert.equal((await writer!.receive()).toString(), "+OK\r\n");
  assert.equal((await waiting[2]!.receive()).toString(), "*2\r\n:0\r\n:0\r\n");
  await areBlocked(1);
  await waiting[1]!.close();
  await areBlocked(0);
});

test("SHUTDOWN is refused where it is not ours to end the process", async (t) => {
  const { client } = await serveInProcess(t);
  const some = await client();
  assert.match(await ask(some, "SHUTDOWN", "NOSAVE"), /^-ERR SHUTDOWN is for servers; /);
  assert.equal(await ask(some, "PING"), "+PONG\r\n");
});

test("CLIENT LIST tells the truth", async (t) => {
  const { client, port } = await serveInProcess(t);
  const first = await client();
  await ask(first, "CLIENT", "SETNAME", "first");
  const second = await client();
  await ask(first, "SELECT", 3);
  first.send("SET half");
  await ask(second, "HELLO", 3);
  await sleep(20);
  const text = (await second.command("CLIENT", "LIST")).toString();
  const lines = text.match(/\bid=.*/g) ?? [];
  const [one, two] = lines.map((line) => new Map(line.split(" ").map((pair) => pair.split("=") as [string, string])));
  assert.equal(one!.get("name"), "first");
  assert.equal(one!.get("db"), "3");
  assert.equal(one!.get("cmd"), "select");
  assert.equal(one!.get("qbuf"), `${"SET half".length}`);
  assert.equal(one!.get("laddr"), `127.0.0.1:${port}`);
  assert.match(one!.get("addr")!, /^127\.0\.0\.1:\d+$/);
  assert(Number(one!.get("fd")) > 2 && one!.get("fd") !== two!.get("fd"));
  assert.equal(two!.get("resp"), "3");
  assert.equal(two!.get("cmd"), "client|list");
  assert(Number(one!.get("id")) < Number(two!.get("id")));
});
