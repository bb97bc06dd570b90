/**
 * The scenarios, played to redis-server and to ours; and what both say about themselves.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { decode, type Reply } from "../testing/resp-frame.ts";
import type { TestServer } from "../testing/servers.ts";
import { absentInfoFields, absentSettings, changedCommandFields } from "./intended-differences.ts";
import { commandEntries, infoLines, list, pairs } from "./replies.ts";
import { startPair } from "./run.ts";
import { scenarios } from "./scenarios.ts";
import type { Pair } from "./session.ts";

async function ask(server: TestServer, ...command: string[]): Promise<Reply> {
  const client = await server.client();
  const reply = decode(await client.command(...command));
  await client.close();
  return reply;
}

for (const selfCheck of [true, false]) {
  describe(selfCheck ? "scenarios, redis-server beside itself" : "scenarios", () => {
    let pair: Pair & { stop(): Promise<void> };
    before(async () => {
      pair = await startPair(selfCheck);
    });
    after(() => pair?.stop());

    for (const [title, scenario] of scenarios) {
      test(title, async () => {
        const [subject, reference] = await Promise.all(
          [pair.subject, pair.reference].map(async (server) => {
            await ask(server, "FLUSHALL");
            return scenario(server);
          }),
        );
        assert.deepEqual(subject, reference);
      });
    }

    test("INFO has every field that clients and exporters know", async () => {
      const [subject, reference] = [
        await ask(pair.subject, "INFO", "everything"),
        await ask(pair.reference, "INFO", "everything"),
      ];
      const names = (reply: Reply) =>
        infoLines(reply)
          .map((line) => line.split(":")[0]!)
          .filter((name) => !/stat_|_usec/.test(name));
      const shown = new Set(names(subject));
      const missing = names(reference).filter((name) => !shown.has(name) && !absentInfoFields.has(name));
      assert.deepEqual(missing, []);
      assert.ok(shown.size > 100, `only ${shown.size} fields`);
    });

    test("CONFIG GET * has every setting, with the same default", async () => {
      const own = new Set(["port", "dir", "pidfile", "logfile", "bind"]);
      // On purpose: config/directives.test.ts says why.
      const otherwise = /^(activedefrag|lazyfree-lazy-.*)$/;
      const [subject, reference] = [
        await ask(pair.subject, "CONFIG", "GET", "*"),
        await ask(pair.reference, "CONFIG", "GET", "*"),
      ];
      const ours = new Map(pairs(subject));
      const differing = pairs(reference)
        .filter(([name, value]) => {
          const isSaid = own.has(String(name)) || absentSettings.has(String(name)) || otherwise.test(String(name));
          return !isSaid && ours.get(name) !== value;
        })
        .map(([name, value]) => `${name}: ${JSON.stringify(value)}, ours ${JSON.stringify(ours.get(name))}`);
      assert.deepEqual(differing, []);
    });

    test("COMMAND INFO says the same of every command both have", async () => {
      const names = list(await ask(pair.subject, "COMMAND", "LIST")).map(String);
      const known = new Set(list(await ask(pair.reference, "COMMAND", "LIST")).map(String));
      const shared = names.filter((name) => known.has(name)).sort();
      const differing: string[] = [];
      for (const name of shared) {
        const [subject, reference] = [
          await ask(pair.subject, "COMMAND", "INFO", name),
          await ask(pair.reference, "COMMAND", "INFO", name),
        ];
        const [ours, theirs] = [subject, reference].map((reply) =>
          JSON.stringify(lasting(commandEntries(reply), known), asLists),
        );
        if (ours !== theirs) differing.push(`${name}\n  ours  ${ours}\n  redis ${theirs}`);
      }
      assert.equal(differing.join("\n"), "");
      assert.ok(shared.length > 80, `only ${shared.length} commands were compared`);
    });
  });
}

function asLists(_: string, value: unknown): unknown {
  return value instanceof Set || value instanceof Map ? [...value] : value;
}

const FIELDS = { arity: 1, flags: 2, categories: 6, tips: 7 };

/** COMMAND INFO's entries, subcommands included, without what is newer than the reference. */
function lasting(entries: unknown, known: ReadonlySet<string>): unknown {
  const old = (entries as unknown[]).filter((entry) => !Array.isArray(entry) || known.has(String(entry[0])));
  return old.map((entry) => {
    if (!Array.isArray(entry)) return entry;
    const changed = changedCommandFields.get(String(entry[0])) ?? [];
    const kept = changed.reduce((rest, field) => rest.with(FIELDS[field], "changed"), entry as unknown[]);
    return kept.with(9, lasting(kept[9], known));
  });
}
