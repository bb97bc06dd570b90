/** Replies that wait for the log: who waits, in which order what goes out, and what becomes of it if the log fails. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { SyncPolicy } from "../durability/append-log.ts";
import { LogChannel, SYNCING } from "../durability/log-channel.ts";
import { FaultyFiles } from "../testing/faulty-files.ts";
import { serveInProcess } from "../testing/in-process.ts";
import { PausedLog } from "../testing/paused-log.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import { RECORDED_ORIGIN, RecordedStream } from "../testing/recorded-stream.ts";
import { HeldReplies } from "./held-replies.ts";

const seed = seedOfRun();
const RING_BYTES = 1 << 20;

async function turns(count = 4): Promise<void> {
  for (let index = 0; index < count; index += 1) await turn();
}

/** A server whose log waits for the test. */
async function serveLogged(t: TestContext, policy: SyncPolicy, directives: Readonly<Record<string, string>> = {}) {
  const { store, server } = await serveInProcess(t, directives);
  const files = new FaultyFiles(["/d"]);

  const paused = new PausedLog(files, "/d/log", policy, store.effects, new LogChannel(undefined, RING_BYTES));
  Object.defineProperty(store, "log", { value: paused.log });
  const connect = (): RecordedStream => {
    const stream = new RecordedStream();
    server.serve(stream, RECORDED_ORIGIN);
    return stream;
  };
  return { store, server, files, paused, connect };
}

test("a reply is sent when what it tells of is on the disk; who only reads does not wait", async (t) => {
  const { paused, connect } = await serveLogged(t, "always");
  const [writer, reader] = [connect(), connect()];
  writer.push("SET a 1\r\n");
  await turns();
  reader.push("GET a\r\n");
  await turns();
  assert.equal(writer.heard, "");
  assert.equal(reader.heard, "$1\r\n1\r\n");
  paused.round();
  assert.equal(writer.heard, "+OK\r\n");
});

test("a client hears in its order, whatever waits", async (t) => {
  const { paused, connect } = await serveLogged(t, "always");
  const client = connect();
  client.push("GET a\r\n");
  await turns();
  assert.equal(client.heard, "$-1\r\n");
  client.push("SET a 1\r\nGET a\r\n");
  await turns();
  client.push("PING\r\nNOSUCH\r\n");
  await turns();
  client.push("INCR a\r\n");
  await turns();
  assert.equal(client.writes.length, 1);
  paused.round();
  await turns();
  assert.match(client.heard, /^\$-1\r\n\+OK\r\n\$1\r\n1\r\n\+PONG\r\n-ERR [^\r]*\r\n:2\r\n$/);
  client.push("PING\r\n");
  await turns();
  assert(client.heard.endsWith(":2\r\n+PONG\r\n"));
});

test("a command that changes nothing does not wait, also where it might have written", async (t) => {
  const { paused, connect } = await serveLogged(t, "always");
  const client = connect();
  client.push("DEL nothing\r\n");
  await turns();
  assert.equal(client.heard, ":0\r\n");
  assert.equal(paused.log.appended, 0);
});

test("everysec: nobody waits but for a sync that is under way", async (t) => {
  const { paused, connect } = await serveLogged(t, "everysec");
  const client = connect();
  client.push("SET a 1\r\n");
  await turns();
  assert.equal(client.heard, "+OK\r\n");
  paused.channel.store(SYNCING, 1);
  client.push("SET a 2\r\n");
  await turns();
  assert.equal(client.heard, "+OK\r\n");
  paused.channel.store(SYNCING, 0);
  paused.round();
  assert.equal(client.heard, "+OK\r\n+OK\r\n");
});

test("CLIENT REPLY OFF: the first reply after it does not overtake the effects", async (t) => {
  const { paused, connect } = await serveLogged(t, "always");
  const client = connect();
  client.push("CLIENT REPLY OFF\r\nSET a 1\r\n");
  await turns();
  assert(paused.log.appended > 0, "it was logged without a reply");
  client.push("CLIENT REPLY ON\r\n");
  await turns();
  assert.equal(client.heard, "");
  paused.round();
  await turns();
  assert.equal(client.heard, "+OK\r\n");
});

