/** node-redis in RESP2 and RESP3, in a scripted use of all families of commands. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createClient, RESP_TYPES, type RedisClientOptions } from "redis";
import { serveClients, TRANSPORTS } from "../testing/serve-clients.ts";

type RedisSocketOptions = NonNullable<RedisClientOptions["socket"]>;

const clientFor = (address: RedisSocketOptions, RESP: 2 | 3) => createClient({ RESP, socket: address });

type Client = ReturnType<typeof clientFor>;

const SCRIPTS: Record<string, (client: Client) => Promise<void>> = {
  async strings(client) {
    assert.equal(await client.set("greeting", "hello", { expiration: { type: "EX", value: 100 } }), "OK");
    assert.equal(await client.get("greeting"), "hello");
    assert.equal(await client.set("greeting", "ho", { condition: "NX" }), null);
    assert.equal(await client.set("greeting", "ho", { GET: true }), "hello");
    assert.equal(await client.append("greeting", "!"), 3);
    assert.equal(await client.strLen("greeting"), 3);
    assert.equal(await client.getRange("greeting", 0, 1), "ho");
    assert.equal(await client.setRange("greeting", 2, " ho"), 5);
    assert.equal(await client.getEx("greeting", { type: "PERSIST" }), "ho ho");
    assert.equal(await client.getDel("greeting"), "ho ho");
    await client.mSet({ a: "1", b: "2" });
    assert.deepEqual(await client.mGet(["a", "missing", "b"]), ["1", null, "2"]);
    assert.equal(await client.incrBy("a", 9), 10);
    assert.equal(await client.decr("a"), 9);
    assert.equal(await client.incrByFloat("a", 0.25), "9.25");
    await client.mSet(["one", "ohmytext", "two", "mynewtext"]);
    assert.equal(await client.lcsLen("one", "two"), 6);
    const buffers = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    await client.set("bytes", Buffer.from([0, 255, 13, 10]));
    assert.deepEqual(await buffers.get("bytes"), Buffer.from([0, 255, 13, 10]));
  },

  async messages(client) {
    const subscriber = client.duplicate();
    subscriber.on("error", () => undefined);
    await subscriber.connect();
    const heard: string[][] = [];
    const note = (message: string, channel: string) => heard.push([channel, message]);
    await subscriber.subscribe(["news", "other"], note);
    await subscriber.pSubscribe("__keyevent@*__:*", note);
    await subscriber.sSubscribe("shard", note);
    assert.equal(await client.publish("news", "hello"), 1);
    assert.equal(await client.sPublish("shard", "s"), 1);
    await client.configSet("notify-keyspace-events", "Eg");
    await client.set("told", "1");
    await client.del("told");
    await client.configSet("notify-keyspace-events", "");
    assert.deepEqual((await client.pubSubChannels()).sort(), ["news", "other"]);
    assert.equal(await client.pubSubNumPat(), 1);
    await subscriber.unsubscribe("news");
    assert.equal(await client.publish("news", "nobody"), 0);
    await subscriber.unsubscribe();
    await subscriber.pUnsubscribe();
    await subscriber.sUnsubscribe("shard");
    assert.deepEqual(heard, [
      ["news", "hello"],
      ["shard", "s"],
      ["__keyevent@0__:del", "told"],
    ]);
    assert.equal(await subscriber.get("none"), null);
    await subscriber.close();
  },

  async bitmaps(client) {
    assert.equal(await client.setBit("bits", 7, 1), 0);
    assert.equal(await client.getBit("bits", 7), 1);
    assert.equal(await client.bitCount("bits"), 1);
    assert.equal(await client.bitPos("bits", 1), 7);
    assert.equal(await client.bitOp("NOT", "inverted", "bits"), 1);
    const replies = await client.bitField("field", [
      { operation: "SET", encoding: "u8", offset: 0, value: 255 },
      { operation: "GET", encoding: "u4", offset: 0 },
    ]);
    assert.deepEqual(replies, [0, 15]);
  },

  async keys(client) {
    await client.mSet({ "k:1": "a", "k:2": "b" });
    assert.equal(await client.exists(["k:1", "k:2", "none"]), 2);
    assert.equal(await client.type("k:1"), "string");
    await client.rename("k:1", "k:3");
    assert.equal(await client.copy("k:3", "k:1"), 1);
    assert.equal(await client.expire("k:1", 100, "NX"), 1);
    assert.equal(await client.ttl("k:1"), 100);
    assert.equal(await client.persist("k:1"), 1);
    assert.equal(await client.objectEncoding("k:1"), "embstr");
    await Promise.all(Array.from({ length: 1000 }, (_, index) => client.set(`scan:${index}`, `${index}`)));
    const found = new Set<string>();
    for await (const keys of client.scanIterator({ MATCH: "scan:*", COUNT: 100 }))
      for (const key of keys) found.add(key);
    assert.equal(found.size, 1000);
    assert.equal(await client.unlink([...found]), 1000);
    assert.equal(await client.del(["k:1", "k:2", "k:3"]), 3);
    assert.equal(await client.randomKey(), null);
  },

  async databases(client) {
    await client.set("here", "0");
    assert.equal(await client.move("here", 3), 1);
    await client.select(3);
    assert.equal(await client.get("here"), "0");
    await client.swapDb(3, 0);
    assert.equal(await client.dbSize(), 0);
    await client.flushAll();
  },

  async "connections and the server"(client) {
    assert.equal(await client.ping(), "PONG");
    assert.equal(await client.echo("echo"), "echo");
    await client.clientSetName("tester");
    assert.equal(await client.clientGetName(), "tester");
    const info = await client.clientInfo();
    assert.equal(info.name, "tester");
    assert.equal(info.libName, "node-redis");
    assert.match(await client.info("server"), /redis_version:7\.2\./);
    const { maxclients } = await client.configGet("maxclients");
    assert.equal(maxclients, "10000");
    assert.equal(await client.configSet("maxclients", "9000"), "OK");
    assert.ok((await client.time()).length > 0);
    const commands = await client.command();
    assert.equal(commands.find(({ name }) => name === "get")?.arity, 2);
    assert.equal(await client.commandCount(), commands.length);
    await client.set("used", "x");
    assert.ok(Number(await client.memoryUsage("used")) > 0);
    const statistics = await client.memoryStats();
    assert.ok(statistics["peak.allocated"] > 0);
    assert.deepEqual(await client.latencyLatest(), []);
    await assert.rejects(client.incr("used"), { message: "ERR value is not an integer or out of range" });
    await assert.rejects(client.sendCommand(["NOSUCH"]), /unknown command/);
  },

  async "many at once"(client) {
    const replies = await Promise.all(Array.from({ length: 5000 }, (_, index) => client.set(`p:${index}`, `${index}`)));
    assert(replies.every((reply) => reply === "OK"));
    const large = "x".repeat(5_000_000);
    await client.set("large", large);
    assert.equal(await client.get("large"), large);
  },

  async "monitor, and reconnecting"(client) {
    const [monitor, other] = [client.duplicate(), client.duplicate()];
    for (const each of [monitor, other]) {
      each.on("error", () => undefined);
      await each.connect();
    }
    const seen = new Promise<string>((resolve) => void monitor.monitor((line) => resolve(String(line))));
    await client.ping();
    assert.match(await seen, /^\d+\.\d+ \[0 .*\] "/);
    await client.set("a", "1");
    await other.clientKill({ filter: "ID", id: await client.clientId() } as never);
    assert.equal(await client.get("a"), "1");
    monitor.destroy();
    await other.close();
  },
};

for (const RESP of [2, 3] as const) {
  for (const transport of TRANSPORTS) {
    describe(`node-redis with RESP${RESP} over ${transport}`, () => {
      for (const [title, script] of Object.entries(SCRIPTS)) {
        test(title, async (t) => {
          const { port, path } = await serveClients(t);
          const client = clientFor(transport === "TCP" ? { host: "127.0.0.1", port } : { path, tls: false }, RESP);
          client.on("error", () => undefined);
          await client.connect();
          t.after(() => client.destroy());
          await script(client);
        });
      }
    });
  }

  test(`node-redis with RESP${RESP} and a password`, async (t) => {
    const { port } = await serveClients(t, { requirepass: "secret" });
    const socket = { host: "127.0.0.1", port, reconnectStrategy: false } as const;
    const client = createClient({ RESP, socket, password: "secret" });
    await client.connect();
    assert.equal(await client.set("a", "1"), "OK");
    await client.close();
    const stranger = createClient({ RESP, socket, password: "wrong" });
    stranger.on("error", () => undefined);
    await assert.rejects(stranger.connect(), /WRONGPASS/);
  });
}
