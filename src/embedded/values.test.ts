/** What goes in and what comes out: arguments of every type, replies of every shape. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { type ArgumentValue, CommandError, open } from "./index.ts";
import { ValueReply } from "./value-reply.ts";

const db = await open();
after(() => db.close());

test("text is stored as UTF-8 and comes back", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary", maxLength: 100 }),
      fc.string({ unit: "binary", maxLength: 2000 }),
      (key, value) => {
        db.set(key, value);
        assert.equal(db.get(key), value);
        assert.deepEqual(db.getBuffer(key), Buffer.from(value));
        assert.deepEqual(db.getBuffer(Buffer.from(key)), Buffer.from(value));
        assert.equal(db.call("GET", key), value);
      },
    ),
  );
});

test("bytes are stored as they are; as text, what is no UTF-8 is replaced", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 3000 }), (key, value) => {
      db.set(key, value);
      assert.deepEqual(db.getBuffer(key), Buffer.from(value));
      assert.equal(db.get(key), Buffer.from(value).toString());
    }),
  );
  db.set("bytes", Buffer.from([0x61, 0xff, 0x62]));
  assert.equal(db.get("bytes"), "a\ufffdb");
  db.set("half a pair", "\ud800");
  assert.equal(db.get("half a pair"), "\ufffd");
});

test("numbers are stored in decimal", () => {
  const numbers: [number | bigint, string][] = [
    [0, "0"],
    [-0, "0"],
    [-12, "-12"],
    [1.5, "1.5"],
    [1e21, "1e+21"],
    [2n ** 63n - 1n, "9223372036854775807"],
  ];
  for (const [number, text] of numbers) {
    db.set("number", number);
    assert.equal(db.get("number"), text);
  }
  db.set(42, 1);
  assert.equal(db.get("42"), "1");
});

test("large values and many arguments", () => {
  const large = Buffer.alloc(3_000_000, "x");
  db.set("large", large);
  assert(db.getBuffer("large")?.equals(large));
  assert.equal(db.append("large", "é".repeat(1_000_000)), 5_000_000);
  assert.equal(db.get("large")?.length, 4_000_000);
  const keys = Array.from({ length: 100_000 }, (_, index) => `many:${index}`);
  db.mset(keys.map((key) => [key, key]));
  assert.deepEqual(db.mget(keys), keys);
  assert.equal(db.unlink(keys), 100_000);
});

test("other types of arguments are refused before anything is done", () => {
  const wrong: [unknown, RegExp][] = [
    [undefined, /^SET: argument 2 is undefined, not a string/],
    [null, /argument 2 is null/],
    [true, /argument 2 is a boolean/],
    [{}, /argument 2 is an object/],
    [["a"], /argument 2 is an array/],
    [() => 1, /argument 2 is a function/],
    [Symbol("s"), /argument 2 is a symbol/],
  ];
  for (const [value, message] of wrong) {
    assert.throws(() => db.set("untouched", value as ArgumentValue), { name: "TypeError", message });
    assert.throws(() => db.call("SET", "untouched", value as ArgumentValue), { name: "TypeError", message });
  }
  assert.throws(() => db.get(undefined as unknown as string), { name: "TypeError", message: /^GET: argument 1/ });
  assert.throws(() => db.call(7 as unknown as string), { name: "TypeError", message: /name is a number/ });
  assert.equal(db.exists("untouched"), 0);
});

test("options that are unknown or of the wrong type are named", () => {
  const set = (options: unknown) => () => db.set("untouched", "v", options as { EX: number });
  assert.throws(set({ ex: 1 }), {
    name: "TypeError",
    message: "set: no option is called ex; there are EX, PX, EXAT, PXAT, KEEPTTL, NX, XX, GET",
  });
  assert.throws(set({ EX: "1" }), { name: "TypeError", message: "set: option EX is a string, not a number" });
  assert.throws(set({ NX: 1 }), { name: "TypeError", message: "set: option NX is a number, not true or false" });
  assert.throws(set("EX"), { name: "TypeError", message: "set: the options are a string, not an object" });
  assert.throws(set(null), { name: "TypeError" });
  assert.throws(set({ toString: 1 }), { name: "TypeError", message: /no option is called toString/ });
  assert.throws(set({ EX: 1.5 }), { name: "CommandError", message: "ERR value is not an integer or out of range" });
  assert.throws(set({ NX: true, XX: true }), { name: "CommandError", message: "ERR syntax error" });
  assert.throws(() => db.scanIterator({ count: "5" as unknown as number }), { name: "TypeError" });
  assert.throws(() => db.mset([["a"]] as unknown as [string, string][]), {
    name: "TypeError",
    message: /element 1 is no pair/,
  });
  assert.equal(db.exists("untouched"), 0);
  assert.equal(db.set("k", "v", { EX: undefined, NX: false, GET: false }), "OK");
});

test("integers beyond 2^53 are bigints", () => {
  db.set("n", Number.MAX_SAFE_INTEGER);
  assert.equal(db.incr("n"), 2n ** 53n);
  assert.equal(db.incr("n"), 2n ** 53n + 1n);
  assert.equal(db.decrby("n", 2), Number.MAX_SAFE_INTEGER);
  assert.equal(db.incrby("n", 2n ** 62n), 2n ** 62n + 2n ** 53n - 1n);
});

test("what a call cannot have is refused", async () => {
  assert.throws(() => db.call("monitor"), { code: "ERR", message: /connections only/ });
  assert.throws(() => db.client("REPLY", "OFF"), { code: "ERR", message: /always has its reply/ });
  assert.throws(() => db.call("SHUTDOWN"), { code: "ERR", message: /the program that opened it ends it/ });
  await assert.rejects(db.callAsync("MONITOR"), CommandError);
  assert.throws(() => db.call("NOSUCH", "x"), {
    message: "ERR unknown command 'NOSUCH', with args beginning with: 'x' ",
  });
  assert.equal(await db.callAsync("SET", "k", "v"), "OK");
  await assert.rejects(db.callAsync("INCR", "k"), { code: "ERR" });
});

test("replies of every shape", () => {
  const reply = new ValueReply();
  const taken = (asBuffers: boolean, write: () => void): unknown => {
    reply.reset(asBuffers);
    write();
    return reply.take();
  };
  const bytes = Buffer.from("xabcx");
  const write = (): void => {
    reply.array(9);
    reply.map(2);
    reply.bulk(bytes, 1, 3);
    reply.set(2);
    reply.integer(1);
    reply.double(1.5);
    reply.simple("key");
    reply.push(0);
    reply.null();
    reply.nullArray();
    reply.boolean(true);
    reply.verbatim("txt", "text");
    reply.bulkText("é");
    reply.error("WRONGTYPE of value");
    reply.integer(2n ** 60n);
    reply.map(0);
  };
  const shape = (text: (value: string) => string | Buffer) => [
    new Map<unknown, unknown>([
      [text("abc"), [1, 1.5]],
      ["key", []],
    ]),
    null,
    null,
    true,
    text("text"),
    text("é"),
    new CommandError("WRONGTYPE of value"),
    2n ** 60n,
    new Map(),
  ];
  assert.deepEqual(taken(false, write), shape(String));
  assert.deepEqual(taken(true, write), shape(Buffer.from));
  assert.equal((taken(false, () => reply.error("WRONGTYPE of value")) as CommandError).code, "WRONGTYPE");
  assert.throws(() => taken(false, () => reply.array(1)), /no complete reply/);
  assert.throws(() => taken(false, () => undefined), /no complete reply/);
  assert.equal(
    taken(false, () => reply.ok()),
    "OK",
  );
});
