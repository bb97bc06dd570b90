/**
 * Batches are appended in all sizes, and synced now and then, on a disk that loses power at every call; what is left is
 * read as a start does. The properties: nothing that was synced is missing, nothing is there that was not written, and
 * no power cut is taken for damage; damage to what was synced is.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FaultyFiles } from "../testing/faulty-files.ts";
import { resp } from "../testing/log-builder.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import { crc32 } from "./crc32.ts";
import { DamagedFileError } from "./damaged-file-error.ts";
import { type OpenFile, writeAll } from "./files.ts";
import { BATCH_LINE_MAX, writeBatchLine } from "./log-lines.ts";
import { LogReader } from "./log-reader.ts";
import { cutOff, cutPadding } from "./log-repair.ts";
import { PADDING_MAX, PaddedFile } from "./padded-file.ts";

const PATH = "/log/a.aof";
const CHAINS = 40;
const LIVES = 6;
const PAGE = 4096;
const seed = seedOfRun();

/** A log that is written through a padded file: as LogFileWriter and AppendLog do it together, but in one place. */
class Writer {
  /** Batches that are on the disk, and those that were appended. */
  durable: number;
  sequence: number;
  readonly padded: PaddedFile;
  readonly #other: OpenFile;
  #unsynced = 0;
  #gap = 0;

  constructor(files: FaultyFiles, sequence: number) {
    this.padded = new PaddedFile(files, PATH);
    this.#other = files.open(PATH, "append");
    this.sequence = sequence;
    this.durable = sequence;
  }

