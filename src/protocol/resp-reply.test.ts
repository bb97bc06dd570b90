import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Reply } from "../commands/reply.ts";
import { seedOfRun } from "../testing/random.ts";
import { decode, replyEnd } from "../testing/resp-frame.ts";
import { startRedis } from "../testing/servers.ts";
import { RespReply } from "./resp-reply.ts";

type Write = (reply: Reply) => void;

function wireOf(version: 2 | 3, write: Write): string {
  const reply = new RespReply();
  reply.version = version;
  write(reply);
  return reply.buffer.latin1Slice(0, reply.length);
}

const bulk = (text: string): Write => {
  const bytes = Buffer.from(`<<${text}>>`, "latin1");
  return (reply) => reply.bulk(bytes, 2, text.length);
};

/** Every type, as RESP2 and RESP3 write it. */
const CASES: ReadonlyArray<readonly [name: string, write: Write, resp2: string, resp3: string]> = [
  ["ok", (reply) => reply.ok(), "+OK\r\n", "+OK\r\n"],
  ["status", (reply) => reply.simple("PONG"), "+PONG\r\n", "+PONG\r\n"],
  ["error", (reply) => reply.error("ERR no"), "-ERR no\r\n", "-ERR no\r\n"],
  ["integer", (reply) => reply.integer(-12), ":-12\r\n", ":-12\r\n"],
  ["zero", (reply) => reply.integer(0), ":0\r\n", ":0\r\n"],
  ["small", (reply) => reply.integer(-1073741824), ":-1073741824\r\n", ":-1073741824\r\n"],
  ["long", (reply) => reply.integer(2n ** 63n - 1n), ":9223372036854775807\r\n", ":9223372036854775807\r\n"],
  ["least", (reply) => reply.integer(-(2n ** 63n)), ":-9223372036854775808\r\n", ":-9223372036854775808\r\n"],
  ["bulk", bulk("a\r\nb\0\xff"), "$6\r\na\r\nb\0\xff\r\n", "$6\r\na\r\nb\0\xff\r\n"],
  ["empty bulk", bulk(""), "$0\r\n\r\n", "$0\r\n\r\n"],
  ["bulk text", (reply) => reply.bulkText("né€"), "$6\r\nn\xc3\xa9\xe2\x82\xac\r\n", "$6\r\nn\xc3\xa9\xe2\x82\xac\r\n"],
  ["null", (reply) => reply.null(), "$-1\r\n", "_\r\n"],
  ["null array", (reply) => reply.nullArray(), "*-1\r\n", "_\r\n"],
  ["array", (reply) => reply.array(12), "*12\r\n", "*12\r\n"],
  ["empty array", (reply) => reply.array(0), "*0\r\n", "*0\r\n"],
  ["map", (reply) => reply.map(3), "*6\r\n", "%3\r\n"],
  ["set", (reply) => reply.set(3), "*3\r\n", "~3\r\n"],
  ["push", (reply) => reply.push(3), "*3\r\n", ">3\r\n"],
  ["double", (reply) => reply.double(1.5), "$3\r\n1.5\r\n", ",1.5\r\n"],
  ["infinity", (reply) => reply.double(-Infinity), "$4\r\n-inf\r\n", ",-inf\r\n"],
  ["true", (reply) => reply.boolean(true), ":1\r\n", "#t\r\n"],
  ["false", (reply) => reply.boolean(false), ":0\r\n", "#f\r\n"],
  ["verbatim", (reply) => reply.verbatim("txt", "né\n"), "$4\r\nn\xc3\xa9\n\r\n", "=8\r\ntxt:n\xc3\xa9\n\r\n"],
];