test("messages and MONITOR's lines stay behind the replies that came before them", async (t) => {
  const { paused, connect } = await serveLogged(t, "always");
  const [client, other] = [connect(), connect()];
  client.push("HELLO 3\r\nSUBSCRIBE news\r\n");
  await turns();
  client.writes.length = 0;
  client.push("SET a 1\r\n");
  await turns();
  other.push("PUBLISH news one\r\n");
  await turns();
  client.push("GET a\r\nPUBLISH news two\r\n");
  await turns();
  assert.equal(client.heard, "");
  assert.equal(other.heard, ":1\r\n");
  paused.round();
  await turns();
  const message = (text: string) => `>3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$3\r\n${text}\r\n`;
  assert.equal(client.heard, `+OK\r\n${message("one")}$1\r\n1\r\n:1\r\n${message("two")}`);

  const monitor = connect();
  monitor.push("MONITOR\r\n");
  await turns();
  monitor.push("SET b 1\r\n");
  await turns();
  other.push("ECHO x\r\n");
  await turns();
  assert.equal(monitor.heard, "+OK\r\n");
  paused.round();
  await turns();
  assert.match(monitor.heard, /^\+OK\r\n\+OK\r\n\+[^\r]*"SET" "b" "1"\r\n\+[^\r]*"ECHO" "x"\r\n$/);
});

test("QUIT, a broken protocol and the client's own end wait for what is held", async (t) => {
  const { paused, connect } = await serveLogged(t, "always");
  for (const [last, reply] of [
    ["QUIT\r\n", "+OK\r\n"],
    ["*1\r\n!\r\n", "-ERR Protocol error: expected '$', got '!'\r\n"],
    [null, ""],
  ] as const) {
    const client = connect();
    let isOver = false;
    client.on("finish", () => {
      isOver = true;
    });
    client.push("SET a 1\r\n");
    await turns();
    client.push(last);
    await turns(8);
    assert.equal(client.heard, "");
    assert.equal(isOver, false);
    paused.round();
    await turns(8);
    assert.equal(client.heard, `+OK\r\n${reply}`);
    assert.equal(isOver, true);
  }
});

test("if the log fails, what is held is never said: its clients are disconnected, and the others go on", async (t) => {
  const { paused, files, connect, store } = await serveLogged(t, "always");
  const [writer, reader] = [connect(), connect()];
  writer.push("SET a 1\r\n");
  reader.push("PING\r\n");
  await turns();
  files.failAt(1, "EIO");
  paused.round();
  await turns();
  assert.equal(writer.heard, "");
  assert.equal(writer.destroyed, true);
  reader.push("GET a\r\n");
  await turns();
  assert.equal(reader.heard, "+PONG\r\n$1\r\n1\r\n");
  assert.equal(store.clients.size, 1);
  assert.equal(store.clients.bufferBytes >= 0, true);
});

test("if the append fails that the replies of a turn wait for, none of them is sent", async (t) => {
  const { files, connect } = await serveLogged(t, "everysec");
  const [writer, reader] = [connect(), connect()];
  files.failAt(1, "ENOSPC");
  writer.push("SET a 1\r\n");
  reader.push("PING\r\n");
  await turns();
  assert.equal(files.faults, 1);
  assert.equal(writer.heard, "");
  assert.equal(writer.destroyed, true);
  assert.equal(reader.heard, "+PONG\r\n");
});