  /** Numbered values, so that what is read can be compared. */
  append(bytes: number, isAlone: boolean): void {
    if (!isAlone) this.#gap = PADDING_MAX;
    const body = bodyOf(this.sequence + 1, bytes);
    const piece = Buffer.alloc(BATCH_LINE_MAX + body.length);
    const unsynced = this.#unsynced === 0 ? 0 : this.#unsynced + this.#gap;
    const head = writeBatchLine(piece, 0, this.sequence + 1, body.length, crc32(body, 0, body.length), unsynced);
    body.copy(piece, head);
    const length = head + body.length;
    this.sequence += 1;
    if (isAlone) this.padded.appendAlone(piece, 0, length);
    else writeAll(this.#other, piece, 0, length);
    this.#unsynced += length;
  }

  sync(): void {
    const { sequence } = this;
    this.padded.sync();
    this.durable = sequence;
    this.#unsynced = 0;
    this.#gap = 0;
  }

  close(): void {
    this.padded.close();
    this.#other.close();
  }
}

function bodyOf(sequence: number, bytes: number): Buffer {
  return resp("SET", String(sequence), "#\n".repeat(bytes / 2));
}

interface Found {
  readonly sequences: number[];
  readonly reader: LogReader;
}

/** @throws DamagedFileError */
function read(files: FaultyFiles): Found {
  const file = files.open(PATH, "read");
  try {
    const reader = new LogReader(file);
    const sequences: number[] = [];
    while (reader.next()) {
      assert.equal(reader.isInBatch, true, "half a batch was taken for what Redis wrote");
      sequences.push(Number(reader.args.text(1)));
    }
    assert.deepEqual(
      sequences,
      Array.from(sequences, (_, index) => index + 1),
    );
    return { sequences, reader };
  } finally {
    file.close();
  }
}

/** As recovery does. */
function repair(files: FaultyFiles, { reader }: Found): void {
  if (reader.torn !== undefined) cutOff(files, PATH, reader.torn.offset, 1);
  else if (reader.padding !== undefined) cutPadding(files, PATH, reader.padding);
  const file = files.open(PATH, "update");
  file.sync();
  file.close();
}

/** Writes for a while, and loses power at some call. @returns the disk, and what has to be, and may be, on it */
function live(
  files: FaultyFiles,
  sequence: number,
  random: Random,
): { disk: FaultyFiles; least: number; most: number } {
  const writer = new Writer(files, sequence);
  let cut: { disk: FaultyFiles; least: number; most: number } | undefined;
  let left = random.between(1, 120);
  files.onCall = () => {
    left -= 1;
    if (left === 0) cut = { disk: files.crash(random), least: writer.durable, most: writer.sequence + 1 };
  };
  let isAlone = true;
  while (cut === undefined) {
    if (random.chance(0.03)) isAlone = !isAlone;
    const bytes = random.chance(0.05) ? random.between(16_000, 40_000) : random.between(10, 3000);
    writer.append(bytes, isAlone);
    if (random.chance(0.4)) writer.sync();
  }
  files.onCall = undefined;
  return cut;
}

test("a power cut at any call loses nothing that was synced, and is no damage", () => {
  let torn = 0;
  let padded = 0;
  for (let chain = 0; chain < CHAINS; chain++) {
    const random = new Random(seed + chain);
    let disk = new FaultyFiles();
    disk.put(PATH, Buffer.alloc(0));
    let [least, most] = [0, 0];
    for (let life = 0; life < LIVES; life++) {
      const found = read(disk);
      const { length } = found.sequences;
      assert.ok(length >= least && length <= most, `${length} batches, of ${least} to ${most} (seed ${seed + chain})`);
      if (found.reader.torn !== undefined) torn += 1;
      if (found.reader.padding !== undefined) padded += 1;
      repair(disk, found);
      assert.equal(read(disk).sequences.length, length);
      ({ disk, least, most } = live(disk, length, random));
    }
  }
  assert.ok(torn > CHAINS && padded > CHAINS, `${torn} torn ends, ${padded} padded ones`);
});

/** A padded log of so many batches, all of them durable, and where each of them begins. */
function paddedLog(batches: number): { files: FaultyFiles; begins: number[] } {
  const files = new FaultyFiles();
  files.put(PATH, Buffer.alloc(0));
  const writer = new Writer(files, 0);
  for (let count = 0; count < batches; count++) {
    writer.append(100, true);
    writer.sync();
  }
  writer.close();
  const text = files.contentOf(PATH)!.toString("latin1");
  return { files, begins: [...text.matchAll(/#stillwater/g)].map(({ index }) => index) };
}

test("what was synced and is damaged is refused, padding behind it or not", () => {
  const { files, begins } = paddedLog(60);
  assert.equal(begins.length, 60);
  const content = files.contentOf(PATH)!;
  assert.ok(content.length > begins.at(-1)! + 1000, "there is no padding");
  for (const [index, begin] of begins.slice(0, -1).entries()) {
    for (const place of [begin, begin + 5, begin + 30, begin + 60]) {
      const damaged = Buffer.from(content);
      damaged.fill("#", place, place + 8);
      files.put(PATH, damaged);
      assert.throws(
        () => read(files),
        DamagedFileError,
        `batch ${index + 1}, ${place - begin} bytes behind its beginning`,
      );
    }
  }
});

test("a page of batches that had been synced, and is padding again, is damage", () => {
  const { files } = paddedLog(200);
  const content = files.contentOf(PATH)!;
  content.fill(`${"#".repeat(63)}\n`, 2 * PAGE, 3 * PAGE);
  files.put(PATH, content);
  assert.throws(() => read(files), DamagedFileError);
});

test("Redis's rules hold at every length: each line is a comment, or a command begins", () => {
  const files = new FaultyFiles();
  files.put(PATH, Buffer.alloc(0));
  const writer = new Writer(files, 0);
  for (let count = 0; count < 5; count++) writer.append(10, true);
  const phases = new Set<number>();
  for (let length = 10; phases.size < 64 && length < 1000; length += 1) {
    writer.append(2 * ((length * 7) % 150), true);
    const content = files.contentOf(PATH)!;
    const end = content.lastIndexOf("\r\n") + 2;
    phases.add(end % 64);
    const rest = content.subarray(end).toString("latin1");
    assert.match(rest, /^(#{1,127}\n)+$/);
    assert.equal(read(files).reader.padding, end);
  }
  assert.equal(phases.size, 64);
});

test("the padding goes when the file does, and stays where others have appended behind it", () => {
  const { files } = paddedLog(20);
  const found = read(files);
  repair(files, found);
  const plain = files.contentOf(PATH)!;
  assert.equal(plain.subarray(-3).toString("latin1"), "\n\r\n");
  const writer = new Writer(files, 20);
  for (let count = 0; count < 20; count++) writer.append(50, true);
  writer.sync();
  const padded = files.contentOf(PATH)!.length;
  writer.append(50, false);
  writer.append(50, true);
  writer.sync();
  writer.padded.trim();
  assert.ok(files.contentOf(PATH)!.length > padded, "what others have appended was cut off");
  assert.equal(read(files).sequences.length, 42);
  for (let count = 0; count < 20; count++) writer.append(50, true);
  writer.padded.trim();
  assert.equal(files.contentOf(PATH)!.subarray(-2).toString("latin1"), "\r\n");
  assert.equal(read(files).sequences.length, 62);
  writer.close();
  assert.equal(files.openFiles, 0);
});

test("much at once is appended, not overwritten: nothing is padded for it", () => {
  const files = new FaultyFiles();
  files.put(PATH, Buffer.alloc(0));
  const writer = new Writer(files, 0);
  for (let count = 0; count < 20; count++) writer.append(100, true);
  const padded = files.contentOf(PATH)!.length;
  for (let count = 0; count < 20; count++) writer.append(20_000, true);
  assert.ok(files.contentOf(PATH)!.length < 20 * 21_000, `${files.contentOf(PATH)!.length}, and padded ${padded}`);
  assert.equal(read(files).reader.padding, undefined);
  writer.close();
});
