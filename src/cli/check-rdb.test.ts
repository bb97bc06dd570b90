/** `stillwater check-rdb`, beside redis-check-rdb. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { runCommandLine } from "../testing/cli.ts";
import { auxRecord, rdbFile, savedKey, savedString, selectRecord } from "../testing/rdb-files.ts";
import { size, text } from "../testing/saved-forms.ts";
import { startRedis } from "../testing/servers.ts";
import { checkRdb } from "./check-rdb.ts";

function fileWith(t: TestContext, bytes: Buffer): string {
  const directory = mkdtempSync(join(tmpdir(), "stillwater-check-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, "dump.rdb");
  writeFileSync(path, bytes);
  return path;
}

function check(...args: string[]): { code: number; lines: string[] } {
  const lines: string[] = [];
  const code = checkRdb(args, (line) => lines.push(line));
  return { code, lines };
}

function redisCheck(path: string): Promise<{ code: number; lines: string[] }> {
  return new Promise((resolve) => {
    execFile("redis-check-rdb", [path], (error, output) => {
      resolve({ code: error === null ? 0 : Number(error.code), lines: output.trimEnd().split("\n") });
    });
  });
}

test("of what redis-server has saved it says what redis-check-rdb says", async (t) => {
  const server = await startRedis();
  t.after(() => server.stop());
  const client = await server.client();
  const commands = [
    ["MSET", "a", "1", "b", "x".repeat(1000)],
    ["SET", "c", "1", "EX", "100000"],
    ["HSET", "h", "f", "v"],
    ["SET", "over", "v", "PX", "1"],
    ["DEBUG", "SET-ACTIVE-EXPIRE", "0"],
    ["SET", "over", "v", "PX", "1"],
    ["SELECT", "3"],
    ["RPUSH", "l", "1", "2"],
    ["SAVE"],
  ];
  for (const command of commands) await client.command(...command);
  const path = join(server.directory, "dump.rdb");
  const redis = await redisCheck(path);
  const run = runCommandLine(t, ["check-rdb", path]);
  assert.equal(await run.ended, 0);
  assert.equal(run.errors(), "");
  assert.deepEqual(run.output().trimEnd().split("\n"), redis.lines);
  assert.ok(redis.lines.includes("[info] 6 keys read") && redis.lines.includes("[info] 1 already expired"));

  const bytes = readFileSync(path);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(path, bytes);
  const damaged = runCommandLine(t, ["check-rdb", path]);
  assert.equal(await damaged.ended, 1);
  assert.match(damaged.output(), /Wrong RDB checksum/);
  assert.equal((await redisCheck(path)).code, 1);
});

test("where a file is damaged, and what was being read", (t) => {
  const records = [selectRecord(2), savedString("whole", "v"), savedKey("my\nlist", Buffer.from([10, 3, 1, 2, 3]))];
  const path = fileWith(t, rdbFile([auxRecord("redis-ver", "6.2.0"), ...records], 9));
  const { code, lines } = check(path);
  assert.equal(code, 1);
  assert.deepEqual(lines, [
    `[offset 0] Checking RDB file ${path}`,
    "[offset 26] AUX FIELD redis-ver = '6.2.0'",
    "[offset 28] Selecting DB ID 2",
    "--- RDB ERROR DETECTED ---",
    "[offset 50] a ziplist is too short",
    "[additional info] While doing: reading a key's value, from byte 37 on",
    "[additional info] Reading key 'my\\nlist' in database 2",
    "[additional info] Reading type 10",
    "[info] 2 keys read",
    "[info] 0 expires",
    "[info] 0 already expired",
  ]);
});

test("what does not exist here is told of, and what is behind it is checked", (t) => {
  const moduleId = Buffer.from("81a0b1c2d3e4f50401", "hex");
  const stream = Buffer.concat([Buffer.from([15]), size(1), text("x".repeat(16)), text("listpack"), size(1)]);
  const records = [
    savedKey("s", Buffer.concat([stream, size(5), size(1), size(0)])),
    savedKey("m", Buffer.concat([Buffer.from([7]), moduleId, Buffer.from([5]), text("state"), Buffer.from([2, 9, 0])])),
    Buffer.concat([Buffer.from([0xf7]), moduleId, Buffer.from([2, 1, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0])]),
    savedKey("empty", Buffer.from([2, 0])),
    savedString("k", "v"),
  ];
  const { code, lines } = check(fileWith(t, rdbFile(records)));
  assert.equal(code, 1);
  assert.match(lines[1]!, /^\[offset 9\] Key 's' is a stream, which does not exist here$/);
  assert.match(lines[2]!, /^\[offset \d+\] Key 'm' is a value of the module [\w-]{9}, which does not exist here$/);
  const end = lines.findIndex((line) => line.includes("Checksum OK"));
  assert.match(lines[end + 1]!, /The file is whole, but it cannot be loaded: some of it does not exist here\.$/);
  assert.deepEqual(
    lines.slice(end + 2).map((line) => line.replace(/module .{9}/, "module")),
    [
      "[info] a stream: 1",
      "[info] a value of the module: 1",
      "[info] what the module kept beside keys: 1",
      "[info] 4 keys read",
      "[info] 0 expires",
      "[info] 0 already expired",
      "[info] 1 without elements, which are not loaded",
    ],
  );
});

test("a stream that redis-server has saved is walked to its end", async (t) => {
  const server = await startRedis();
  t.after(() => server.stop());
  const client = await server.client();
  const add = ["XADD", "s", "*", "field", "value"];
  const commands = [add, add, add, ["XGROUP", "CREATE", "s", "g", "0"], ["XGROUP", "CREATE", "s", "empty", "$"]];
  commands.push(["XREADGROUP", "GROUP", "g", "me", "COUNT", "2", "STREAMS", "s", ">"], ["SET", "k", "v"], ["SAVE"]);
  for (const command of commands) await client.command(...command);
  const { code, lines } = check(join(server.directory, "dump.rdb"));
  assert.equal(code, 1);
  assert.ok(lines.some((line) => line.includes("Checksum OK")));
  assert.deepEqual(lines.slice(-4, -2), ["[info] a stream: 1", "[info] 2 keys read"]);
});

test("a file without a sum; none at all; no name", (t) => {
  const { code, lines } = check(fileWith(t, rdbFile([savedString("k", "v")], 4)));
  assert.equal(code, 0);
  assert.match(lines[1]!, /saved with checksum disabled/);
  assert.deepEqual(check("/no/such/file"), {
    code: 1,
    lines: ["Cannot read the file: ENOENT: no such file or directory, open '/no/such/file'"],
  });
  for (const args of [[], ["a", "b"], ["--help"]]) {
    assert.deepEqual(check(...args), { code: 1, lines: ["Usage: stillwater check-rdb FILE"] });
  }
});
