import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { Random, seedOfRun } from "../testing/random.ts";
import { checkAgainstTwin, fuzzOnce } from "../testing/request-fuzzing.ts";
import { encodeCommand } from "../testing/resp-frame.ts";
import { startRedis, type TestServer } from "../testing/servers.ts";
import { ProtocolError, RequestParser } from "./request-parser.ts";
import { RespReply } from "./resp-reply.ts";

const MEBIBYTE = 2 ** 20;
const LIMITS = { bulkMax: 512 * MEBIBYTE, queryBufferMax: 1024 * MEBIBYTE };
const LINE_MAX = 65536;
const PING = "PING\r\n";

/** All forms of a request, good and bad; what they mean, the naive twin and redis-server say. */
const vectors: readonly string[] = [
  "*1\r\n$4\r\nPING\r\n",
  "*2\r\n$4\r\nECHO\r\n$0\r\n\r\n",
  "*2\r\n$4\r\nECHO\r\n$4\r\na\r\nb\r\n",
  "*2\r\n$4\r\nECHO\r\n$12\r\nabcdefghijkl\r\n",
  `*2\r\n$4\r\nECHO\r\n$123\r\n${"a".repeat(123)}\r\n`,
  `*11\r\n$4\r\nECHO\r\n${"$1\r\na\r\n".repeat(10)}`,
  "*0\r\nPING\r\n",
  "*-1\r\nPING\r\n",
  "*-9223372036854775808\r\nPING\r\n",
  "*1\rX$4\rXPINGXX",
  ...["", "x", "/", ":", "-", "-0", "01", "+1", " 1", "1 ", "1\n$4\nPING\n", "1".repeat(40)].map(
    (count) => `*${count}\r\n`,
  ),
  ...["2147483648", "9223372036854775808", "-9223372036854775809", "-9999999999999999999"].map(
    (count) => `*${count}\r\n`,
  ),
  ...[":4", "\xe9\xff", "\x01", "", "\n", "*1", "!"].map((header) => `*1\r\n${header}\r\n`),
  ...["", "x", "/", ":", "1:", "4x", "-1", "04", "536870913", "9223372036854775808"].map(
    (length) => `*1\r\n$${length}\r\n`,
  ),
  "PING\r\nPING\r\n*x\r\nPING\r\n",
  "*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n*1\r\n!\r\n",
  "PING\n",
  "\r\n\n  \t\r\nPING\r\n",
  "  PING  \r\n",
  '"PING"\r\n',
  "\v\fECHO \va\f\r\n",
  'ECHO "\r\nPING\r\n',
  ...["a\tb", "a\rb", "a\vb", "a\\nb", "\xe9\xff", '""', "''", 'foo"bar baz"', "foo'bar\\' \\x41 baz'", "'a\\\\'"].map(
    inline,
  ),
  ...['"a"\vb', '"\\x41\\X41\\n\\r\\t\\b\\a\\q\\"\\xZZ\\x4"', '"a', "'a", '"a"b', "'a'b", '"a\\', "'a\\'"].map(inline),
  ...['a"b"c', "'a'\"b\""].map(inline),
];

/** As long as lines may be, and a little longer. */
const longVectors: readonly string[] = [
  ...[LINE_MAX, LINE_MAX + 1].flatMap((length) => [
    "*".padEnd(length, "1"),
    `*1\r\n${"$".padEnd(length, "1")}`,
    "ECHO ".padEnd(length, "a"),
  ]),
  `${"ECHO ".padEnd(LINE_MAX - 1, "a")}\r\n`,
  encodeCommand(["ECHO", "b".repeat(100_000)]).toString(),
];

function inline(word: string): string {
  return `ECHO ${word}\r\n`;
}

/** For requests of PING and ECHO: what a server sends, with its own means. */
function answer(text: string, isAuthenticated = true): { wire: string; isClosed: boolean } {
  const reply = new RespReply();
  const parser = new RequestParser(LIMITS);
  parser.isAuthenticated = isAuthenticated;
  parser.feed(Buffer.from(text, "latin1"), 0, text.length);
  let isClosed = false;
  try {
    while (parser.next()) {
      const { args } = parser;
      if (args.is(0, "PING")) reply.simple("PONG");
      else if (args.count === 2) reply.bulk(args.bytes, args.start(1), args.length(1));
      else reply.error("ERR wrong number of arguments for 'echo' command");
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    reply.error(`${error.code} ${error.message}`);
    isClosed = true;
  }
  return { wire: reply.buffer.latin1Slice(0, reply.length), isClosed };
}

/** What a server sends for `text` until it closes the connection, or has sent as much as expected. */
function ask(server: TestServer, text: string, expected: { wire: string; isClosed: boolean }): Promise<string> {
  return new Promise((resolve, reject) => {
    let wire = "";
    const socket = connect(server.port, "127.0.0.1");
    const done = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(wire);
    };
    // Where nothing more is expected, a little patience would show what came nevertheless.
    const timer = setTimeout(done, expected.isClosed || expected.wire !== "" ? 5000 : 50);
    socket.on("error", reject).on("end", done);
    socket.on("data", (chunk) => {
      wire += chunk.latin1Slice(0, chunk.length);
      if (!expected.isClosed && expected.wire !== "" && wire.length >= expected.wire.length) done();
    });
    socket.write(Buffer.from(text, "latin1"));
  });
}

