/** DEBUG RELOAD, as a client sees it. */
import assert from "node:assert/strict";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { rdbFile, savedString } from "../testing/rdb-files.ts";
import { startStillwater } from "../testing/servers.ts";

type Ask = (...command: string[]) => Promise<string>;

async function start(t: TestContext, ...args: string[]): Promise<{ ask: Ask; file: string }> {
  const server = await startStillwater(args);
  t.after(() => server.stop());
  const client = await server.client();
  return {
    ask: async (...command) => (await client.command(...command)).toString("latin1"),
    file: join(server.directory, "dump.rdb"),
  };
}

/** Something of every type. */
async function fill(ask: Ask): Promise<void> {
  const many = Array.from({ length: 600 }, (_, index) => `${index}`);
  await ask("SET", "string", "value", "PX", "100000000");
  await ask("RPUSH", "list", ...many);
  await ask("SADD", "set", "a", ...many);
  await ask("ZADD", "zset", ...many.flatMap((each) => [each, `m${each}`]));
  await ask("HSET", "hash", ...many);
  await ask("SELECT", "5");
  await ask("HSET", "small", "f", "v");
  await ask("SELECT", "0");
}

test("what was there is there again, and nothing has changed", async (t) => {
  const { ask, file } = await start(t);
  await fill(ask);
  const digest = await ask("DEBUG", "DIGEST");
  assert.match(digest, /^\+[0-9a-f]{40}\r\n$/);
  assert.equal(await ask("DEBUG", "RELOAD"), "+OK\r\n");
  assert.ok(existsSync(file));
  assert.equal(await ask("DEBUG", "DIGEST"), digest);
  assert.equal(await ask("DEBUG", "VERIFY"), "+OK\r\n");
  assert.match(await ask("INFO", "persistence"), /rdb_changes_since_last_save:0\r/);
  // Without saving first, what is in no file is gone.
  await ask("SET", "later", "1");
  assert.equal(await ask("DEBUG", "RELOAD", "NOSAVE"), "+OK\r\n");
  assert.equal(await ask("DEBUG", "DIGEST"), digest);
});

test("into a store that is not empty", async (t) => {
  const { ask, file } = await start(t);
  await ask("MSET", "both", "memory", "memory", "1");
  writeFileSync(file, rdbFile([savedString("both", "file"), savedString("file", "1")]));
  const failed = "-ERR Error trying to load the RDB dump, check server logs.\r\n";
  assert.equal(await ask("DEBUG", "RELOAD", "NOSAVE", "NOFLUSH"), failed);
  assert.equal(await ask("GET", "both"), "$6\r\nmemory\r\n");
  assert.equal(await ask("DEBUG", "RELOAD", "merge", "nosave", "noflush"), "+OK\r\n");
  assert.equal(await ask("GET", "both"), "$4\r\nfile\r\n");
  assert.equal(await ask("EXISTS", "memory", "file"), ":2\r\n");
  rmSync(file);
  assert.equal(await ask("DEBUG", "RELOAD", "NOSAVE"), failed);
  assert.equal(
    await ask("DEBUG", "RELOAD", "SOMETHING"),
    "-ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.\r\n",
  );
});

test("beside a log, only what it knows is loaded", async (t) => {
  const { ask } = await start(t, "--appendonly", "yes");
  await fill(ask);
  const digest = await ask("DEBUG", "DIGEST");
  for (const options of [["NOSAVE"], ["NOFLUSH", "MERGE"]]) {
    assert.match(await ask("DEBUG", "RELOAD", ...options), /^-ERR DEBUG RELOAD with these options would bring in /);
  }
  assert.equal(await ask("DEBUG", "RELOAD"), "+OK\r\n");
  assert.equal(await ask("DEBUG", "DIGEST"), digest);
});