test("a pipeline that is answered in the middle of its turn is logged before", async (t) => {
  const { paused, files, connect } = await serveLogged(t, "everysec");
  const client = connect();
  const value = "v".repeat(1000);
  const loggedAtWrite: number[] = [];
  client.onWrite = () => loggedAtWrite.push(files.size("/d/log")!);
  client.push(`SET a ${value}\r\n${"GETSET a ".concat(value, "\r\n").repeat(700)}`);
  await turns();
  assert(client.writes.length > 1);
  assert.equal(paused.log.released, paused.log.appended);
  let heard = 0;
  for (const [index, { length }] of client.writes.entries()) {
    heard += length;
    assert(loggedAtWrite[index]! >= heard, `${heard} bytes of replies, ${loggedAtWrite[index]} logged`);
  }
});

test("what is held counts as output, and against its limit", async (t) => {
  const { connect, store, paused } = await serveLogged(t, "always", {
    "client-output-buffer-limit": "normal 10000 0 0",
  });
  const client = connect();
  client.push(`SET a ${"x".repeat(4000)}\r\nGET a\r\n`);
  await turns();
  const [listed] = store.clients.list();
  assert.equal(listed!.outputBufferBytes, 5 + 4000 + 9);
  client.push("GET a\r\nGET a\r\n");
  await turns();
  assert.equal(client.destroyed, true);
  paused.round();
  await turns();
  assert.equal(client.heard, "");
});

test("a client with much held is executed no further before it may hear", async (t) => {
  const { connect, store, paused } = await serveLogged(t, "always");
  const client = connect();
  client.push(`*3\r\n$3\r\nSET\r\n$1\r\na\r\n$300000\r\n${"x".repeat(300_000)}\r\n`);
  await turns();
  for (let index = 0; index < 6; index += 1) {
    client.push("GET a\r\n");
    await turns();
  }
  assert(store.services.statistics.totalCommands < 7, `${store.services.statistics.totalCommands} executed`);
  paused.round();
  await turns(20);
  assert.equal(store.services.statistics.totalCommands, 7);
  assert.equal(client.heard.length, 5 + 6 * (300_000 + 11));
});

test("clients of random histories hear, byte by byte, what they hear without a log", async (t) => {
  const logged = await serveLogged(t, "always");
  const plain = await serveInProcess(t);
  const random = new Random(seed, 1);
  const pairs = Array.from({ length: 4 }, () => {
    const stream = new RecordedStream();
    plain.server.serve(stream, RECORDED_ORIGIN);
    return [logged.connect(), stream] as const;
  });
  let held = 0;
  for (let step = 0; step < 400; step += 1) {
    const commands = Array.from({ length: random.between(1, 4) }, () => randomCommand(random)).join("");
    const pair = random.pick(pairs);
    for (const stream of pair) stream.push(commands);
    await turns(2);
    if (pair[0].heard.length < pair[1].heard.length) held += 1;
    assert(pair[1].heard.startsWith(pair[0].heard));
    if (random.below(3) === 0) logged.paused.round();
  }
  logged.paused.round();
  await turns();
  for (const [one, other] of pairs) assert.equal(one.heard, other.heard);
  assert(held > 50, `only ${held} were held`);
});

function randomCommand(random: Random): string {
  const key = random.pick(["a", "b", "c"]);
  return random.pick([
    `SET ${key} ${random.below(100)}\r\n`,
    `INCR ${key}\r\n`,
    `GET ${key}\r\n`,
    `DEL ${key}\r\n`,
    "PING\r\n",
    "CLIENT REPLY SKIP\r\n",
    `SUBSCRIBE ${key}\r\nUNSUBSCRIBE ${key}\r\n`,
  ]);
}

test("what waits behind a held reply goes out with it, and bytes are counted", () => {
  const held = new HeldReplies();
  held.add(Buffer.from("a"), 10);
  held.add(Buffer.from("bc"), 0);
  held.add(Buffer.from("d"), 20);
  held.add(Buffer.from(""), 20);
  assert.equal(held.bytes, 4);
  assert.equal(held.take(9), undefined);
  assert.equal(String(held.take(10)), "abc");
  assert.equal(held.bytes, 1);
  assert.equal(held.take(19), undefined);
  assert.equal(String(held.take(25)), "d");
  assert.equal(held.isEmpty, true);
  assert.equal(held.bytes, 0);
});
