/** A client's view of the server, in both ways of reading sockets. */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import { serveInProcess } from "../testing/in-process.ts";
import { encodeCommand } from "../testing/resp-frame.ts";
import { heardUntilEnd, openSocket, until } from "../testing/sockets.ts";

const MIB = 2 ** 20;

for (const readsIntoOneBuffer of [true, false]) {
  describe(readsIntoOneBuffer ? "reading into one buffer" : "reading the ordinary way", () => {
    const serve = (t: TestContext) => serveInProcess(t, {}, readsIntoOneBuffer);

    test("pipelines of any length are answered in order", async (t) => {
      const running = await serve(t);
      const client = await running.client();
      const requests = Array.from({ length: 20_000 }, (_, index) => ["SET", `key:${index}`, `value ${index}`]);
      for (const reply of await client.pipeline(requests)) assert.equal(reply.toString(), "+OK\r\n");
      const replies = await client.pipeline(requests.map(([, key]) => ["GET", key!]));
      for (const [index, reply] of replies.entries()) {
        assert.equal(reply.toString(), `$${`value ${index}`.length}\r\nvalue ${index}\r\n`);
      }
    });

    test("a value of 64 MB goes in and comes out", async (t) => {
      const running = await serve(t);
      const [client, other] = await Promise.all([running.client(), running.client()]);
      const value = Buffer.alloc(64 * MIB, "0123456789abcdef\r\n$*");
      assert.equal((await client.command("SET", "large", value)).toString(), "+OK\r\n");
      const [reply] = await Promise.all([client.command("GET", "large"), other.command("PING")]);
      assert.equal(reply.subarray(0, 11).toString(), `$${value.length}\r\n`);
      assert(reply.subarray(11, 11 + value.length).equals(value));
    });

    test("requests may be inline", async (t) => {
      const running = await serve(t);
      const client = await running.client();
      client.send("SET inline \"a value\"\r\nGET inline\n\r\n  PING  \r\nECHO 'x'\r\n");
      const replies = await client.receive(4);
      assert.equal(Buffer.concat(replies).toString(), "+OK\r\n$7\r\na value\r\n+PONG\r\n$1\r\nx\r\n");
    });

    test("a client that writes byte by byte is understood, and disturbs nobody", async (t) => {
      const running = await serve(t);
      const [slow, other] = await Promise.all([running.client(), running.client()]);
      const requests = [["SET", "slow", "x".repeat(150)], ["GET", "slow"], ["PING"]];
      for (const byte of Buffer.concat(requests.map(encodeCommand))) {
        slow.send(Uint8Array.of(byte));
        await turn();
      }
      assert.equal((await other.command("PING")).toString(), "+PONG\r\n");
      const replies = Buffer.concat(await slow.receive(3));
      assert.equal(replies.toString(), `+OK\r\n$150\r\n${"x".repeat(150)}\r\n+PONG\r\n`);
    });

    for (const [broken, error] of [
      ["*x\r\n", "invalid multibulk length"],
      ["*1\r\n!4\r\n", "expected '$', got '!'"],
      ["*1\r\n$-1\r\n", "invalid bulk length"],
      ["*1\r\n$99999999999\r\n", "invalid bulk length"],
      ["*1\r\n".repeat(100_000), "expected '$', got '*'"],
      ["x".repeat(70_000), "too big inline request"],
      ['SET a "b\r\n', "unbalanced quotes in request"],
    ] as const) {
      test(`a broken protocol (${error}) is answered behind what came before it, and ends it`, async (t) => {
        const running = await serve(t);
        const [socket, other] = await Promise.all([openSocket(running.port), running.client()]);
        // What follows the error must neither be executed nor cost the client the replies.
        socket.write(`SET a 1\r\n*1\r\n$4\r\nPING\r\n${broken}${"SET a 2\r\n".repeat(100_000)}`);
        assert.equal(await heardUntilEnd(socket), `+OK\r\n+PONG\r\n-ERR Protocol error: ${error}\r\n`);
        assert.equal((await other.command("GET", "a")).toString(), "$1\r\n1\r\n");
        await until("the connection is forgotten", () => running.store.clients.size === 1);
      });
    }

    test("who ends its side is answered first", async (t) => {
      const running = await serve(t);
      const socket = await openSocket(running.port, { allowHalfOpen: true });
      socket.end("SET half open\r\nGET half\r\nGET ha");
      assert.equal(await heardUntilEnd(socket), "+OK\r\n$4\r\nopen\r\n");
      await until("the connection is forgotten", () => running.store.clients.size === 0);
    });

    test("who asks for much, ends its side, and reads late, still gets everything", async (t) => {
      const running = await serve(t);
      const [socket, other] = await Promise.all([openSocket(running.port, { allowHalfOpen: true }), running.client()]);
      await other.command("SET", "value", Buffer.alloc(MIB, "v"));
      socket.end("GET value\r\n".repeat(30));
      await sleep(50);
      assert.equal((await heardUntilEnd(socket)).length, 30 * (`$${MIB}\r\n`.length + MIB + 2));
      await until("the connection is forgotten", () => running.store.clients.size === 1);
    });

    test("QUIT is answered, and nothing behind it is executed", async (t) => {
      const running = await serve(t);
      const socket = await openSocket(running.port);
      socket.write("QUIT\r\nSET a 1\r\n");
      assert.equal(await heardUntilEnd(socket), "+OK\r\n");
      const client = await running.client();
      assert.equal((await client.command("GET", "a")).toString(), "$-1\r\n");
    });

    test("connections that are reset in the middle of anything are forgotten", async (t) => {
      const running = await serve(t);
      const witness = await running.client();
      await witness.command("SET", "value", Buffer.alloc(MIB));
      for (const began of [
        "",
        "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100\r\nabc",
        "GET value\r\n".repeat(40),
        "MONITOR\r\n",
      ]) {
        const sockets = await Promise.all(Array.from({ length: 25 }, () => openSocket(running.port)));
        for (const socket of sockets) socket.write(began);
        await sleep(20);
        for (const socket of sockets) socket.resetAndDestroy();
        assert.equal((await witness.command("PING")).toString(), "+PONG\r\n");
      }
      await until("all but the witness are forgotten", () => running.store.clients.size === 1);
      assert.equal(running.store.engine.monitors.size, 0);
    });

    test("a client that asks without reading is not executed on, and goes on when it reads", async (t) => {
      const running = await serve(t);
      const [socket, other] = await Promise.all([openSocket(running.port), running.client()]);
      await other.command("SET", "value", Buffer.alloc(MIB, "v"));
      const requests = 200;
      socket.write(`${"GET value\r\n".repeat(requests)}SET done yes\r\n`);
      await sleep(100);
      const waiting = () => Math.max(...[...running.store.clients.list()].map((client) => client.outputBufferBytes));
      assert(waiting() > 0 && waiting() < 3 * MIB, `${waiting()} bytes wait`);
      const begin = performance.now();
      for (let index = 0; index < 100; index += 1) await other.command("SET", `other:${index}`, "x");
      assert(performance.now() - begin < 1000);
      assert.equal((await other.command("GET", "done")).toString(), "$-1\r\n");

      let heard = 0;
      const wanted = requests * (`$${MIB}\r\n`.length + MIB + 2) + "+OK\r\n".length;
      socket.on("data", (chunk: Buffer) => (heard += chunk.length));
      await until("all replies are read", () => heard >= wanted, 10_000);
      assert.equal(heard, wanted);
      assert.equal((await other.command("GET", "done")).toString(), "$3\r\nyes\r\n");
      socket.write("PING\r\n");
      await until("it is served again", () => heard === wanted + 7);
      socket.destroy();
    });
  });
}
