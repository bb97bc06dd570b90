/** The server is killed under load, again and again: nothing acknowledged is lost. At length: crash.fuzz.ts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CrashCrowd } from "../testing/crash-crowd.ts";
import { CrashLane } from "../testing/crash-lane.ts";
import { CRASH_KINDS } from "../testing/crash-operations.ts";
import { assertPressed, crashRounds } from "../testing/crash-rounds.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import type { RespClient } from "../testing/resp-client.ts";
import { decode } from "../testing/resp-frame.ts";
import { startStillwater } from "../testing/servers.ts";

const ROUNDS = 50;
const seed = seedOfRun();

test(`${ROUNDS} crashes: nothing acknowledged is missing, nothing is there twice or in part`, async (context) => {
  const figures = await crashRounds(seed, ROUNDS);
  context.diagnostic(`seed ${seed}: ${JSON.stringify(figures)}`);
  assert.equal(figures.rounds, ROUNDS);
  for (const kind of CRASH_KINDS) assert(figures.found[kind] > 0, `no ${kind} was ever checked`);
  for (const policy of ["always", "everysec"] as const) assert(figures.restartsUnder[policy] > 0, policy);
  assert(figures.killedLoading > 0, "it was never killed while it was loading");
  assertPressed(figures);
  for (const work of ["rewrite", "save", "switch off and on"] as const) assert(figures.killedWhile[work] > 0, work);
});

/** What a crash might do to a lane's keys, and what the check says of it. */
const DAMAGES: readonly [what: string, commands: readonly string[], complaint: RegExp][] = [
  ["an increment is missing", ["DECR lane:counter"], /counter: "\d+" instead of "\d+"/],
  ["an increment is there twice", ["INCR lane:counter"], /counter/],
  ["a float is there twice", ["INCRBYFLOAT lane:float 0.25"], /float/],
  ["an item is missing", ["RPOP lane:items"], /items/],
  ["an item is there twice", ["RPUSH lane:items 1"], /items/],
  ["a moved item is in both lists", ["COPY lane:items lane:moved REPLACE"], /moved/],
  ["half of a hash", ["HDEL lane:pair left"], /pair/],
  ["half of an MSET", ["SET lane:twin:b 0"], /twins/],
  ["a member is missing", ["SPOP lane:members"], /members: .* missing/],
  ["a member is back", ["SADD lane:members 0"], /members: .* should not be there/],
  ["text is there twice", ["APPEND lane:text 1,"], /text/],
  ["a value is missing", [0, 1, 2, 3].map((index) => `DEL lane:value:${index}`), /values/],
  ["a deadline began anew", [0, 1, 2, 3].map((index) => `EXPIRE lane:lasting:${index} 7200`), /has the deadline/],
  ["a deadline is lost", [0, 1, 2, 3].map((index) => `PERSIST lane:lasting:${index}`), /has the deadline -1/],
  ["a key with a deadline is missing", [0, 1, 2, 3].map((index) => `DEL lane:lasting:${index}`), /too early/],
  ["a score counts twice", ["ZINCRBY lane:scores 1 member"], /score/],
];

test("the check sees each of these", async (context) => {
  const server = await startStillwater();
  context.after(() => server.stop());
  const client = await server.client();
  const settle = async (lane: CrashLane): Promise<void> => {
    const begunAt = Date.now();
    const replies = await client.pipeline(lane.readers);
    lane.settle({ replies: replies.map((reply) => decode(reply)), begunAt, endedAt: Date.now() });
  };
  for (const [what, commands, complaint] of DAMAGES) {
    await client.command("FLUSHALL");
    const lane = new CrashLane("lane", new Random(seed));
    await write(lane, client);
    await settle(lane);
    await write(lane, client);
    for (const command of commands) await client.command(...command.split(" "));
    await assert.rejects(() => settle(lane), complaint, what);
  }
});

test("so does that of keys that come in crowds", () => {
  const crowd = new CrashCrowd(new Random(seed));
  const stored = new Map<string, string>();
  /** One batch, all of it answered: `missing` is found to be gone. */
  const play = (missing: string): void => {
    const [[, ...looked] = [], ...written] = crowd.next("eviction");
    const values = looked.map((name) => (name === missing ? undefined : stored.get(name)));
    const found = values.map((value) => (value === undefined ? "$-1\r\n" : `$${value.length}\r\n${value}\r\n`));
    const replies = [`*${found.length}\r\n${found.join("")}`, ...written.map(() => "+OK\r\n")];
    crowd.answered(
      replies.map((reply) => Buffer.from(reply)),
      true,
    );
    for (const [, name = "", value = ""] of written) stored.set(name, value);
    if (looked.includes(missing)) stored.delete(missing);
  };
  const settle = (data: ReadonlyMap<string, string>, mayEvict = false, later = 0): void => {
    const now = Date.now() + later;
    crowd.settle({ names: [...data.keys()], values: [...data.values()], begunAt: now, endedAt: now, mayEvict });
  };
  for (let batch = 0; batch < 20; batch++) play("crowd:3");
  assert.ok(!stored.has("crowd:3"), "it was looked at");
  const { size } = stored;
  const without = new Map([...stored].slice(1));
  const back = new Map([...stored, ["crowd:3", "3:"]]);
  assert.throws(() => settle(without), /acknowledged, is missing/);
  assert.throws(() => settle(back), /evicted, is back/);
  assert.throws(() => settle(new Map([...stored, ["crowd:99999", ""]])), /never written/);
  assert.throws(() => settle(new Map([...stored, [[...stored.keys()][0]!, "other"]])), /other/);
  assert.throws(() => settle(stored, false, 7_200_000), /too late/);
  assert.throws(() => crowd.answered([Buffer.from(`*2\r\n$-1\r\n$1\r\nx\r\n`)], false));
  crowd.kept = 0;
  settle(without, true);
  assert.deepEqual([crowd.kept, crowd.evicted, crowd.expired], [size - 1, 1, 0]);
  assert.throws(() => settle(stored), /never written, or had gone/);
});

/** Writes until every kind of key holds something. */
async function write(lane: CrashLane, client: RespClient): Promise<void> {
  for (;;) {
    lane.answered(await client.pipeline(lane.next(100)));
    const exist = await client.command("EXISTS", ...["items", "moved", "members", "text"].map((key) => `lane:${key}`));
    if (exist.toString() === ":4\r\n") return;
  }
}