async function compare(server: TestServer, texts: readonly string[], isAuthenticated = true): Promise<void> {
  for (const text of texts) {
    const expected = answer(text, isAuthenticated);
    const wire = await ask(server, text, expected);
    assert.equal(expected.wire.slice(0, 500), wire.slice(0, 500), JSON.stringify(text.slice(0, 500)));
    assert.equal(expected.wire.length, wire.length);
  }
}

describe("requests, as the naive twin reads them", () => {
  const limits = { bulkMax: LIMITS.bulkMax, isAuthenticated: true };
  const everyByte = (text: string) => Array.from(text, (_, index) => index + 1);

  test("whole", () => {
    for (const text of [...vectors, ...longVectors]) checkAgainstTwin(text, limits, [text.length]);
  });

  test("byte by byte", () => {
    for (const text of vectors) checkAgainstTwin(text, limits, everyByte(text));
  });

  test("cut anywhere", () => {
    for (const text of vectors) {
      for (let cut = 0; cut <= text.length; cut++) checkAgainstTwin(text, limits, [cut, text.length]);
    }
  });

  test("many in one piece, cut anywhere, kept behind or before every request or not at all", () => {
    const echo = "*2\r\n$4\r\nECHO\r\n$12\r\nabcdefghijkl\r\n";
    const valid = `${echo}\r\nECHO "x y"\r\n*0\r\n*1\r\n$4\r\nPING\r\n${PING}`.repeat(3);
    for (let cut = 0; cut <= valid.length; cut++) {
      checkAgainstTwin(valid, limits, [cut, valid.length]);
      checkAgainstTwin(valid, limits, [cut, valid.length], "waits");
      checkAgainstTwin(valid, limits, [cut, valid.length], "waits at times");
      checkAgainstTwin(valid, limits, [cut, valid.length], "hesitates");
    }
  });

  test("a hundred thousand random inputs", (context) => {
    const seed = seedOfRun();
    context.diagnostic(`seed ${seed}`);
    const random = new Random(seed);
    for (let index = 0; index < 100_000; index++) fuzzOnce(random);
  });
});

describe("requests, as redis-server reads them", () => {
  test("every form, and every error", async () => {
    const server = await startRedis();
    try {
      await compare(server, [...vectors, ...longVectors]);
    } finally {
      await server.stop();
    }
  });

  test("random inline requests", async (context) => {
    const seed = seedOfRun();
    context.diagnostic(`seed ${seed}`);
    const random = new Random(seed, 2);
    const letters = "ab\"\"''\\\\\\xn41 \t\v\f\r\xff";
    const texts = Array.from({ length: 400 }, () => `ECHO ${random.text(random.between(1, 14), letters)}\n`);
    assert.ok(texts.filter((text) => answer(text).wire.startsWith("$")).length > 40);
    const server = await startRedis();
    try {
      await compare(server, texts);
    } finally {
      await server.stop();
    }
  });

  test("limits before authentication", async () => {
    const server = await startRedis(["--requirepass", "secret"]);
    const refused = ["*11\r\n", "*2147483648\r\n", "*1\r\n$16385\r\n", "*1\r\n$536870913\r\n", "*10\r\n$-1\r\n"];
    const waiting = ["*10\r\n", "*1\r\n$16384\r\n"];
    try {
      await compare(server, [...refused, ...waiting], false);
      for (const text of refused) assert.ok(answer(text, false).isClosed);
    } finally {
      await server.stop();
    }
  });
});