describe("wire bytes", () => {
  for (const [name, write, resp2, resp3] of CASES) {
    test(name, () => {
      assert.equal(wireOf(2, write), resp2);
      assert.equal(wireOf(3, write), resp3);
    });
  }

  test("are redis-server's", async () => {
    const types: Readonly<Record<string, Write>> = {
      string: (reply) => reply.bulkText("Hello World"),
      integer: (reply) => reply.integer(12345),
      double: (reply) => reply.double(Number("3.141")),
      null: (reply) => reply.null(),
      array(reply) {
        reply.array(3);
        for (const index of [0, 1, 2]) reply.integer(index);
      },
      set(reply) {
        reply.set(3);
        for (const index of [0, 1, 2]) reply.integer(index);
      },
      map(reply) {
        reply.map(3);
        for (const index of [0, 1, 2]) {
          reply.integer(index);
          reply.boolean(index === 1);
        }
      },
      verbatim: (reply) => reply.verbatim("txt", "This is a verbatim\nstring"),
      true: (reply) => reply.boolean(true),
      false: (reply) => reply.boolean(false),
    };
    const server = await startRedis();
    try {
      const client = await server.client();
      for (const version of [2, 3] as const) {
        await client.command("HELLO", version);
        for (const [type, write] of Object.entries(types)) {
          const theirs = await client.command("DEBUG", "PROTOCOL", type);
          assert.equal(wireOf(version, write), theirs.latin1Slice(0, theirs.length), `${type} in RESP${version}`);
        }
      }
      const odd = Buffer.from("caf\xc3\xa9\xff\r\n\t", "latin1");
      const theirs = await client.command(odd);
      const text = `ERR unknown command '${odd.latin1Slice(0, odd.length)}', with args beginning with: `;
      assert.equal(
        wireOf(2, (reply) => reply.error(text)),
        theirs.latin1Slice(0, theirs.length),
      );
    } finally {
      await server.stop();
    }
  });
});

test("errors are counted by their code, and stay in one line", () => {
  const reply = new RespReply();
  reply.error("WRONGTYPE Operation\r\nagainst\na key");
  reply.error("NOAUTH");
  assert.equal(reply.errors, 2);
  assert.equal(reply.lastErrorCode, "NOAUTH");
  assert.equal(reply.buffer.latin1Slice(0, reply.length), "-WRONGTYPE Operation  against a key\r\n-NOAUTH\r\n");
});

test("the buffer grows as replies need it, and is handed over whole", () => {
  const reply = new RespReply();
  const first = reply.buffer.length;
  const large = Buffer.alloc(3 * first, "x");
  const writes: Write[] = [
    (to) => to.bulk(large, 0, large.length),
    (to) => to.bulkText("é".repeat(2 * first)),
    (to) => to.verbatim("txt", "€".repeat(first)),
    (to) => to.error(`ERR ${"e".repeat(5 * first)}`),
    ...Array.from({ length: 50_000 }, (): Write => (to) => to.integer(-12345678)),
    ...Array.from({ length: 50_000 }, (): Write => (to) => to.ok()),
  ];
  for (const write of writes) write(reply);
  assert.equal(reply.buffer.latin1Slice(0, reply.length), writes.map((write) => wireOf(2, write)).join(""));
  const handedOver = reply.buffer;
  const bytes = handedOver.latin1Slice(0, 20);
  reply.renew();
  assert.equal(reply.length, 0);
  assert.equal(reply.buffer.length, first);
  reply.error("ERR other");
  assert.equal(handedOver.latin1Slice(0, 20), bytes);
});

test("replies that just fill the buffer, or just do not", () => {
  for (let room = 0; room < 80; room++) {
    for (const [, write, resp2] of CASES) {
      const reply = new RespReply();
      reply.length = reply.buffer.length - room;
      const start = reply.length;
      write(reply);
      assert.equal(reply.buffer.latin1Slice(start, reply.length), resp2);
    }
  }
});

test("any sequence of replies can be read again", () => {
  const writes: ReadonlyArray<(value: string) => Write> = [
    (value) => (reply) => reply.bulkText(value),
    (value) => (reply) => reply.verbatim("txt", value),
    (value) => (reply) => reply.error(`ERR ${value}`),
    (value) => (reply) => reply.integer(value.length),
    (value) => (reply) => reply.double(value.length / 3),
    () => (reply) => reply.null(),
  ];
  const sequence = fc.array(fc.tuple(fc.constantFrom(...writes), fc.string({ unit: "grapheme" })), { maxLength: 20 });
  fc.assert(
    fc.property(sequence, fc.constantFrom(2, 3), (parts, version) => {
      const text = wireOf(version as 2 | 3, (reply) => {
        for (const [write, value] of parts) write(value)(reply);
      });
      const bytes = Buffer.from(text, "latin1");
      let at = 0;
      for (let count = 0; count < parts.length; count++) {
        const end = replyEnd(bytes, at);
        assert.ok(end > at);
        decode(bytes.subarray(at, end));
        at = end;
      }
      assert.equal(at, bytes.length);
    }),
    { seed: seedOfRun() },
  );
});
