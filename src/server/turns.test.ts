/** How the server reads and writes: one read buffer for all sockets, one write for all replies of a turn. */
import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { serveInProcess } from "../testing/in-process.ts";
import { decode } from "../testing/resp-frame.ts";
import { openSocket, until } from "../testing/sockets.ts";
import { SocketReader } from "./socket-reader.ts";

const ORIGIN = { address: "stream", localAddress: "stream", fileDescriptor: -1, isEmbedded: true };

/** A stream that a test feeds, and that remembers each write. */
class RecordedStream extends Duplex {
  readonly writes: Buffer[] = [];

  override _read(): void {
    // The test pushes.
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.writes.push(chunk);
    done();
  }
}

test("this version of Node.js lets all sockets be read into one buffer", async (t) => {
  const reader = new SocketReader();
  const buffers = new Set<ArrayBufferLike>();
  let heard = 0;
  const listener = createServer({ pauseOnConnect: true }, (accepted: Socket) => {
    const adopted = reader.adopt(accepted, () => (bytes, length) => {
      buffers.add(bytes.buffer);
      heard += length;
      return true;
    });
    assert.notEqual(adopted, accepted);
    t.after(() => adopted.destroy());
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  t.after(() => listener.close());
  const { port } = listener.address() as { port: number };
  const sockets = await Promise.all([openSocket(port), openSocket(port)]);
  for (const socket of sockets) socket.write("x".repeat(100_000));
  await until("everything is read", () => heard === 200_000);
  assert.equal(buffers.size, 1);
  for (const socket of sockets) socket.destroy();
});

test("who sends much is read in several turns, and the others in between", async (t) => {
  const reader = new SocketReader();
  const [total, bufferSize] = [1_000_000, 65_536];
  let turns = 0;
  let heard = 0;
  const inTurn = new Map<number, number>();
  const listener = createServer({ pauseOnConnect: true }, (accepted: Socket) => {
    // Until then, much has arrived.
    setTimeout(() => {
      const adopted = reader.adopt(accepted, () => (_bytes, length) => {
        inTurn.set(turns, (inTurn.get(turns) ?? 0) + length);
        heard += length;
        return true;
      });
      t.after(() => adopted.destroy());
    }, 50);
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  t.after(() => listener.close());
  const socket = await openSocket((listener.address() as { port: number }).port);
  t.after(() => socket.destroy());
  socket.write("x".repeat(total));
  for (const until = performance.now() + 5000; heard < total && performance.now() < until; turns += 1) await turn();
  assert.equal(heard, total);
  assert.equal(Math.max(...inTurn.values()), 2 * bufferSize);
});

test("all replies of one turn go out in one write", async (t) => {
  const { server } = await serveInProcess(t);
  const stream = new RecordedStream();
  server.serve(stream, ORIGIN);
  stream.push("PING\r\n".repeat(1000));
  await turn();
  await turn();
  assert.deepEqual(stream.writes.map(String), ["+PONG\r\n".repeat(1000)]);
  stream.push("SET a 1\r\nINCR a\r\nGET a\r\nNOSUCH\r\n");
  await turn();
  await turn();
  assert.equal(stream.writes.length, 2);
  // What was written belongs to the stream: later replies do not change it.
  assert.equal(stream.writes[0]!.toString(), "+PONG\r\n".repeat(1000));
});

test("a socket gets all replies of one turn in one segment", async (t) => {
  const { store, port } = await serveInProcess(t);
  const socket = await openSocket(port);
  const segments: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => segments.push(chunk));
  socket.write("PING\r\n".repeat(1000));
  await until("all is heard", () => Buffer.concat(segments).length === 7000);
  assert.equal(segments.length, 1);
  assert.equal(store.services.statistics.writes, 1);
  assert.equal(store.services.statistics.reads, 1);
  socket.destroy();
});

test("a monitor sees the commands of one turn in one segment, in order with its own replies", async (t) => {
  const { store, port, client } = await serveInProcess(t);
  const [socket, other] = await Promise.all([openSocket(port), client()]);
  const segments: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => segments.push(chunk));
  socket.write("MONITOR\r\n");
  await until("it watches", () => store.engine.monitors.size === 1 && segments.length === 1);
  await other.pipeline(Array.from({ length: 50 }, (_, index) => ["ECHO", index]));
  const lines = () => segments.map(String).join("").trimEnd().split("\r\n");
  await until("it has seen all", () => lines().length === 51);
  assert.equal(segments.length, 2);
  for (const [index, line] of lines().slice(1).entries()) assert(line.endsWith(`"ECHO" "${index}"`), line);

  segments.length = 0;
  socket.write("PING\r\nECHO me\r\nRESET\r\n");
  await until("it has heard all", () => String(segments).endsWith("+RESET\r\n"));
  const heard = lines().map((line) => line.replace(/^\+[\d.]+ \[[^\]]*\]/, "+"));
  assert.deepEqual(heard, ["+PONG", '+ "PING"', "$2", "me", '+ "ECHO" "me"', "+RESET"]);
  await until("it watches no more", () => store.engine.monitors.size === 0);
  socket.destroy();
});

test("who writes at the other end while being written to is not executed in between", async (t) => {
  const { server } = await serveInProcess(t);
  const stream = new RecordedStream();
  const heard: unknown[] = [];
  server.serve(stream, ORIGIN);
  stream._write = (chunk: Buffer, _encoding, done) => {
    heard.push(decode(chunk));
    if (heard.length < 5) stream.push(`ECHO ${heard.length}\r\n`);
    done();
  };
  stream.push("PING\r\n");
  await until("all is answered", () => heard.length === 5);
  assert.deepEqual(heard, ["PONG", "1", "2", "3", "4"]);
});
