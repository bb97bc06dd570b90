import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import {
  BATCH_LINE_MAX,
  BatchLine,
  isDisfigured,
  readSyncedLine,
  readTimestampLine,
  SYNCED_LINE_MAX,
  syncedLine,
  TIMESTAMP_LINE_MAX,
  writeBatchLine,
  writeTimestampLine,
} from "./log-lines.ts";

type Fields = [sequence: number, length: number, crc32: number, unsynced: number];

function parsed(text: string): Fields | undefined {
  const bytes = Buffer.from(`>${text}<`, "latin1");
  const line = new BatchLine();
  return line.parse(bytes, 1, bytes.length - 1) ? [line.sequence, line.length, line.crc32, line.unsynced] : undefined;
}

test("what is written is read", () => {
  const cases: Fields[] = [
    [1, 1, 0, 0],
    [7, 27, crc32("x"), 0],
    [8, 27, crc32("x"), 1],
    [999_999_999_999_999, 999_999_999_999_999, 0xffffffff, 999_999_999_999_999],
  ];
  for (const one of cases) {
    const bytes = Buffer.alloc(BATCH_LINE_MAX + 3, "-");
    const length = writeBatchLine(bytes, 3, ...one);
    assert.ok(length < BATCH_LINE_MAX);
    assert.deepEqual(parsed(bytes.latin1Slice(3, 3 + length)), one);
    assert.equal(bytes[3 + length], 0x2d);
  }
});

test("the format is what the documents say", () => {
  const bytes = Buffer.alloc(BATCH_LINE_MAX);
  const length = writeBatchLine(bytes, 0, 12, 345, crc32("123456789"));
  assert.equal(bytes.latin1Slice(0, length), "#stillwater:12 345 cbf43926\r\n");
  const longer = writeBatchLine(bytes, 0, 12, 345, crc32("123456789"), 678);
  assert.equal(bytes.latin1Slice(0, longer), "#stillwater:12 345 cbf43926 678\r\n");
});

test("lines of a synced offset and of a time", () => {
  const line = syncedLine(123456);
  assert.equal(line.toString(), "#stillwater:synced 123456\r\n");
  assert.equal(readSyncedLine(line, 0, line.length), 123456);
  assert.ok(syncedLine(Number.MAX_SAFE_INTEGER).length <= SYNCED_LINE_MAX);
  for (const text of ["synced 01", "synced -1", "synced", "synced 1 ", "synced 1234567890123456", "Synced 1"]) {
    const wrong = Buffer.from(`#stillwater:${text}\r\n`);
    assert.equal(readSyncedLine(wrong, 0, wrong.length), -1, text);
    assert.ok(isDisfigured(wrong, 0, wrong.length), text);
  }
  const bytes = Buffer.alloc(TIMESTAMP_LINE_MAX);
  const length = writeTimestampLine(bytes, 0, 1_700_000_000);
  assert.equal(bytes.latin1Slice(0, length), "#TS:1700000000\r\n");
  assert.equal(readTimestampLine(bytes, 0, length), 1_700_000_000);
  assert.equal(readTimestampLine(line, 0, line.length), -1);
});

test("only the one canonical form is a batch line; what resembles it is known to have been one", () => {
  const wrong = [
    "#stillwater:01 345 cbf43926\r\n",
    "#stillwater:0 345 cbf43926\r\n",
    "#stillwater:1 0 cbf43926\r\n",
    "#stillwater:1 -5 cbf43926\r\n",
    "#stillwater:1 5  cbf43926\r\n",
    "#stillwater:1 5 CBF43926\r\n",
    "#stillwater:1 5 cbf4392g\r\n",
    "#stillwater:1 5 cbf4392\r\n",
    "#stillwater:1 5 cbf43926\n",
    "#stillwater:1 5 cbf43926 \r\n",
    "#stillwater:1 5 cbf43926 0\r\n",
    "#stillwater:1 5 cbf43926 -1\r\n",
    "#stillwater:1 5 cbf43926 1 \r\n",
    "#stillwater:1 5 cbf43926x1\r\n",
    "#stillwater:1 5\r\n",
    "#stillwater:1\r\n",
    "#stillwater:\r\n",
    "#stillwater:1234567890123456 5 cbf43926\r\n",
    "#stillwAter:1 5 cbf43926\r\n",
    "#xxxxxxxxxxx1 5 cbf43926\r\n",
    "# cbf43926\r\n",
    "#s\r\n",
    "#stillw\0\0\0\0\0\r\n",
    "#\0\0\0\0\0\0\0\r\n",
    `#stillwater:1 5 cbf43926${" ".repeat(80)}\r\n`,
  ];
  for (const text of wrong) {
    assert.equal(parsed(text), undefined, text);
    assert.ok(isDisfigured(Buffer.from(text, "latin1"), 0, text.length), text);
  }
  for (const text of ["#\n", "#TS:1700000000\r\n", "# a note\r\n", "#AL:some other annotation 12\r\n"]) {
    assert.equal(parsed(text), undefined, text);
    assert.ok(!isDisfigured(Buffer.from(text, "latin1"), 0, text.length), text);
  }
});
