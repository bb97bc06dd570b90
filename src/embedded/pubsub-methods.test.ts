/** Messages within the program: listeners, what they may do, what bounds them; and connections beside them. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Redis } from "ioredis";
import { open } from "./index.ts";

test("a listener hears what is published after it began, in order, until it has ended", async () => {
  const db = await open();
  const heard: string[] = [];
  assert.equal(db.publish("news", "before"), 0);
  const end = db.subscribe("news", (message, channel) => heard.push(`${channel}: ${message}`));
  assert.equal(db.publish("news", "one"), 1);
  assert.equal(db.publish("other", "none"), 0);
  assert.deepEqual(heard, [], "not before the program returns");
  assert.equal(db.database(3).publish("news", "twö"), 1);
  await turn();
  assert.deepEqual(heard, ["news: one", "news: twö"]);
  assert.deepEqual(db.pubsub("CHANNELS"), ["news"]);
  assert.deepEqual(db.pubsub("NUMSUB", "news", "x"), ["news", 1, "x", 0]);
  end();
  end();
  assert.equal(db.publish("news", "after"), 0);
  assert.equal(db.pubsub("NUMPAT"), 0);
  await db.close();
});

test("patterns, bytes and shard channels", async () => {
  const db = await open();
  const heard: unknown[] = [];
  db.psubscribe("n*", (message, channel) => heard.push([channel, message]));
  db.subscribeBuffer("née", (message) => heard.push(message));
  db.psubscribeBuffer("*", (message, channel) => heard.push([message, channel]));
  db.ssubscribe("née", (message) => heard.push(`shard ${message}`));
  assert.equal(db.publish("née", Buffer.from([255, 0])), 3);
  assert.equal(db.spublish("née", "x"), 1);
  await turn();
  assert.equal(heard.length, 4);
  assert.deepEqual(heard[1], ["née", "\ufffd\0"]);
  assert(heard.some((one) => one instanceof Buffer && one.equals(Buffer.from([255, 0]))));
  assert(heard.includes("shard x"));
  await db.close();
});

test("a listener may use the store, publish, and end what it listens to", async () => {
  const db = await open();
  db.config("SET", "notify-keyspace-events", "KEA");
  const heard: string[] = [];
  const end = db.subscribe("__keyevent@0__:set", (key) => {
    heard.push(`${key}=${db.get(key)}`);
    if (heard.length < 3) db.set(`${key}x`, "1");
    else end();
  });
  db.set("k", "0");
  for (let round = 0; round < 5; round++) await turn();
  assert.deepEqual(heard, ["k=0", "kx=1", "kxx=1"]);
  assert.equal(db.debug("VERIFY"), "OK");
  await db.close();
});

test("what a listener throws is an uncaught exception, and the messages behind are heard", async () => {
  const db = await open();
  const heard: string[] = [];
  db.subscribe("a", (message) => {
    heard.push(message);
    if (message === "1") throw new Error("thrown on purpose");
  });
  const thrown: Error[] = [];
  const listeners = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.once("uncaughtException", (error) => thrown.push(error));
  for (const message of ["1", "2", "3"]) db.publish("a", message);
  await turn();
  await turn();
  for (const listener of listeners) process.on("uncaughtException", listener);
  assert.equal(thrown[0]?.message, "thrown on purpose");
  assert.deepEqual(heard, ["1", "2", "3"]);
  await db.close();
});

test("a program that publishes without end loses the subscription, not its memory", async () => {
  const db = await open();
  db.config("SET", "client-output-buffer-limit", "pubsub 1mb 0 0");
  let heard = 0;
  const ended: Error[] = [];
  const onEnd = (error: Error) => ended.push(error);
  db.subscribe("a", () => (heard += 1), { onEnd });
  const text = "x".repeat(10_000);
  for (let sent = 0; sent < 300; sent++) db.publish("a", text);
  await turn();
  assert.equal(heard, Math.floor(2 ** 20 / 10_001));
  assert.equal(ended.length, 1);
  assert.match(ended[0]!.message, /too many messages/);
  assert.equal(db.publish("a", "x"), 0);
  await db.close();
});

test("a closed store neither delivers nor takes listeners", async () => {
  const db = await open();
  let heard = 0;
  const end = db.subscribe("a", () => (heard += 1));
  db.publish("a", "x");
  await db.close();
  await turn();
  assert.equal(heard, 0);
  end();
  assert.throws(() => db.subscribe("a", () => undefined), /closed/);
  assert.throws(() => db.call("SUBSCRIBE", "a"), /closed/);
});

test("what cannot be: subscribing by a call, or without a listener", async () => {
  const db = await open();
  assert.throws(() => db.call("SUBSCRIBE", "a"), /SUBSCRIBE is for connections/);
  assert.throws(() => db.call("UNSUBSCRIBE"), /UNSUBSCRIBE is for connections/);
  assert.throws(() => db.subscribe("a", undefined as never), TypeError);
  await db.close();
});

test("what is published between two turns of a connection comes between their replies", async () => {
  const db = await open();
  const [one, silent] = [db.duplex(), db.duplex()];
  let heard = "";
  one.on("data", (chunk: Buffer) => (heard += chunk.toString("latin1")));
  silent.resume();
  one.write("HELLO 3\r\nSUBSCRIBE a\r\n");
  silent.write("CLIENT REPLY OFF\r\n");
  await turn();
  await turn();
  heard = "";
  one.write("ECHO 1\r\n");
  silent.write("PUBLISH a between\r\n");
  let waited = 0;
  const later = () => {
    waited += 1;
    if (waited < 5) process.nextTick(later);
    else one.write("ECHO 2\r\n");
  };
  process.nextTick(later);
  for (let round = 0; round < 4; round++) await turn();
  assert.equal(heard, "$1\r\n1\r\n>3\r\n$7\r\nmessage\r\n$1\r\na\r\n$7\r\nbetween\r\n$1\r\n2\r\n");
  await db.close();
});

test("ioredis without a socket and listeners hear each other", async () => {
  const db = await open();
  const subscriber = new Redis({ Connector: db.connector() });
  const publisher = new Redis({ Connector: db.connector() });
  assert.equal(await subscriber.subscribe("a", "b"), 2);
  const heard: string[] = [];
  db.subscribe("a", (message) => heard.push(message));
  const received = once(subscriber, "message");
  assert.equal(await publisher.publish("a", "hello"), 2);
  assert.deepEqual(await received, ["a", "hello"]);
  assert.deepEqual(heard, ["hello"]);
  const fromProgram = once(subscriber, "message");
  db.publish("b", "from the program");
  assert.deepEqual(await fromProgram, ["b", "from the program"]);
  subscriber.disconnect();
  publisher.disconnect();
  await db.close();
});
