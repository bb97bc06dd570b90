/** redis-cli, as people and scripts use it. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { encodeCommand } from "../testing/resp-frame.ts";
import { serveClients } from "../testing/serve-clients.ts";

/** Runs redis-cli to its end; not synchronously, because the server is in this process. */
function redisCli(args: readonly string[], input: string | Buffer = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile("redis-cli", args, { timeout: 15_000, encoding: "latin1" }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`redis-cli ${args.join(" ")}: ${error.message}\n${stdout}${stderr}`));
    });
    child.stdin?.end(input);
  });
}

const SCRIPT = [
  ["SET greeting hello", "OK"],
  ["APPEND greeting '!'", "6"],
  ["GETRANGE greeting 0 3", "hell"],
  ["MSET a 1 b 2", "OK"],
  ["MGET a b c", "1\n2\n"],
  ["INCRBYFLOAT a 0.5", "1.5"],
  ["SETBIT bits 7 1", "0"],
  ["BITCOUNT bits", "1"],
  ["BITFIELD f SET u8 0 255 GET u8 0", "0\n255"],
  ["EXPIRE greeting 100", "1"],
  ["TTL greeting", "100"],
  ["RENAME greeting welcome", "OK"],
  ["TYPE welcome", "string"],
  ["OBJECT ENCODING b", "int"],
  ["DEL a b", "2"],
  ["SELECT 1", "OK"],
  ["DBSIZE", "0"],
  ["SWAPDB 0 1", "OK"],
  ["EXISTS welcome", "1"],
  ["CONFIG SET maxclients 5000", "OK"],
  ["CONFIG GET maxclients", "maxclients\n5000"],
  ["CLIENT SETNAME me", "OK"],
  ["CLIENT GETNAME", "me"],
  ["PING", "PONG"],
  ["NOSUCH", "ERR unknown command 'NOSUCH', with args beginning with: \n"],
  ["GET", "ERR wrong number of arguments for 'get' command\n"],
  ["SLOWLOG RESET", "OK"],
  ["LATENCY RESET", "0"],
  ["ROLE", "master\n0\n"],
  ["DEBUG VERIFY", "OK"],
  ["FLUSHALL", "OK"],
] as const;

test("a script of commands, over TCP and a unix socket, in RESP2 and RESP3", async (t) => {
  const { port, path } = await serveClients(t);
  const commands = `${SCRIPT.map(([command]) => command).join("\n")}\n`;
  const expected = `${SCRIPT.map(([, reply]) => reply).join("\n")}\n`;
  // It writes a map's key and value on one line.
  const expected3 = expected.replace("maxclients\n5000", "maxclients 5000");
  for (const options of [
    ["-p", `${port}`],
    ["-s", path],
    ["-3", "-p", `${port}`],
    ["-3", "-s", path],
  ]) {
    const wanted = options[0] === "-3" ? expected3 : expected;
    assert.equal(await redisCli(["--raw", ...options], commands), wanted, options.join(" "));
  }
});

describe("replies in its own formatting", () => {
  for (const protocol of ["-2", "-3"]) {
    test(protocol, async (t) => {
      const { port } = await serveClients(t);
      const run = (...args: string[]) => redisCli([protocol, "--no-raw", "-p", `${port}`, ...args]);
      assert.equal(await run("SET", "k", "v"), "OK\n");
      assert.equal(await run("GET", "k"), '"v"\n');
      assert.equal(await run("GET", "none"), "(nil)\n");
      assert.equal(await run("EXISTS", "k"), "(integer) 1\n");
      assert.equal(await run("NOSUCH"), "(error) ERR unknown command 'NOSUCH', with args beginning with: \n");
      const hello = await run("HELLO", protocol.slice(1));
      assert.match(hello, protocol === "-3" ? /^1# "server" => "redis"\n/ : /^ 1\) "server"\n 2\) "redis"\n/);
      assert.match(await run("INFO", "server"), /# Server\r?\nredis_version:7\.2\./);
      assert.match(await run("COMMAND", "DOCS", "get"), /"summary"/);
      assert.match(await run("COMMAND", "INFO", "get"), /"get"/);
      assert.match(await run("MEMORY", "STATS"), /"peak\.allocated"/);
      assert.match(await run("MEMORY", "DOCTOR"), /\w/);
      assert.match(await run("LATENCY", "DOCTOR"), /\w/);
      assert.match(await run("LOLWUT"), /Redis ver\. 7\.2\./);
      assert.match(await run("CLIENT", "LIST"), /id=\d+ addr=127\.0\.0\.1:\d+ /);
      assert.match(await run("CONFIG", "HELP"), /CONFIG <subcommand>/);
    });
  }
});

test("a password by -a, and a missing one", async (t) => {
  const { port } = await serveClients(t, { requirepass: "secret" });
  const cli = (...args: string[]) => redisCli(["-p", `${port}`, "--no-auth-warning", ...args]);
  assert.equal(await cli("-a", "secret", "PING"), "PONG\n");
  assert.match(await cli("PING"), /^NOAUTH Authentication required\./);
});

test("--pipe inserts 50,000 keys, and --scan finds them", async (t) => {
  const { port } = await serveClients(t);
  const commands = Array.from({ length: 50_000 }, (_, index) =>
    encodeCommand(["SET", `key:${index}`, `value ${index}`]),
  );
  const report = await redisCli(["-p", `${port}`, "--pipe"], Buffer.concat(commands));
  assert.match(report, /errors: 0, replies: 50000\n$/);
  assert.equal(await redisCli(["-p", `${port}`, "DBSIZE"]), "50000\n");
  const found = await redisCli(["-p", `${port}`, "--scan", "--pattern", "key:1*"]);
  const wanted = Array.from({ length: 50_000 }, (_, index) => `key:${index}`).filter((key) => key.startsWith("key:1"));
  assert.deepEqual(new Set(found.trimEnd().split("\n")), new Set(wanted));
});

test("--bigkeys, --memkeys and --latency", async (t) => {
  const { port, client } = await serveClients(t);
  const writer = await client();
  await writer.command("SET", "giant", "x".repeat(10_000));
  await writer.command("SET", "dwarf", "x");
  const cli = (...args: string[]) => redisCli(["-p", `${port}`, ...args]);
  assert.match(await cli("--bigkeys"), /Biggest string found '"giant"' has 10000 bytes/);
  assert.match(await cli("--memkeys"), /Biggest string found '"giant"' has \d{5} bytes/);
  const samples = (await cli("--raw", "--latency", "-i", "0.2")).trim().split(/\s+/).map(Number);
  assert(samples.length === 4 && samples[3]! > 1, `${samples}`);
});
