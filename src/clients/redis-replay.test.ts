/**
 * What is logged may be replayed by Redis 7.0: random histories are played here, their effects piped into redis-server,
 * and both asked for everything that they hold. Deadlines of hash fields aside, of which 7.0 knows nothing.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { allCommands } from "../commands/all-commands.ts";
import { drawEpisode } from "../differential/episode.ts";
import { families } from "../differential/run.ts";
import { command, type Family, often, oneOf, optional, repeated, sequence, someOf } from "../differential/shape.ts";
import { key, value } from "../differential/words.ts";
import { CommandRunner } from "../testing/commands.ts";
import { commandsIn, takeEffects } from "../testing/effects.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import type { RespClient } from "../testing/resp-client.ts";
import { type Argument, decode, type Reply } from "../testing/resp-frame.ts";
import { startRedis, type TestServer } from "../testing/servers.ts";

const seed = seedOfRun();
const EPISODE = 250;
const DAY_MS = 86_400_000;
const WITHOUT_DATA = ["connection", "server"];

/** What says something else than it was told. */
const rewriting: Family = {
  name: "rewriting",
  prologue: [],
  commands: [
    often(5, command("SET", key, value, someOf("KEEPTTL"))),
    often(5, command("SET", key, "1.5", "EX", oneOf("100", "5"), someOf("GET", "XX"))),
    often(3, command("SETEX", key, "5", "7")),
    often(5, command("GETEX", key, oneOf("PERSIST", sequence("EX", "5")))),
    often(3, command("GETDEL", key)),
    often(5, command("INCRBYFLOAT", key, oneOf("0.1", "1e-7", "123456789.5"))),
    often(5, command("HINCRBYFLOAT", key, "f", oneOf("0.1", "1e-7"))),
    often(8, command("SADD", key, repeated(value, 1, 9))),
    often(6, command("SPOP", key, optional(oneOf("1", "3", "100")))),
    often(5, command("EXPIRE", key, oneOf("5", "1000", "-1"), optional(oneOf("NX", "GT")))),
    often(3, command("SORT", key, "BY", "w_*", "ALPHA", "STORE", key)),
    often(3, command("MOVE", key, oneOf("0", "3"))),
    often(3, command("SELECT", oneOf("0", "3"))),
    often(2, command("GET", key)),
    command("DEL", key),
  ],
};

let redis: TestServer;
let client: RespClient;

before(async () => {
  redis = await startRedis();
  client = await redis.client();
});

after(async () => {
  await client.close();
  await redis.stop();
});

/** Asks for something: the reply as values. */
type Ask = (...words: Argument[]) => Promise<Reply>;

/** Everything that there is, a line a key. */
async function contentsOf(ask: Ask): Promise<string[]> {
  const lines: string[] = [];
  for (let database = 0; database < 16; database++) {
    await ask("SELECT", database);
    for (const name of (await ask("KEYS", "*")) as Argument[]) {
      const type = (await ask("TYPE", name)) as string;
      const deadline = await ask("PEXPIRETIME", name);
      lines.push([database, JSON.stringify(name), type, deadline, await shownValue(ask, name, type)].join(" "));
    }
  }
  return lines.sort();
}

async function shownValue(ask: Ask, name: Argument, type: string): Promise<string> {
  const read = async (...words: Argument[]): Promise<string[]> => {
    const reply = await ask(...words);
    return (reply as readonly Reply[]).map((element) => JSON.stringify(element));
  };
  const pairs = (elements: string[]): string[] =>
    elements.flatMap((_, at) => (at % 2 === 0 ? [elements.slice(at, at + 2).join("=")] : []));
  if (type === "string") return JSON.stringify(await ask("GET", name));
  if (type === "list") return (await read("LRANGE", name, 0, -1)).join(",");
  if (type === "set") return (await read("SMEMBERS", name)).sort().join(",");
  if (type === "hash")
    return pairs(await read("HGETALL", name))
      .sort()
      .join(",");
  // Redis 7.0 writes the same number with more digits.
  const scored = await read("ZRANGE", name, 0, -1, "WITHSCORES");
  return pairs(scored.map((text, at) => (at % 2 === 0 ? text : `${Number(JSON.parse(text))}`))).join(",");
}

function isError(reply: Reply): boolean {
  if (Array.isArray(reply)) return reply.some(isError);
  return typeof reply === "object" && reply !== null && "error" in reply;
}

async function compare(family: Family, number: number): Promise<void> {
  let now = Date.now() + DAY_MS;
  const runner = new CommandRunner(allCommands, { now: () => now, shards: 2 });
  runner.effects.areKept = true;
  const random = new Random(seed, number);
  const commands = drawEpisode({ family, protocol: 2, seed, number, commandCount: EPISODE });
  for (const words of [...family.prologue, ...commands]) {
    runner.run(...words);
    if (random.chance(0.05)) now += 2000;
  }
  // What is over is not shown, and may still be there.
  while (runner.keyspace.expireDue(100));
  const effects = commandsIn(takeEffects(runner.effects));
  assert.ok(effects.length > EPISODE / 10, `only ${effects.length} effects`);
  await client.pipeline([["FLUSHALL"], ["SELECT", "0"]]);
  const replies = await client.pipeline(effects);
  for (const [index, reply] of replies.entries()) {
    const shown = effects[index]!.map((word) => word.toString("latin1")).join(" ");
    assert.ok(!isError(decode(reply)), `seed ${seed}: ${shown}: ${reply}`);
  }
  const ours = await contentsOf(async (...words) => runner.ask(...words));
  const theirs = await contentsOf(async (...words) => decode(await client.command(...words)));
  assert.deepEqual(theirs, ours, `seed ${seed}`);
}

for (const family of [...families.filter(({ name }) => !WITHOUT_DATA.includes(name)), rewriting]) {
  test(`${family.name}: Redis makes the same of what is logged`, async (context) => {
    context.diagnostic(`seed ${seed}`);
    for (let number = 0; number < 2; number++) await compare(family, number);
  });
}
