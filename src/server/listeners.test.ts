/** Where a server can be reached, and by whom. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { serveInProcess } from "../testing/in-process.ts";
import { RespClient } from "../testing/resp-client.ts";
import { heardUntilEnd, openSocket } from "../testing/sockets.ts";
import { isLoopback } from "./listeners.ts";

const interfaces = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
const outside = interfaces.find(({ family, internal }) => family === "IPv4" && !internal)?.address;
const hasIPv6 = interfaces.some(({ address }) => address === "::1");

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "stillwater-"));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

async function field(client: RespClient, name: string): Promise<string | undefined> {
  const line = (await client.command("CLIENT", "INFO")).toString();
  return new RegExp(` ${name}=(\\S*)`).exec(line)?.[1];
}

async function clientId(client: RespClient): Promise<string> {
  return String(await client.command("CLIENT", "ID"));
}

test("several addresses and a path lead to the same store", { skip: !hasIPv6 && "no IPv6 here" }, async (t) => {
  const { server, client } = await serveInProcess(t);
  const path = join(temporaryDirectory(t), "stillwater.sock");
  const port6 = await server.listen({ host: "::1", port: 0 });
  const port4 = await server.listen({ host: "127.0.0.2", port: 0 });
  await server.listen({ path });
  assert.equal(server.addresses.length, 4);
  const others = await Promise.all([port6, port4, { path }].map((address) => RespClient.connect(address)));
  await (await client()).command("SET", "shared", "yes");
  for (const other of others) assert.equal((await other.command("GET", "shared")).toString(), "$3\r\nyes\r\n");
  const addresses = await Promise.all(others.map((other) => field(other, "laddr")));
  assert.deepEqual(addresses, [
    `[::1]:${"port" in port6 ? port6.port : 0}`,
    `127.0.0.2:${"port" in port4 ? port4.port : 0}`,
    `${path}:0`,
  ]);
  assert.equal(await field(others[2]!, "flags"), "U");
});

test("while it is held back, a connection is taken and not served; later everybody is, in their order", async (t) => {
  const { server, client } = await serveInProcess(t);
  const serveWaiting = server.holdBack();
  const first = await client();
  const second = await client();
  const replies = [second.command("RPUSH", "order", "second"), first.command("RPUSH", "order", "first")];
  await sleep(100);
  assert.deepEqual([server.clients.size, server.keyspace.databases[0]!.count], [0, 0]);
  serveWaiting();
  serveWaiting();
  assert.equal(server.clients.size, 2);
  assert.deepEqual((await Promise.all(replies)).map(String).sort(), [":1\r\n", ":2\r\n"]);
  assert.deepEqual([await clientId(first), await clientId(second)], [":1\r\n", ":2\r\n"]);
  assert.equal(String(await (await client()).command("LLEN", "order")), ":2\r\n");
});

test("a server that is closed while it is held back lets go of those who wait", async (t) => {
  const { server, client } = await serveInProcess(t);
  server.holdBack();
  const waiting = await client();
  const reply = assert.rejects(waiting.command("PING"), /connection/);
  await sleep(50);
  await server.close();
  await reply;
});

test("a path that is too long for a unix socket is an error", async (t) => {
  const { server } = await serveInProcess(t);
  const path = join(temporaryDirectory(t), "x".repeat(200));
  await assert.rejects(server.listen({ path }), { code: "ENAMETOOLONG", message: /at most 10[37] bytes/ });
});

test("a unix socket has the mode asked for, and is removed at the end", async (t) => {
  const { server } = await serveInProcess(t);
  const path = join(temporaryDirectory(t), "stillwater.sock");
  await server.listen({ path, mode: 0o700 });
  assert.equal(statSync(path).mode & 0o777, 0o700);
  await server.close();
  assert(!existsSync(path));
});

test("a socket that a dead process left is replaced; one in use and a regular file are not", async (t) => {
  const path = join(temporaryDirectory(t), "stillwater.sock");
  const listen = `require("net").createServer().listen(${JSON.stringify(path)}, die)`;
  spawnSync(process.execPath, ["-e", `${listen}; function die() { process.kill(process.pid, "SIGKILL"); }`]);
  assert(statSync(path).isSocket());
  const first = await serveInProcess(t);
  await first.server.listen({ path });
  const second = await serveInProcess(t);
  await assert.rejects(second.server.listen({ path }), { code: "EADDRINUSE" });
  assert.equal((await (await RespClient.connect({ path })).command("PING")).toString(), "+PONG\r\n");

  const file = `${path}.txt`;
  writeFileSync(file, "precious");
  await assert.rejects(second.server.listen({ path: file }), { code: "EADDRINUSE" });
  assert.equal(statSync(file).size, "precious".length);
});

test("an address that is not this machine's, and a port in use, are errors", async (t) => {
  const { server, port } = await serveInProcess(t);
  await assert.rejects(server.listen({ host: "192.0.2.1", port: 0 }), { code: "EADDRNOTAVAIL" });
  await assert.rejects(server.listen({ host: "127.0.0.1", port }), { code: "EADDRINUSE" });
  assert.equal(server.addresses.length, 1);
});

test("protected mode: from outside only with a password", {
  skip: outside === undefined && "no network",
}, async (t) => {
  const { store, server, client } = await serveInProcess(t);
  const address = await server.listen({ host: "0.0.0.0", port: 0 });
  const port = "port" in address ? address.port : 0;
  const local = await RespClient.connect({ port });
  assert.equal((await local.command("PING")).toString(), "+PONG\r\n");

  const refused = await openSocket(port, { host: outside! });
  refused.write("PING\r\n");
  assert.match(await heardUntilEnd(refused), /^-DENIED Redis is running in protected mode [^\r\n]*\r\n$/);
  assert.equal(store.clients.rejectedConnections, 1);

  const admin = await client();
  await admin.command("CONFIG", "SET", "requirepass", "secret");
  const stranger = await RespClient.connect({ host: outside!, port });
  assert.match((await stranger.command("PING")).toString(), /^-NOAUTH /);
  await admin.command("CONFIG", "SET", "requirepass", "", "protected-mode", "no");
  const guest = await RespClient.connect({ host: outside!, port });
  assert.equal((await guest.command("PING")).toString(), "+PONG\r\n");
});

test("only what is known to come from this machine counts as local", () => {
  const local = ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"];
  // A connection that is reset before it is accepted has no address any more, and may have brought a command.
  const remote = ["192.0.2.1", "::ffff:192.0.2.1", "fe80::1", "1127.0.0.1", undefined];
  assert.deepEqual(local.filter(isLoopback), local);
  assert.deepEqual(remote.filter(isLoopback), []);
});

test("tcp-keepalive: the system is asked to probe, and no more once it is 0", async (t) => {
  const { mock } = t.mock.method(Socket.prototype, "setKeepAlive");
  const { client } = await serveInProcess(t, { "tcp-keepalive": "77" });
  await (await client()).command("CONFIG", "SET", "tcp-keepalive", 0);
  await (await client()).command("PING");
  assert.deepEqual(
    mock.calls.map((call) => call.arguments),
    [
      [true, 77_000],
      [false, 0],
    ],
  );
});

test("an unreferenced server lets its process end, with clients connected", () => {
  const module = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
  const program = `
    const { Configuration } = await import(${module("../config/configuration.js")});
    const { Store } = await import(${module("../engine/store.js")});
    const { Server } = await import(${module("./server.js")});
    const { connect } = await import("node:net");
    const server = new Server(new Store(new Configuration()));
    const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
    server.unref();
    const socket = connect(port, "127.0.0.1", () => socket.write("PING\\r\\n"));
    await new Promise((resolve) => socket.on("data", resolve));
    socket.unref();
    process.stdout.write("served");`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
    encoding: "utf8",
    timeout: 10_000,
  });
  assert.deepEqual([stdout, stderr, status], ["served", "", 0]);
});
