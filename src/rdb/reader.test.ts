import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Int64, toInt64 } from "../base/int64.ts";
import { DamagedValueError } from "./format.ts";
import { RdbReader, StringHolder } from "./reader.ts";
import { RdbWriter } from "./writer.ts";

/** Something to write, and how to see that it has been read. */
interface Piece {
  write(writer: RdbWriter): void;
  read(reader: RdbReader): unknown;
  readonly value: unknown;
}

const holder = new StringHolder();

function piece(value: unknown, write: Piece["write"], read: Piece["read"]): Piece {
  return { value, write, read };
}

const pieces: fc.Arbitrary<Piece> = fc.oneof(
  fc.oneof(fc.nat({ max: 70 }), fc.nat({ max: 20_000 }), fc.nat(), fc.maxSafeNat()).map((value) =>
    piece(
      value,
      (writer) => writer.size(value),
      (reader) => reader.size(),
    ),
  ),
  fc.bigInt(2n ** 53n, 2n ** 63n - 1n).map((value) =>
    piece(
      value,
      (writer) => writer.size(value),
      (reader) => reader.unsigned(),
    ),
  ),
  fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map((value) =>
    piece(
      toInt64(value),
      (writer) => writer.time(toInt64(value)),
      (reader) => reader.time(),
    ),
  ),
  fc.double().map((value) =>
    piece(
      value,
      (writer) => writer.double(value),
      (reader) => reader.double(),
    ),
  ),
  integers().map((value) =>
    piece(
      value.toString(),
      (writer) => writer.integer(value),
      (reader) => reader.string(holder).toLatin1(),
    ),
  ),
  texts().map((bytes) =>
    piece(
      bytes.toString("latin1"),
      (writer) => writer.string(bytes, 0, bytes.length),
      (reader) => reader.string(holder).toLatin1(),
    ),
  ),
);

function integers(): fc.Arbitrary<Int64> {
  const limits = [7, 15, 31, 53, 63].flatMap((bits) => [2n ** BigInt(bits), -(2n ** BigInt(bits))]);
  const near = fc.tuple(fc.constantFrom(...limits), fc.integer({ min: -2, max: 2 }));
  return near
    .map(([limit, more]) => limit + BigInt(more))
    .filter((value) => BigInt.asIntN(64, value) === value)
    .map(toInt64);
}

function texts(): fc.Arbitrary<Buffer> {
  return fc.oneof(
    integers().map((value) => Buffer.from(value.toString())),
    fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
    fc.tuple(fc.nat({ max: 30_000 }), fc.constantFrom("a", "abc")).map(([length, unit]) => Buffer.alloc(length, unit)),
  );
}

/** A reader whose bytes come in small pieces, each of which takes the place of what has been read. */
class PiecewiseReader extends RdbReader {
  readonly #source: Buffer;
  #taken = 0;

  constructor(source: Buffer) {
    super(Buffer.alloc(0), 0, 0);
    this.#source = source;
  }

  override need(count: number): void {
    const missing = count - (this.end - this.at);
    if (missing <= 0) return;
    if (missing > this.#source.length - this.#taken) throw new DamagedValueError("the end");
    const more = this.#source.subarray(this.#taken, this.#taken + missing);
    this.buffer = Buffer.concat([this.buffer.subarray(this.at, this.end), more]);
    this.#taken += missing;
    this.at = 0;
    this.end = this.buffer.length;
  }
}

/** A writer that hands over what it has before there is more than a little. */
class PiecewiseWriter extends RdbWriter {
  readonly handedOver: Buffer[] = [];

  override reserve(count: number): void {
    if (this.length > 10) {
      this.handedOver.push(Buffer.from(this.buffer.subarray(0, this.length)));
      this.length = 0;
    }
    super.reserve(count);
  }
}

function written(list: readonly Piece[], writer: RdbWriter): Buffer {
  for (const piece of list) piece.write(writer);
  return Buffer.from(writer.buffer.subarray(0, writer.length));
}

for (const compresses of [true, false]) {
  test(`what is written is read again, in one piece or in many, ${compresses ? "" : "not "}compressed`, () => {
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 20 }), (list) => {
        const bytes = written(list, new RdbWriter(compresses, 16));
        const piecewise = new PiecewiseWriter(compresses, 16);
        const rest = written(list, piecewise);
        assert.deepEqual(Buffer.concat([...piecewise.handedOver, rest]), bytes);
        for (const reader of [new RdbReader(bytes, 0, bytes.length), new PiecewiseReader(bytes)]) {
          for (const piece of list) assert.deepEqual(piece.read(reader), piece.value);
          assert.throws(() => reader.byte(), DamagedValueError);
        }
      }),
    );
  });
}

test("what is cut off is found to be damaged, and nothing behind the end is read", () => {
  fc.assert(
    fc.property(pieces, fc.nat(), (one, cut) => {
      const bytes = written([one], new RdbWriter(true));
      const end = cut % bytes.length;
      // Bytes that would complete it follow, but do not belong to it.
      assert.throws(() => one.read(new RdbReader(bytes, 0, end)), DamagedValueError);
    }),
  );
});

test("forms that do not exist, and lengths that cannot be", () => {
  for (const hex of ["82", "bf", "c4", "ff", "80ffffffff", "81ffffffffffffffff", "c3017f00", "c30380ffffffff616161"]) {
    const bytes = Buffer.from(hex, "hex");
    assert.throws(() => new RdbReader(bytes, 0, bytes.length).string(holder), DamagedValueError, hex);
  }
  for (const hex of ["c0", "c3", "82"]) {
    const bytes = Buffer.from(`${hex}05`, "hex");
    assert.throws(() => new RdbReader(bytes, 0, bytes.length).size(), DamagedValueError, hex);
  }
});
