import assert from "node:assert/strict";
import { test } from "node:test";
import { Random, seedOfRun } from "../testing/random.ts";
import { encodeCommand } from "../testing/resp-frame.ts";
import { RequestBatch } from "./request-batch.ts";
import { RequestParser } from "./request-parser.ts";
import { SpareBuffers } from "./spare-buffers.ts";

const KIBIBYTE = 1024;
const LIMITS = { bulkMax: 2 ** 29, queryBufferMax: 2 ** 30 };

test("what was given back is taken again, for what fits it", () => {
  const spares = new SpareBuffers();
  const buffer = spares.take(100 * KIBIBYTE);
  assert.ok(buffer.length >= 100 * KIBIBYTE);
  spares.give(buffer);
  assert.notEqual(spares.take(101 * KIBIBYTE), buffer, "too small");
  assert.notEqual(spares.take(10 * KIBIBYTE), buffer, "far too large");
  assert.equal(spares.take(50 * KIBIBYTE), buffer);
  assert.notEqual(spares.take(50 * KIBIBYTE), buffer, "taken already");
});

test("spares are bounded", () => {
  const spares = new SpareBuffers();
  const huge = spares.take(2048 * KIBIBYTE);
  spares.give(huge);
  assert.notEqual(spares.take(2048 * KIBIBYTE), huge);
  const many = Array.from({ length: 100 }, () => spares.take(1024 * KIBIBYTE));
  for (const buffer of many) spares.give(buffer);
  const again = new Set(Array.from({ length: 100 }, () => spares.take(1024 * KIBIBYTE)));
  assert.equal(many.filter((buffer) => again.has(buffer)).length, 8);
});

test("parsers that share spares do not see each other's bytes", (context) => {
  const seed = seedOfRun();
  context.diagnostic(`seed ${seed}`);
  const random = new Random(seed);
  const batch = new RequestBatch(4);
  const spares = new SpareBuffers();
  // One buffer for whatever is read, as the sockets of a server have.
  const read = Buffer.alloc(4 * KIBIBYTE);
  const clients = Array.from({ length: 5 }, (_, index) => {
    const requests = Array.from({ length: 40 }, () => [
      "SET",
      `${index}`.repeat(1 + random.below(20)),
      String.fromCharCode(97 + index).repeat(random.below(random.chance(0.5) ? 30 : 20 * KIBIBYTE)),
    ]);
    const bytes = Buffer.concat(requests.map((words) => encodeCommand(words)));
    return { requests, bytes, at: 0, parser: new RequestParser(LIMITS, batch, spares), seen: 0 };
  });
  for (let open = [...clients]; open.length > 0; open = clients.filter(({ at, bytes }) => at < bytes.length)) {
    const client = random.pick(open);
    const { parser, bytes, requests } = client;
    const size = Math.min(bytes.length - client.at, 1 + random.below(read.length));
    bytes.copy(read, 0, client.at, client.at + size);
    client.at += size;
    parser.feed(read, 0, size);
    while (parser.next()) {
      const words = Array.from({ length: parser.args.count }, (_, index) => parser.args.latin1(index));
      assert.deepEqual(words, requests[client.seen]);
      client.seen += 1;
    }
    batch.clear();
  }
  assert.deepEqual(
    clients.map(({ seen }) => seen),
    clients.map(() => 40),
  );
});
