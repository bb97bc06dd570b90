import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decode, encodeCommand, printableCommand, type Reply, replyEnd } from "./resp-frame.ts";

const replies: readonly (readonly [wire: string, value: Reply])[] = [
  ["+OK\r\n", "OK"],
  ["-ERR no such key\r\n", { error: "ERR no such key" }],
  [":-12\r\n", -12],
  [":9223372036854775807\r\n", 9223372036854775807n],
  ["$5\r\na\r\nbc\r\n", "a\r\nbc"],
  ["$0\r\n\r\n", ""],
  ["$-1\r\n", null],
  ["*-1\r\n", null],
  ["*0\r\n", []],
  ["*2\r\n*1\r\n:1\r\n$1\r\nx\r\n", [[1], "x"]],
  ["_\r\n", null],
  ["#t\r\n", true],
  [",-1.5\r\n", -1.5],
  [",inf\r\n", Infinity],
  ["(12345678901234567890\r\n", 12345678901234567890n],
  ["!9\r\nERR wrong\r\n", { error: "ERR wrong" }],
  ["=8\r\ntxt:abcd\r\n", "abcd"],
  [
    "%2\r\n+a\r\n:1\r\n+b\r\n*0\r\n",
    new Map<Reply, Reply>([
      ["a", 1],
      ["b", []],
    ]),
  ],
  ["~2\r\n+a\r\n+b\r\n", new Set(["a", "b"])],
  [">2\r\n+message\r\n+x\r\n", { push: ["message", "x"] }],
  ["|1\r\n+ttl\r\n:3\r\n*1\r\n:7\r\n", { attributes: new Map([["ttl", 3]]), value: [7] }],
];

describe("RESP replies", () => {
  for (const [wire, value] of replies) {
    test(JSON.stringify(wire), () => {
      const bytes = Buffer.from(wire);
      assert.deepEqual(decode(bytes), value);
      assert.equal(replyEnd(Buffer.from(`${wire}+next\r\n`)), bytes.length);
      for (let length = 0; length < bytes.length; length += 1) {
        const missing = -replyEnd(bytes.subarray(0, length));
        assert.ok(missing > 0 && missing <= bytes.length - length, `${missing} bytes missing after ${length}`);
      }
    });
  }

  test("bytes that are no text stay bytes", () => {
    assert.deepEqual(decode(Buffer.from("$2\r\n\xff\x00\r\n", "latin1")), Buffer.from([255, 0]));
  });

  for (const wire of ["HTTP/1.1 400\r\n", "$x\r\n", "*-2\r\n", "$1\r\nabc\r\n"]) {
    test(`${JSON.stringify(wire)} is refused`, () => assert.throws(() => replyEnd(Buffer.from(wire))));
  }
});

test("commands are arrays of bulk strings", () => {
  assert.equal(encodeCommand(["SET", "ké", 12]).toString(), "*3\r\n$3\r\nSET\r\n$3\r\nké\r\n$2\r\n12\r\n");
  const bytes = Buffer.from([0, 255]);
  const wire = "*3\r\n$2\r\n\x00\xff\r\n$1\r\na\r\n$2\r\n\x00\xff\r\n";
  assert.equal(encodeCommand([bytes, "a", new Uint8Array(bytes)]).toString("latin1"), wire);
  assert.equal(printableCommand(["SET", "a b", Buffer.from([0, 34])]), 'SET "a b" "\\x00\\""');
});
