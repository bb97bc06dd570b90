/** Messages over connections: in which order they come, what bounds them, and when they end. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { serveInProcess } from "../testing/in-process.ts";
import { decode } from "../testing/resp-frame.ts";
import { openSocket, until } from "../testing/sockets.ts";

const MIB = 2 ** 20;
const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;
const message = (type: string, channel: string, text: string) =>
  `${type}3\r\n${bulk("message")}${bulk(channel)}${bulk(text)}`;

describe("messages", { concurrency: true }, () => {
  test("come in the order in which they were published, by one client and by several", async (t) => {
    const { client } = await serveInProcess(t);
    const [subscriber, one, other] = await Promise.all([client(), client(), client()]);
    await subscriber.command("SUBSCRIBE", "a");
    const wanted: string[] = [];
    for (let round = 0; round < 20; round++) {
      const texts = Array.from({ length: 50 }, (_, index) => `${round}-${index}`);
      await (round % 2 === 0 ? one : other).pipeline(texts.map((text) => ["PUBLISH", "a", text]));
      wanted.push(...texts);
    }
    const received = await subscriber.receive(wanted.length);
    assert.deepEqual(
      received.map(String),
      wanted.map((text) => message("*", "a", text)),
    );
  });

  test("a client's own message comes behind the reply to its PUBLISH, and before the next reply", async (t) => {
    const { client } = await serveInProcess(t);
    const one = await client();
    await one.command("HELLO", "3");
    await one.command("SUBSCRIBE", "a");
    await one.command("SUBSCRIBE", "__keyspace@0__:k");
    await one.command("CONFIG", "SET", "notify-keyspace-events", "KA");
    one.send("PUBLISH a x\r\nSET k 1\r\nPING\r\n");
    const frames = await one.receive(5);
    assert.deepEqual(frames.map(String), [
      ":1\r\n",
      message(">", "a", "x"),
      "+OK\r\n",
      message(">", "__keyspace@0__:k", "set"),
      "+PONG\r\n",
    ]);
  });

  test("what is published between two turns of a subscriber comes between their replies", async (t) => {
    const { client } = await serveInProcess(t);
    const [subscriber, publisher] = await Promise.all([client(), client()]);
    await subscriber.command("HELLO", "3");
    for (let round = 0; round < 30; round++) {
      const [confirmed] = await subscriber.pipeline([["SUBSCRIBE", "a"]]);
      assert.equal(confirmed![0], 0x3e);
      await publisher.command("PUBLISH", "a", `${round}`);
      subscriber.send("UNSUBSCRIBE a\r\n");
      const [first, second] = await subscriber.receive(2);
      assert.equal(String(first), message(">", "a", `${round}`));
      assert.match(String(second), /unsubscribe/);
    }
  });

  test("CLIENT REPLY silences neither messages nor the confirmation of a subscription", async (t) => {
    const { client } = await serveInProcess(t);
    const [quiet, publisher] = await Promise.all([client(), client()]);
    await quiet.command("HELLO", "3");
    quiet.send("CLIENT REPLY OFF\r\nPING\r\nSUBSCRIBE a\r\nSUBSCRIBE\r\nPING\r\n");
    assert.match(String((await quiet.receive())[0]), /^>3\r\n\$9\r\nsubscribe\r\n/);
    assert.equal(String(await publisher.command("PUBLISH", "a", "x")), ":1\r\n");
    assert.equal(String((await quiet.receive())[0]), message(">", "a", "x"));
    quiet.send("PUBLISH a y\r\nCLIENT REPLY ON\r\n");
    assert.equal(String((await quiet.receive())[0]), message(">", "a", "y"));
    assert.equal(String((await quiet.receive())[0]), "+OK\r\n");
    quiet.send("CLIENT REPLY SKIP\r\nUNSUBSCRIBE a\r\nPING\r\n");
    assert.match(String((await quiet.receive())[0]), /unsubscribe/);
    assert.equal(String((await quiet.receive())[0]), "+PONG\r\n");
  });

  test("who leaves has no subscriptions any more, however it leaves", async (t) => {
    const { store, client } = await serveInProcess(t);
    const { pubSub } = store.services;
    const [closing, quitting, killed, resetting, other] = await Promise.all(Array.from({ length: 5 }, () => client()));
    for (const one of [closing!, quitting!, killed!, resetting!]) {
      await one.pipeline([
        ["SUBSCRIBE", "a"],
        ["PSUBSCRIBE", "*"],
        ["SSUBSCRIBE", "s"],
      ]);
    }
    assert.equal(pubSub.count("channels", "a"), 4);
    await closing!.close();
    assert.equal(String(await quitting!.command("QUIT")), "+OK\r\n");
    assert.equal(String(await resetting!.command("RESET")), "+RESET\r\n");
    await until("only one is left", () => pubSub.count("channels", "a") === 1);
    assert.equal(String(await other!.command("CLIENT", "KILL", "TYPE", "pubsub")), ":1\r\n");
    await until("nobody listens", () => pubSub.isIdle && pubSub.size("shardChannels") === 0);
    assert.equal(String(await other!.command("PUBLISH", "a", "x")), ":0\r\n");
  });

  test("timeout: who listens may be silent", async (t) => {
    const { store, client } = await serveInProcess(t, { timeout: "1" });
    const [listening, silent] = await Promise.all([client(), client()]);
    await listening.command("SUBSCRIBE", "a");
    await silent.closedByServer();
    await sleep(1200);
    assert.equal(store.clients.size, 1);
  });

  test("a subscriber that does not read is disconnected at the hard limit for subscribers", async (t) => {
    const { store, port, client } = await serveInProcess(t, { "client-output-buffer-limit": "pubsub 2mb 0 0" });
    const [deaf, publisher] = await Promise.all([openSocket(port), client()]);
    deaf.write("SUBSCRIBE a\r\n");
    await until("it listens", () => store.services.pubSub.count("channels", "a") === 1);
    let worst = 0;
    for (let sent = 0; sent < 400 && !store.services.pubSub.isIdle; sent += 1) {
      await publisher.command("PUBLISH", "a", Buffer.alloc(100_000, "x"));
      worst = Math.max(worst, ...[...store.clients.list()].map(({ outputBufferBytes }) => outputBufferBytes));
    }
    assert(store.services.pubSub.isIdle);
    assert(worst > 0 && worst < 2.2 * MIB, `${worst} bytes waited`);
    assert.equal(store.clients.size, 1);
  });
});

describe("keyspace notifications", { concurrency: true }, () => {
  test("go to two channels, the key's first, as the configuration says and as long as it does", async (t) => {
    const { store, client } = await serveInProcess(t, { "notify-keyspace-events": "KEA" });
    const [listener, other] = await Promise.all([client(), client()]);
    await listener.command("PSUBSCRIBE", "__key*__:*");
    const heard = async (count: number) =>
      (await listener.receive(count)).map((frame) => (decode(frame) as string[]).slice(2));
    await other.command("SELECT", "3");
    await other.command("SET", "k", "1");
    assert.deepEqual(await heard(2), [
      ["__keyspace@3__:k", "set"],
      ["__keyevent@3__:set", "k"],
    ]);
    await other.command("CONFIG", "SET", "notify-keyspace-events", "Eg");
    await other.command("SET", "k", "2");
    await other.command("DEL", "k");
    assert.deepEqual(await heard(1), [["__keyevent@3__:del", "k"]]);
    for (const nothing of ["", "A", "K"]) {
      await other.command("CONFIG", "SET", "notify-keyspace-events", nothing);
      assert.equal(store.keyspace.eventTypes & ~1, 0, nothing);
      await other.command("SET", "k", "3");
    }
    await other.command("PUBLISH", "__key__:end", "end");
    assert.deepEqual(await heard(1), [["__key__:end", "end"]]);
  });

  test("of a key longer than the usual room for a channel's name", async (t) => {
    const { client } = await serveInProcess(t, { "notify-keyspace-events": "KEA" });
    const [listener, other] = await Promise.all([client(), client()]);
    await listener.command("PSUBSCRIBE", "__keyspace@0__:*");
    for (const length of [4081, 4082, 20_000]) {
      await other.command("SET", "k".repeat(length), "1");
      const [frame] = await listener.receive();
      assert(frame!.includes(`__keyspace@0__:${"k".repeat(length)}\r\n`));
    }
  });
});