describe("unfinished requests", () => {
  /** Feeds `bytes` in pieces of `size`. @returns the requests found */
  function feed(parser: RequestParser, bytes: Buffer, size: number): number {
    let requests = 0;
    for (let at = 0; at < bytes.length; at += size) {
      parser.feed(bytes, at, Math.min(at + size, bytes.length));
      while (parser.next()) requests += 1;
    }
    return requests;
  }

  test("a declared length alone takes no memory", () => {
    for (const text of ["*1\r\n$536870912\r\n", "*1\r\n$536870912\r\nabc", "*2147483647\r\n$1\r\na\r\n"]) {
      const parser = new RequestParser(LIMITS);
      assert.equal(feed(parser, Buffer.from(text), 7), 0);
      assert.equal(parser.keptBytes, text.length);
      assert.ok(parser.keptFree < 64 * 1024, `${parser.keptFree} bytes for ${JSON.stringify(text)}`);
    }
  });

  test("the buffer of a large argument grows in few steps, and never far ahead of what has come", () => {
    const length = 48 * MEBIBYTE;
    const value = Buffer.alloc(length + 2, "v");
    const parser = new RequestParser(LIMITS);
    feed(parser, Buffer.from(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$${length}\r\n`), 10);
    const sizes = new Set<number>();
    const step = 64 * 1024;
    for (let at = 0; at < value.length - step; at += step) {
      assert.equal(feed(parser, value.subarray(at, at + step), step), 0);
      const size = parser.keptBytes + parser.keptFree;
      assert.ok(size <= Math.max(64 * 1024, 32 * parser.keptBytes));
      sizes.add(size);
    }
    assert.ok(sizes.size <= 6, `${[...sizes]}`);
    const tail = Buffer.concat([value.subarray(Math.floor(length / step) * step), encodeCommand(["GET", "k"])]);
    parser.feed(tail, 0, tail.length);
    assert.ok(parser.next());
    assert.equal(parser.args.length(2), length);
    assert.ok(parser.args.buffer(2).equals(value.subarray(0, length)));
    assert.ok(Math.max(...sizes) < length + 100, "room for the request, and for nothing else");
    assert.ok(parser.next());
    assert.equal(parser.args.latin1(1), "k");
    assert.equal(parser.args.bytes, tail, "back in the fed bytes");
    assert.ok(!parser.next());
    assert.equal(parser.keptBytes + parser.keptFree, 0);
  });

  test("what is kept is bounded", () => {
    const parser = new RequestParser({ ...LIMITS, queryBufferMax: MEBIBYTE });
    const bytes = Buffer.from(`*2147483647\r\n${"$1\r\na\r\n".repeat(200_000)}`);
    assert.throws(() => feed(parser, bytes, 16 * 1024), ProtocolError);
    assert.ok(parser.keptBytes <= MEBIBYTE);
    // A connection that is being closed for this error may have to wait.
    parser.keep();
    assert.ok(parser.keptBytes <= MEBIBYTE + 16 * 1024);
  });

  test("a million arguments, and the room for them is let go", () => {
    const parser = new RequestParser(LIMITS);
    const bytes = Buffer.from(`*1000000\r\n${"$1\r\na\r\n".repeat(1_000_000)}`);
    const step = 64 * 1024;
    const tail = Math.floor(bytes.length / step) * step;
    assert.equal(feed(parser, bytes.subarray(0, tail), step), 0);
    parser.feed(bytes, tail, bytes.length);
    assert.ok(parser.next());
    assert.equal(parser.args.count, 1_000_000);
    for (let index = 0; index < 1_000_000; index += 997) assert.equal(parser.args.latin1(index), "a");
    assert.ok(!parser.next());
    assert.ok(parser.args.starts.length < 100);
    assert.equal(parser.keptBytes + parser.keptFree, 0);
  });

  test("ten thousand arguments byte by byte take no quadratic time", () => {
    const elapsed = [10_000, 40_000].map((count) => {
      const bytes = encodeCommand(Array.from({ length: count }, () => "0123456789"));
      const start = performance.now();
      assert.equal(feed(new RequestParser(LIMITS), bytes, 1), 1);
      return performance.now() - start;
    });
    assert.ok(elapsed[1]! < elapsed[0]! * 12 + 100, `${elapsed} ms`);
  });

  test("a line byte by byte takes no quadratic time worth naming", () => {
    for (const text of [`ECHO ${"a".repeat(65_000)}`, `*${"1".repeat(65_000)}`, `*1\r\n$${"1".repeat(65_000)}`]) {
      const start = performance.now();
      assert.equal(feed(new RequestParser(LIMITS), Buffer.from(text), 1), 0);
      assert.ok(performance.now() - start < 2000);
    }
  });

  test("100,000 nested levels are an error", () => {
    const parser = new RequestParser(LIMITS);
    const bytes = Buffer.from("*1\r\n".repeat(100_000));
    assert.throws(() => feed(parser, bytes, bytes.length), { message: "Protocol error: expected '$', got '*'" });
  });

  test("a backlog that has been worked off gives its room back", () => {
    const parser = new RequestParser(LIMITS);
    const ping = encodeCommand(["PING"]);
    const bytes = Buffer.concat([...Array.from({ length: 100_000 }, () => ping), ping.subarray(0, 9)]);
    parser.feed(bytes, 0, bytes.length);
    assert.ok(parser.next());
    parser.keep();
    assert.equal(parser.keptBytes, bytes.length - ping.length);
    let requests = 1;
    while (parser.next()) requests += 1;
    assert.equal(requests, 100_000);
    assert.equal(parser.keptBytes, 9);
    assert.ok(parser.keptFree < 64 * 1024, `${parser.keptFree} bytes`);
    parser.feed(ping, 9, ping.length);
    assert.ok(parser.next());
    assert.equal(parser.args.latin1(0), "PING");
  });

  test("large values behind each other are kept one by one", () => {
    const request = encodeCommand(["SET", "k", "v".repeat(MEBIBYTE)]);
    const parser = new RequestParser(LIMITS);
    const bytes = Buffer.concat(Array.from({ length: 20 }, () => request));
    let largest = 0;
    let requests = 0;
    for (let at = 0; at < bytes.length; at += 50_000) {
      requests += feed(parser, bytes.subarray(at, at + 50_000), 50_000);
      largest = Math.max(largest, parser.keptBytes + parser.keptFree);
    }
    assert.equal(requests, 20);
    assert.ok(largest <= request.length, `${largest} bytes`);
  });
});
