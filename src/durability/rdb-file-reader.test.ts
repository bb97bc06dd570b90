/** Reading a file through a window: what was read stays good, nothing is believed, errors arrive. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DamagedValueError } from "../rdb/format.ts";
import { StringHolder } from "../rdb/reader.ts";
import { FaultyFiles } from "../testing/faulty-files.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import { fileInMemory, PATH, sumOf } from "../testing/rdb-files.ts";
import { littleEndian, size, text } from "../testing/saved-forms.ts";
import { EndOfFileError, RdbFileReader } from "./rdb-file-reader.ts";

/** A string in a random form, and what it says. */
function randomString(random: Random): [saved: Buffer, said: string] {
  switch (random.below(6)) {
    case 0: {
      const number = random.between(-128, 127);
      return [Buffer.from([0xc0, number & 0xff]), `${number}`];
    }
    case 1: {
      const number = random.between(-(2 ** 31), 2 ** 31 - 1);
      return [Buffer.concat([Buffer.from([0xc2]), littleEndian(number, 4)]), `${number}`];
    }
    case 2: {
      // Compressed: one byte, and 30 times the same.
      return [Buffer.from([0xc3, 5, 31, 0, 0x61, 0xe0, 21, 0]), "a".repeat(31)];
    }
    case 3: {
      const long = random.text(random.between(100, 3000));
      return [text(long), long];
    }
    default: {
      const short = random.text(random.below(40));
      return [text(short), short];
    }
  }
}

const seed = seedOfRun();

test(`the last two strings are good wherever windows end, seed ${seed}`, () => {
  const random = new Random(seed);
  for (let round = 0; round < 60; round++) {
    const strings = Array.from({ length: 60 }, () => randomString(random));
    const bytes = Buffer.concat(strings.map(([saved]) => saved));
    const files = fileInMemory(bytes, random.pick([1, 7, 50, Number.POSITIVE_INFINITY]));
    const reader = new RdbFileReader(files, PATH, 0, true, random.pick([64, 65, 100, 512, 4096]));
    const holders = [new StringHolder(), new StringHolder()] as const;
    let at = 0;
    for (const [index, [saved, said]] of strings.entries()) {
      assert.equal(reader.offset, at);
      at += saved.length;
      assert.equal(reader.string(holders[index % 2]!).toLatin1(), said);
      if (index > 0) assert.equal(holders[(index + 1) % 2]!.toLatin1(), strings[index - 1]![1]);
      if (random.chance(0.1)) assert.equal(sumText(reader), sumOf(bytes.subarray(0, at)).toString("hex"));
    }
    assert.equal(sumText(reader), sumOf(bytes).toString("hex"));
    assert.throws(() => reader.byte(), EndOfFileError);
    reader.close();
    reader.close();
    assert.equal(files.openFiles, 0);
  }
});

function sumText(reader: RdbFileReader): string {
  const { low, high } = reader.sum()!;
  return Buffer.concat([littleEndian(low, 4), littleEndian(high, 4)]).toString("hex");
}

test("a string has a large buffer only while it is read", () => {
  const long = "x".repeat(10_000);
  const bytes = Buffer.concat([text("a"), text(long), text("b".repeat(100_000)), text("c")]);
  const reader = new RdbFileReader(fileInMemory(bytes), PATH, 0, false, 64);
  const holder = new StringHolder();
  assert.equal(reader.string(holder).toLatin1(), "a");
  assert.equal(reader.buffer.length, 64);
  assert.equal(reader.string(holder).toLatin1(), long);
  assert.ok(reader.buffer.length >= long.length);
  reader.string(holder);
  assert.equal(reader.string(holder).toLatin1(), "c");
  // What was read behind the long one is used up first.
  assert.throws(() => reader.byte(), EndOfFileError);
  const after = new RdbFileReader(fileInMemory(Buffer.concat([text(long), Buffer.alloc(100_000)])), PATH, 0, false, 64);
  after.string(holder);
  for (let count = 0; count < 100_000; count++) after.byte();
  assert.equal(after.buffer.length, 64);
});

test("more than the file has is refused before there is room for it", () => {
  const lengths = [
    size(50),
    Buffer.from([0x80, 0x3f, 0xff, 0xff, 0xff]),
    Buffer.from([0x81, 0, 0, 0, 0, 0x20, 0, 0, 0]),
  ];
  for (const length of lengths) {
    const reader = new RdbFileReader(fileInMemory(Buffer.concat([length, Buffer.alloc(40)])), PATH, 0, false, 64);
    assert.throws(() => reader.string(new StringHolder()), EndOfFileError);
    assert.equal(reader.buffer.length, 64);
  }
  // Nor can a compressed string stand for more than its bytes can.
  const bomb = Buffer.concat([Buffer.from([0xc3, 5, 0x80, 0x3f, 0xff, 0xff, 0xff]), Buffer.alloc(40)]);
  const reader = new RdbFileReader(fileInMemory(bomb), PATH, 0, false, 64);
  assert.throws(() => reader.string(new StringHolder()), DamagedValueError);
});

test("a file that has become shorter, and one that cannot be read", () => {
  const bytes = Buffer.concat([text("a"), Buffer.alloc(200)]);
  const files = fileInMemory(bytes);
  const open = files.open.bind(files);
  files.open = (path, mode) => ({ ...open(path, mode), size: () => 1000 });
  const shorter = new RdbFileReader(files, PATH, 0, false, 64);
  assert.throws(() => shorter.skip(500), EndOfFileError);

  const faulty = new FaultyFiles(["/data"]);
  const file = faulty.open(PATH, "create");
  file.write(bytes, 0, bytes.length);
  file.close();
  const reader = new RdbFileReader(faulty, PATH, 0, false, 64);
  reader.byte();
  faulty.failAt(1, "EIO");
  assert.throws(() => reader.skip(150), { code: "EIO", syscall: "read" });
  reader.close();
  assert.throws(() => new RdbFileReader(faulty, "/data/none", 0, false), { code: "ENOENT" });
  assert.equal(faulty.openFiles, 0);
});

test("reading begins where it is told to", () => {
  const reader = new RdbFileReader(fileInMemory(Buffer.from("xxabc")), PATH, 2, true, 64);
  assert.equal(reader.offset, 2);
  assert.equal(reader.byte(), 0x61);
  assert.equal(reader.fileSize, 5);
  assert.equal(sumText(reader), sumOf(Buffer.from("a")).toString("hex"));
});
