import assert from "node:assert/strict";
import { test } from "node:test";
import { ReplyMissing } from "./resp-client.ts";
import { decode } from "./resp-frame.ts";
import { startRedis } from "./servers.ts";

test("a redis-server starts, answers in pipelines, and stops", async (t) => {
  const server = await startRedis();
  t.after(() => server.stop());
  const client = await server.client();
  assert.equal((await client.command("PING")).toString(), "+PONG\r\n");
  const replies = await client.pipeline(Array.from({ length: 1000 }, (_, index) => ["ECHO", index]));
  assert.deepEqual(
    replies.map(decode),
    Array.from({ length: 1000 }, (_, index) => `${index}`),
  );

  client.send("PING\r\nPING\r\n");
  await assert.rejects(client.receive(3, 200), (error: ReplyMissing) => {
    assert.match(error.message, /no reply within 200 ms \(2 of 3 replies arrived\)/);
    return error.received.length === 2;
  });
  await client.command("QUIT");
  await client.closedByServer();
  await assert.rejects(client.receive(), ReplyMissing);

  await server.stop();
  assert.match(server.ended() ?? "", /exit code 0/);
});

test("a server that does not start is an error with its output", async () => {
  await assert.rejects(startRedis(["--no-such-directive", "1"]), /did not start[\s\S]*no-such-directive/);
});
