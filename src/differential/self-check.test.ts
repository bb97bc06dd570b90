/**
 * Tests of the differential tests: two redis-servers agree, and every kind of difference is found.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Random } from "../testing/random.ts";
import type { RespClient } from "../testing/resp-client.ts";
import { compareContents } from "./contents.ts";
import { drawEpisode, play, shorten } from "./episode.ts";
import { keys } from "./keys.ts";
import { equalReplies } from "./replies.ts";
import { families, run, startPair } from "./run.ts";
import type { Pair } from "./session.ts";
import { deckOf, drawCommand } from "./shape.ts";
import { strings } from "./strings.ts";

describe("a redis-server beside a second one", () => {
  let pair: Pair & { stop(): Promise<void> };
  let behind: RespClient;
  before(async () => {
    pair = await startPair(true);
    behind = await pair.subject.client();
  });
  after(() => pair?.stop());

  for (const family of families) {
    for (const protocol of [2, 3] as const) {
      test(`agrees in ${family.name}, RESP${protocol}`, async () => {
        const { mismatches } = await run(pair, { family, protocol, seed: 1, commands: 3000 });
        assert.equal(mismatches.join("\n\n"), "");
      });
    }
  }

  const changes = [
    ["a value", ["SET", "a", "changed"]],
    ["a key more", ["SET", "surplus", "x"]],
    ["a key less", ["DEL", "b"]],
    ["a time to live", ["EXPIRE", "a", "5000"]],
    ["an encoding", ["APPEND", "number:1", ""], ["SET", "number:1", "12"], ["APPEND", "number:1", "3"]],
    ["another database", ["SELECT", "9"], ["SET", "a", "x"], ["SELECT", "0"]],
    ["a value in another database", ["SELECT", "9"], ["SET", "there", "changed"], ["SELECT", "0"]],
  ] as const;
  for (const [what, ...commands] of changes) {
    test(`notices ${what} changed behind its back`, async () => {
      const all = [
        ["SET", "a", "1"],
        ["SET", "b", "2"],
        ["SET", "number:1", "123"],
        ["SELECT", "9"],
        ["SET", "there", "1"],
        ["SELECT", "0"],
      ];
      assert.equal(await play(pair, strings, 2, all), undefined);
      await behind.pipeline(commands);
      assert.notEqual(await compareContents(pair), undefined);
    });
  }

  test("finds a wrong reply, and shortens the sequence to what causes it", async () => {
    // The server under test refuses a large value from now on; one such command is hidden in a long sequence.
    await behind.command("CONFIG", "SET", "proto-max-bulk-len", "1048576");
    const episode = { family: keys, protocol: 3, seed: 7, number: 0, commandCount: 300 } as const;
    const noise = drawEpisode(episode);
    const cause = [
      ["SET", "big", "x"],
      ["SETRANGE", "big", "2000000", "y"],
      ["STRLEN", "big"],
    ];
    const mismatch = await play(pair, keys, 3, [...noise, ...cause]);
    assert.equal(mismatch?.where, "reply");
    assert.deepEqual(mismatch.exchange.command[0], "SETRANGE");
    const shortest = await shorten(pair, keys, 3, mismatch);
    assert.deepEqual(
      shortest.commands.map(([name]) => name),
      ["SETRANGE"],
    );
  });
});

test("a server that ends is a mismatch that shows how it ended", async (t) => {
  const pair = await startPair(true);
  t.after(() => pair.stop());
  setTimeout(() => process.kill(pair.subject.pid, "SIGKILL"), 300);
  const { mismatches } = await run(pair, { family: strings, protocol: 2, seed: 1, commands: 1_000_000 });
  assert.match(mismatches.join("\n"), /no reply from redis-server[\s\S]*redis-server has ended: killed by SIGKILL/);
});

test("replies that may not be equal are told apart", () => {
  const differing: readonly (readonly [command: string[], subject: string, reference: string])[] = [
    [["GET", "a"], "$1\r\na\r\n", "$1\r\nb\r\n"],
    [["GET", "a"], "$-1\r\n", "_\r\n"],
    [["GET", "a"], "+a\r\n", "$1\r\na\r\n"],
    [["TTL", "a"], ":100\r\n", ":103\r\n"],
    [["TTL", "a"], ":-1\r\n", ":-2\r\n"],
    [["TTL", "a"], ":0\r\n", ":-1\r\n"],
    [["PTTL", "a"], ":100\r\n", ":3000\r\n"],
    [["KEYS", "*"], "*1\r\n$1\r\na\r\n", "*2\r\n$1\r\na\r\n$1\r\nb\r\n"],
    [["SCAN", "0"], "*2\r\n$1\r\n0\r\n*0\r\n", "*2\r\n$1\r\n0\r\n*1\r\n$1\r\na\r\n"],
    [["RANDOMKEY"], "$-1\r\n", "$1\r\na\r\n"],
    [["CLIENT", "ID"], "-ERR\r\n", ":1\r\n"],
    [["LOLWUT"], "-ERR a\r\n", "-ERR b\r\n"],
    [["INFO"], "$11\r\nrole:master\r\n", "$10\r\nrole:slave\r\n"],
    [["TIME"], "*2\r\n$2\r\n10\r\n$1\r\n1\r\n", "*2\r\n$2\r\n20\r\n$1\r\n1\r\n"],
  ];
  for (const [command, subject, reference] of differing) {
    const exchange = { command, subject: Buffer.from(subject), reference: Buffer.from(reference) };
    assert.equal(equalReplies(exchange), false, `${command.join(" ")}: ${subject} and ${reference}`);
  }
});

test("every command of a family is drawn, and drawn alike for the same seed", () => {
  for (const family of families) {
    const draw = () => {
      const [deck, random] = [deckOf(family), new Random(3)];
      return Array.from({ length: 20_000 }, () => String(drawCommand(deck, random)[0]).toUpperCase());
    };
    const names = draw();
    assert.deepEqual(names, draw());
    const declared = family.commands.map((shape) => String(shape.draw(new Random(1))[0]).toUpperCase());
    assert.deepEqual(
      declared.filter((name) => !names.includes(name)),
      [],
      family.name,
    );
  }
});
