/** Opening and closing: options, what is refused, several stores, and that none keeps the process alive. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createServer } from "node:net";
import { test } from "node:test";
import { promisify } from "node:util";
import { RespClient } from "../testing/resp-client.ts";
import { SHIPPED_INDEX } from "../testing/shipped.ts";
import { CommandError, type OpenOptions, open, type Stillwater } from "./index.ts";

const MIB = 2 ** 20;

test("options that are wrong are named", async () => {
  const wrong: [options: unknown, message: RegExp][] = [
    [null, /^options: null, no object/],
    [{ maxmemory: 1 }, /^maxmemory: no such option; there are maxMemory,/],
    [{ dir: 1 }, /^dir: a number, not a string/],
    [{ dir: process.execPath }, /^dir: Not a directory/],
    [{ fsync: "always" }, /^fsync: a store without the option dir keeps nothing on disk/],
    [{ config: { appendfsync: "always" } }, /^config\["appendfsync"\]: a store without the option dir keeps nothing/],
    [{ save: [[60, 1]] }, /^save: a store without the option dir/],
    [{ config: { appendonly: "yes" } }, /^config\["appendonly"\]: a store without the option dir/],
    [{ config: { save: "60 1" } }, /^config\["save"\]: a store without the option dir/],
    [{ dir: "/tmp", fsync: "sometimes" }, /^fsync: sometimes is none of always, everysec, no/],
    [{ dir: "/tmp", fsync: true }, /^fsync: a boolean is none of/],
    [{ dir: "/tmp", fsync: "no", config: { appendonly: "no" } }, /^fsync: there is no log to sync/],
    [{ dir: "/tmp", save: [60, 1] }, /^save: an array, not pairs of seconds and changes/],
    [{ dir: "/tmp", save: [[60, 0.5]] }, /^save: 0.5 is no whole number/],
    [{ dir: "/tmp", save: [[0, 1]] }, /^save: Invalid save parameters/],
    [{ dir: "/tmp", save: true }, /^save: a boolean, not pairs/],
    [{ onProgress: 1 }, /^onProgress: a number, not a function/],
    [{ maxMemory: true }, /^maxMemory: a boolean, not a number of bytes/],
    [{ maxMemory: "2 gb" }, /^maxMemory: 2 gb is no whole number of bytes/],
    [{ maxMemory: 0.5 }, /^maxMemory: 0.5 is no whole number/],
    [{ maxMemory: 0 }, /^maxMemory: 0 is not between 1 and/],
    [{ maxMemory: Number.NaN }, /^maxMemory: NaN is no whole number/],
    [{ maxMemory: -5 }, /^maxMemory: -5 is not between/],
    [{ databases: "16" }, /^databases: a string, not a number/],
    [{ databases: 0 }, /^databases: 0 is no whole number between 1 and 65536/],
    [{ password: 1 }, /^password: a number, not a string/],
    [{ now: 1 }, /^now: a number, not a function/],
    [{ regionSize: 100 }, /^regionSize: 100 is not between 262144 and/],
    [{ regionSize: "4gb" }, /^regionSize: 4gb is not between/],
    [{ seed: [1] }, /^seed: an array, not two integers/],
    [{ config: [] }, /^config: an array, not an object/],
    [{ config: { nonsense: "1" } }, /^config\["nonsense"\]: no such directive/],
    [{ config: { hz: true } }, /^config\["hz"\]: a boolean, not a string or a number/],
    [{ config: { hz: "many" } }, /^config\["hz"\]: argument couldn't be parsed into an integer/],
  ];
  for (const [options, message] of wrong) {
    await assert.rejects(open(options as OpenOptions), { name: "TypeError", message }, JSON.stringify(options));
  }
});

test("options are in force", async () => {
  const db = await open({
    maxMemory: "50mb",
    databases: 3,
    password: "pä55 \"word'",
    config: { "slowlog-max-len": 7, timeout: "300" },
    now: () => 1_700_000_000_123,
    seed: [1, 2],
  });
  assert.deepEqual(db.config("GET", "maxmemory", "databases", "slowlog-max-len", "timeout", "requirepass"), {
    maxmemory: String(50 * MIB),
    databases: "3",
    "slowlog-max-len": "7",
    timeout: "300",
    requirepass: "pä55 \"word'",
  });
  assert.equal(db.auth("pä55 \"word'"), "OK");
  db.set("k", "v", { PX: 5 });
  assert.equal(db.pexpiretime("k"), 1_700_000_000_128);
  assert.throws(() => db.select(3), { code: "ERR" });
  await db.close();
});

test("options that are undefined are as good as left out", async () => {
  const db = await open({ maxMemory: undefined, databases: undefined, password: undefined, now: undefined });
  assert.deepEqual(db.config("GET", "maxmemory", "databases"), { maxmemory: "0", databases: "16" });
  await db.close();
});

test("the memory limit refuses, and a full region does", async () => {
  const limited = await open({ maxMemory: MIB });
  assert.throws(() => fill(limited), { name: "CommandError", code: "OOM" });
  assert.match(limited.info("memory"), /used_memory:1[0-9]{6}\r/);
  await limited.close();
  const full = await open({ regionSize: MIB });
  assert.throws(() => fill(full), { name: "CommandError", code: "OOM" });
  assert.equal(full.debug("VERIFY"), "OK");
  await full.close();
});

function fill(db: Stillwater): void {
  for (let index = 0; index < 100_000; index++) db.set(`key:${index}`, "0123456789".repeat(10));
}

test("a directory in which nothing can be made is named, and not the file that it was", async (t) => {
  if (process.platform !== "linux") return t.skip("there is no such directory");
  await assert.rejects(open({ dir: "/proc/self" }), {
    message: "The directory /proc/self could not be locked: No such file or directory",
    code: "ENOENT",
  });
});

test("a closed store says so, as often as it is asked", async () => {
  const db = await open();
  const other = db.database(1);
  const closing = db.close();
  const closed = { message: "the store is closed", name: "StoreClosedError", code: "STORE_CLOSED" };
  assert.throws(() => db.get("k"), closed);
  await closing;
  await Promise.all([db.close(), other.close()]);
  const calls: (() => unknown)[] = [
    () => db.get("k"),
    () => db.set("k", "v"),
    () => db.incr("k"),
    () => db.getBuffer("k"),
    () => db.call("PING"),
    () => other.get("k"),
    () => db.database(1),
    () => db.connector(),
    () => db.duplex(),
    () => db.freeze(),
    () => db.tick(),
    () => db.scanIterator().next(),
  ];
  for (const call of calls) assert.throws(call, closed);
  await assert.rejects(db.callAsync("PING"), closed);
  await assert.rejects(db.listen({ port: 0 }), closed);
});

test("stores know nothing of each other", async () => {
  const stores = await Promise.all(Array.from({ length: 5 }, () => open()));
  for (const [index, db] of stores.entries()) db.set("k", `value ${index}`);
  await stores[0]!.close();
  for (const [index, db] of stores.entries()) if (index > 0) assert.equal(db.get("k"), `value ${index}`);
  const again = await open();
  assert.equal(again.get("k"), null);
  await Promise.all([again, ...stores].map((db) => db.close()));
});

test("handles have databases of their own", async () => {
  const db = await open();
  const second = db.database(1);
  db.set("k", "zero");
  second.set("k", "one");
  assert.deepEqual([db.get("k"), second.get("k")], ["zero", "one"]);
  db.swapdb(0, 1);
  assert.deepEqual([db.get("k"), second.get("k")], ["one", "zero"]);
  assert.equal(second.select(0), "OK");
  assert.equal(second.get("k"), "one");
  assert.equal(db.reset(), "RESET");
  assert.throws(() => db.database(16), RangeError);
  assert.throws(() => db.database(-1), RangeError);
  await db.close();
});

test("other processes are served", async () => {
  const db = await open({ password: "secret" });
  const address = await db.listen({ port: 0 });
  assert("port" in address && address.port > 0 && address.host === "127.0.0.1");
  const client = await RespClient.connect({ port: address.port });
  db.set("k", "from within");
  assert.equal(String(await client.command("AUTH", "secret")), "+OK\r\n");
  assert.equal(String(await client.command("GET", "k")), "$11\r\nfrom within\r\n");
  await assert.rejects(db.listen({ port: address.port }), { code: "EADDRINUSE" });
  assert.match(String(await client.command("SHUTDOWN", "NOSAVE")), /^-ERR the store is embedded/);
  await db.close();
  await client.closedByServer();
  await client.close();
  const server = createServer().listen(address.port, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  server.close();
});

test("a store keeps no process alive, even while it listens and is connected to", async () => {
  const script = `
    import { connect } from "node:net";
    const { open } = await import(${JSON.stringify(SHIPPED_INDEX)});
    const db = await open();
    const { port } = await db.listen({ port: 0 });
    const socket = connect(port, "127.0.0.1");
    await new Promise((resolve) => socket.once("data", resolve).write("PING\\r\\n"));
    socket.unref();
    db.duplex().resume().write("PING\\r\\n");
    db.client("PAUSE", "100000");
    process.stdout.write(db.ping());
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
    timeout: 20_000,
  });
  assert.equal(stdout, "PONG");
});

test("errors carry Redis's code and say where they came from", async () => {
  const db = await open();
  db.set("k", "text");
  try {
    db.incr("k");
    assert.fail("no error");
  } catch (error) {
    assert(error instanceof CommandError);
    assert.equal(error.code, "ERR");
    assert.equal(error.message, "ERR value is not an integer or out of range");
    assert.match(error.stack ?? "", /open\.test/);
  }
  await db.close();
});

test("a frozen view can be taken and released", async () => {
  const db = await open();
  db.set("k", "v");
  const view = db.freeze();
  assert.throws(() => db.freeze(), /freeze is already active/);
  db.set("k", "w");
  assert.deepEqual(view.release().aborted, false);
  db.freeze().release();
  db.tick();
  await db.close();
});
