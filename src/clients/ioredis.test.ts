/** ioredis 5 and 6 in a scripted use of all families of commands. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis as Redis6, type RedisOptions } from "ioredis";
import { Redis as Redis5 } from "ioredis5";
import { serveClients, TRANSPORTS } from "../testing/serve-clients.ts";

type Client = Redis6;
type Options = Pick<RedisOptions, "host" | "port" | "path" | "password" | "db" | "retryStrategy">;
type Script = (redis: Client, another: () => Client) => Promise<void>;

const SCRIPTS: Record<string, Script> = {
  async strings(redis) {
    assert.equal(await redis.set("greeting", "hello"), "OK");
    assert.equal(await redis.get("greeting"), "hello");
    assert.equal(await redis.set("greeting", "ho", "EX", 100, "NX"), null);
    assert.equal(await redis.set("greeting", "ho", "EX", 100, "GET"), "hello");
    assert.equal(await redis.append("greeting", "!"), 3);
    assert.equal(await redis.strlen("greeting"), 3);
    assert.equal(await redis.getrange("greeting", 0, 1), "ho");
    assert.equal(await redis.setrange("greeting", 2, " ho"), 5);
    assert.equal(await redis.getset("greeting", "x"), "ho ho");
    assert.equal(await redis.getdel("greeting"), "x");
    assert.equal(await redis.get("greeting"), null);
    assert.equal(await redis.mset({ a: "1", b: "2" }), "OK");
    assert.deepEqual(await redis.mget("a", "missing", "b"), ["1", null, "2"]);
    assert.equal(await redis.msetnx("c", "3", "a", "0"), 0);
    assert.equal(await redis.setnx("c", "3"), 1);
    assert.equal(await redis.incr("a"), 2);
    assert.equal(await redis.decrby("a", 12), -10);
    assert.equal(await redis.incrbyfloat("a", 0.5), "-9.5");
    await redis.mset("one", "ohmytext", "two", "mynewtext");
    assert.equal(await redis.lcs("one", "two"), "mytext");
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    await redis.set(bytes, bytes);
    assert.deepEqual(await redis.getBuffer(bytes), bytes);
    assert.equal(await redis.psetex("soon", 20, "gone"), "OK");
    await sleep(30);
    assert.equal(await redis.get("soon"), null);
  },

  async messages(redis, another) {
    const subscriber = another();
    const heard: string[][] = [];
    subscriber.on("message", (...message: string[]) => heard.push(message));
    subscriber.on("pmessage", (...message: string[]) => heard.push(message));
    assert.equal(await subscriber.subscribe("news", "other"), 2);
    assert.equal(await subscriber.psubscribe("n?ws", "__keyevent@*__:*"), 4);
    await assert.rejects(redis.call("PUBLISH", "news"), /wrong number of arguments/);
    assert.equal(await redis.publish("news", "hello"), 2);
    await redis.config("SET", "notify-keyspace-events", "Eg");
    await redis.set("told", "1");
    await redis.del("told");
    await redis.config("SET", "notify-keyspace-events", "");
    assert.equal(await subscriber.unsubscribe("news"), 3);
    assert.deepEqual(heard, [
      ["news", "hello"],
      ["n?ws", "news", "hello"],
      ["__keyevent@*__:*", "__keyevent@0__:del", "told"],
    ]);
    assert.deepEqual(await redis.pubsub("CHANNELS"), ["other"]);
    assert.equal(await subscriber.punsubscribe("n?ws", "__keyevent@*__:*"), 1);
    assert.equal(await subscriber.unsubscribe(), 0);
    assert.equal(await subscriber.get("none"), null);
    subscriber.disconnect();
  },

  async bitmaps(redis) {
    assert.equal(await redis.setbit("bits", 7, 1), 0);
    assert.equal(await redis.getbit("bits", 7), 1);
    assert.equal(await redis.bitcount("bits"), 1);
    assert.equal(await redis.bitpos("bits", 1), 7);
    assert.equal(await redis.bitop("NOT", "inverted", "bits"), 1);
    assert.equal(await redis.bitcount("inverted", 0, -1, "BYTE"), 7);
    assert.deepEqual(await redis.call("BITFIELD", "field", "SET", "u8", "0", "255", "INCRBY", "u8", "0", "10"), [0, 9]);
  },

  async keys(redis) {
    await redis.mset("k:1", "a", "k:2", "b", "other", "c");
    assert.equal(await redis.exists("k:1", "k:2", "none"), 2);
    assert.equal(await redis.type("k:1"), "string");
    assert.equal(await redis.rename("k:1", "k:3"), "OK");
    assert.equal(await redis.copy("k:3", "k:1"), 1);
    assert.deepEqual((await redis.keys("k:*")).sort(), ["k:1", "k:2", "k:3"]);
    assert.equal(await redis.expire("k:1", 100), 1);
    assert.equal(await redis.ttl("k:1"), 100);
    assert.equal(await redis.persist("k:1"), 1);
    assert.equal(await redis.pttl("k:1"), -1);
    assert.equal(await redis.object("ENCODING", "k:1"), "embstr");
    const pipeline = redis.pipeline();
    for (let index = 0; index < 1000; index += 1) pipeline.set(`scan:${index}`, `${index}`);
    assert.equal((await pipeline.exec())?.length, 1000);
    const found = new Set<string>();
    for await (const keys of redis.scanStream({ match: "scan:*", count: 100 })) {
      for (const key of keys as string[]) found.add(key);
    }
    assert.equal(found.size, 1000);
    assert.equal(await redis.unlink(...found), 1000);
    assert.equal(await redis.del("k:1", "k:2", "k:3"), 3);
    assert.equal(await redis.randomkey(), "other");
  },

  async databases(redis) {
    await redis.set("here", "0");
    assert.equal(await redis.move("here", 3), 1);
    assert.equal(await redis.select(3), "OK");
    assert.equal(await redis.get("here"), "0");
    assert.equal(await redis.dbsize(), 1);
    await redis.swapdb(3, 0);
    assert.equal(await redis.dbsize(), 0);
    await redis.select(0);
    assert.equal(await redis.flushdb("ASYNC"), "OK");
    assert.equal(await redis.dbsize(), 0);
  },

  async "connections and the server"(redis) {
    assert.equal(await redis.ping(), "PONG");
    assert.equal(await redis.echo("echo"), "echo");
    await redis.client("SETNAME", "tester");
    assert.equal(await redis.client("GETNAME"), "tester");
    const list = (await redis.client("LIST")) as string;
    assert.match(list, /name=tester .*lib-name=ioredis/);
    assert.match(await redis.info(), /\r\nredis_version:7\.2\./);
    assert.match(await redis.info("keyspace"), /^# Keyspace\r\n/);
    assert.deepEqual(await redis.config("GET", "maxclients"), ["maxclients", "10000"]);
    assert.equal(await redis.config("SET", "maxclients", "9000"), "OK");
    assert.equal((await redis.time()).length, 2);
    assert.ok(Number(await redis.lastsave()) > 0);
    assert.deepEqual(await redis.role(), ["master", 0, []]);
    assert.ok(Number(await redis.command("COUNT")) > 50);
    await redis.set("used", "x");
    assert.ok(Number(await redis.memory("USAGE", "used")) > 0);
    await redis.config("SET", "slowlog-log-slower-than", "0");
    await redis.debug("SLEEP", "0");
    assert.ok(((await redis.slowlog("GET", 10)) as unknown[]).length > 0);
    assert.ok(Array.isArray(await redis.latency("LATEST")));
    await assert.rejects(redis.call("NOSUCH", "a"), /ERR unknown command 'NOSUCH', with args beginning with: 'a'/);
    await assert.rejects(redis.incr("used"), { message: "ERR value is not an integer or out of range" });
  },

  async "many at once"(redis) {
    const replies = await Promise.all(Array.from({ length: 5000 }, (_, index) => redis.set(`p:${index}`, index)));
    assert(replies.every((reply) => reply === "OK"));
    const large = "x".repeat(5_000_000);
    await redis.set("large", large);
    assert.equal(await redis.get("large"), large);
  },

  async "monitor, reconnecting, duplicates"(redis, another) {
    const monitor = await redis.monitor();
    const seen = once(monitor, "monitor");
    await redis.set("watched", "value");
    assert.deepEqual((await seen)[1], ["set", "watched", "value"]);
    monitor.disconnect();
    const other = another();
    await other.client("KILL", "ID", await redis.client("ID"));
    assert.equal(await redis.get("watched"), "value");
    const twin = redis.duplicate();
    assert.equal(await twin.get("watched"), "value");
    await Promise.all([twin.quit(), other.quit()]);
  },
};

const VERSIONS: [name: string, connect: (options: Options) => Client][] = [
  // Its types differ from those of ioredis 6 in what nobody here uses.
  ["ioredis 5", (options) => new Redis5(options) as unknown as Client],
  ["ioredis 6", (options) => new Redis6(options)],
];

for (const [version, connect] of VERSIONS) {
  for (const transport of TRANSPORTS) {
    describe(`${version} over ${transport}`, () => {
      for (const [title, script] of Object.entries(SCRIPTS)) {
        test(title, async (t) => {
          const { port, path } = await serveClients(t);
          const clients: Client[] = [];
          const another = () => {
            const client = connect(transport === "TCP" ? { host: "127.0.0.1", port } : { path });
            clients.push(client);
            return client;
          };
          t.after(() => {
            for (const client of clients) client.disconnect();
          });
          await script(another(), another);
        });
      }
    });
  }

  test(`${version} with a password, and with a wrong one`, async (t) => {
    const { port } = await serveClients(t, { requirepass: "secret" });
    const redis = connect({ host: "127.0.0.1", port, password: "secret", db: 2 });
    t.after(() => redis.disconnect());
    assert.equal(await redis.set("a", "1"), "OK");
    assert.match(await redis.info("keyspace"), /db2:keys=1/);
    const stranger = connect({ host: "127.0.0.1", port, password: "wrong", retryStrategy: () => null });
    stranger.on("error", () => undefined);
    await assert.rejects(stranger.get("a"));
    stranger.disconnect();
  });
}
