/**
 * DUMP and RESTORE. What is dumped here has the same bytes in both servers: nothing is compressed, because compressors
 * differ, and no table is filled, because their orders differ.
 */
import { double, intset, listpack, payload, size, text, ziplist, zipmap } from "../testing/saved-forms.ts";
import { asDeclared, command, type Draw, type Family, often, oneOf, repeated, sequence, someOf } from "./shape.ts";
import { almostInteger, key, milliseconds, smallInteger, unixMilliseconds, value } from "./words.ts";

const PAYLOADS = [
  payload(0, [text("hello")]),
  // Not below 10,000: Redis has one object for all keys of such a value, and with it one time of the last access.
  payload(0, [text("123456")]),
  payload(0, [Buffer.from([0xc0, 0xff])]),
  payload(0, [Buffer.from([0xc3]), size(9), size(30), Buffer.from("016161e01100016161", "hex")]),
  payload(1, [size(3), text("a"), text("1"), text("x".repeat(70))]),
  payload(10, [text(ziplist("a", "1", "300"))]),
  payload(14, [size(2), text(ziplist("a", "-1")), text(ziplist("b"))]),
  payload(18, [size(1), size(2), text(listpack(["a", "1", "70000"]))]),
  payload(2, [size(2), text("5"), text("-70000")]),
  payload(11, [text(intset(2, -5, 1, 300))]),
  payload(4, [size(2), text("a"), text("1"), text("b"), text("x")]),
  payload(9, [text(zipmap(1, "a", "1", "b", "2"))]),
  payload(13, [text(ziplist("a", "1", "b", "x"))]),
  payload(16, [text(listpack(["a", "1", "b", "x"]))]),
  payload(5, [size(2), text("b"), double(2), text("a"), double(-1)]),
  payload(12, [text(ziplist("a", "1", "b", "2"))]),
  payload(17, [text(listpack(["a", "-5", "b", "1"]))]),
];

const sound: Draw = (random) => [random.pick(PAYLOADS)];
const damaged: Draw = (random) => {
  const bytes = Buffer.from(random.pick(PAYLOADS));
  bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
  return [random.chance(0.5) ? bytes : bytes.subarray(0, random.below(bytes.length))];
};
const bytes = oneOf(sound, sound, sound, sound, sound, damaged, value);
const lifetime = oneOf("0", "0", "0", milliseconds);
const idleTime = sequence("IDLETIME", oneOf("0", "5", "1000", "100000", "-1", almostInteger));
const frequency = sequence("FREQ", oneOf("0", "7", "255", "256", "-1", almostInteger));
/** Beyond 64 bits a score is stored as text, which Redis 7.2 writes shorter than 7.0. */
const score = oneOf("-1", "0", "1", "127", "-5000", "70000", "8388608", "-2147483649", "4503599627370496");
const option = someOf("REPLACE", "REPLACE", "REPLACE", idleTime, frequency);

export const dump: Family = {
  name: "dump",
  prologue: [
    ["CONFIG", "SET", "rdbcompression", "no"],
    ["CONFIG", "SET", "sanitize-dump-payload", "yes"],
  ],
  commands: [
    often(12, command("RESTORE", key, lifetime, bytes, option)),
    often(12, command("RESTORE", key, lifetime, bytes, "REPLACE", option)),
    often(4, command("RESTORE", key, unixMilliseconds, bytes, "REPLACE", "ABSTTL", option)),
    often(15, command("DUMP", key)),
    often(6, command("SET", key, value)),
    often(3, command("RPUSH", key, repeated(value, 1, 3))),
    often(2, asDeclared(command("SADD", key, repeated(smallInteger, 1, 3)))),
    often(2, command("HSET", key, repeated(sequence(oneOf("a", "b", "12"), smallInteger), 1, 3))),
    often(2, asDeclared(command("ZADD", key, score, oneOf("a", "b", "12")))),
    often(5, command("DEL", key)),
    often(3, command("TYPE", key)),
    often(3, command("PEXPIRETIME", key)),
    often(3, command("OBJECT IDLETIME", key)),
    often(2, command("GET", key)),
    command("PERSIST", key),
    command("COPY", key, key),
  ],
};
