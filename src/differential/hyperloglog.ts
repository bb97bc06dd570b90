import type { Random } from "../testing/random.ts";
import {
  asDeclared,
  command,
  type Draw,
  exactly,
  type Family,
  often,
  oneOf,
  optional,
  repeated,
  sequence,
} from "./shape.ts";
import { key, value } from "./words.ts";

const REGISTERS = 16384;

/** An element: mostly one of many, so that counts rise. */
const element: Draw = (random) => [random.chance(0.1) ? random.bytes(random.below(40)) : `e${random.below(100_000)}`];

/** From a few elements to as many as fill a sparse value. */
const elements: Draw = (random) => repeated(element, 0, random.pick([1, 3, 20, 20, 1500]))(random);

function header(encoding: number, random: Random): Buffer {
  const cardinality = Buffer.alloc(8);
  cardinality[random.below(8)] = random.below(256);
  if (random.chance(0.8)) cardinality[7]! |= 0x80;
  return Buffer.concat([Buffer.from([0x48, 0x59, 0x4c, 0x4c, encoding, 0, 0, 0]), cardinality]);
}

/** Sparse runs as Redis itself would never write them, though valid: short, joinable, of any kind. */
function oddRuns(random: Random): Buffer {
  const bytes: number[] = [];
  for (let left = REGISTERS; left > 0; ) {
    const length = Math.min(left, random.pick([1, 2, 3, 4, 64, 65, 100, 5000]));
    const isValue = length <= 4 && random.chance(0.7);
    if (isValue) bytes.push(0x80 | (random.below(32) << 2) | (length - 1));
    else if (length <= 64 && random.chance(0.5)) bytes.push(length - 1);
    else bytes.push(0x40 | ((length - 1) >>> 8), (length - 1) & 0xff);
    left -= length;
  }
  return Buffer.from(bytes);
}

/**
 * Runs that do not end with the first byte of two: Redis reads and writes what is behind the value then, so that what
 * comes of it is nothing to agree on.
 */
function withoutHalfRun(runs: Buffer): Buffer {
  let at = 0;
  while (at < runs.length) at += runs[at]! >= 0x40 && runs[at]! < 0x80 ? 2 : 1;
  return at === runs.length ? runs : Buffer.concat([runs, Buffer.from([0])]);
}

/** A value that was made elsewhere: whole, or damaged in some way. */
const foreignValue: Draw = (random) => {
  const runs = oddRuns(random);
  const sparse = (some: Buffer): Buffer => Buffer.concat([header(1, random), withoutHalfRun(some)]);
  switch (random.below(10)) {
    case 0:
      return [Buffer.concat([header(0, random), random.bytes(12_288)])];
    case 1:
      return [Buffer.concat([header(random.pick([0, 2]), random), random.bytes(random.pick([0, 10, 12_287, 12_289]))])];
    case 2:
      return [sparse(runs.subarray(0, random.below(runs.length)))];
    case 3:
      return [sparse(Buffer.concat([runs, random.bytes(random.between(1, 5))]))];
    case 4:
      return [Buffer.concat([header(0, random), Buffer.alloc(12_288, random.pick([0, 0xff, 0x0c]))])];
    case 5:
      return [sparse(Buffer.from([0x7f, 0xff]))];
    case 6:
      return [sparse(random.bytes(random.below(100)))];
    default:
      return [sparse(runs)];
  }
};

/** Between two empty values nothing is decided by chance: all estimates are cached alike. */
export const hyperloglog: Family = {
  name: "hyperloglog",
  prologue: [["CONFIG", "SET", "hll-sparse-max-bytes", "3000"]],
  commands: [
    often(20, command("PFADD", key, elements)),
    often(4, command("PFADD", key, repeated(element, 1, 3))),
    often(8, command("PFCOUNT", key)),
    often(4, command("PFCOUNT", repeated(key, 1, 4))),
    often(8, command("PFMERGE", key, repeated(key, 0, 3))),
    often(6, command("SET", key, foreignValue, optional(sequence("EX", "100000000"), 0.2))),
    often(
      4,
      asDeclared(command("SETRANGE", key, oneOf("0", "4", "5", "8", "14", "15"), (random) => [random.bytes(1)])),
    ),
    asDeclared(command("APPEND", key, oneOf(exactly(Buffer.from([0x85])), exactly(Buffer.from([3])), exactly("")))),
    command("SET", key, value),
    often(8, command("GET", key)),
    often(3, command("OBJECT ENCODING", key)),
    often(2, command("DEL", key)),
    often(2, command("PFDEBUG", oneOf("DECODE", "ENCODING", "NOTHING\r\n"), key)),
    command("PFDEBUG", oneOf("TODENSE", "GETREG"), key),
    often(2, asDeclared(command("CONFIG SET hll-sparse-max-bytes", oneOf("0", "18", "25", "100", "3000", "20000")))),
    command("COPY", key, key, "REPLACE"),
    command("TTL", key),
  ],
};
