/**
 * The directed cases against redis-server; and, to prove them, two redis-servers against each other.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { parseCommands, playLine, transcript } from "./directed.ts";
import { directedCases, wireCases } from "./directed-cases.ts";
import { startPair } from "./run.ts";
import type { Pair } from "./session.ts";

test("lines of commands are split as redis-cli splits them", () => {
  assert.deepEqual(parseCommands("SET a 'b c'; GET ''; X 'a;b' '\\x00\\''"), [
    ["SET", "a", "b c"],
    ["GET", ""],
    ["X", "a;b", Buffer.from("\0'")],
  ]);
});

for (const selfCheck of [true, false]) {
  describe(selfCheck ? "directed cases, redis-server beside itself" : "directed cases", () => {
    let pair: Pair & { stop(): Promise<void> };
    before(async () => {
      pair = await startPair(selfCheck);
    });
    after(() => pair?.stop());

    for (const [family, lines] of directedCases) {
      for (const protocol of [2, 3] as const) {
        test(`${family}, RESP${protocol}`, async () => {
          const differing: string[] = [];
          for (const line of lines) {
            const replies = await playLine(pair, protocol, line);
            if (replies.length > 0) differing.push(`in: ${line}\n${replies.join("\n")}`);
          }
          assert.equal(differing.join("\n\n"), "");
        });
      }
    }

    test("bytes on the wire", async () => {
      const differing: string[] = [];
      for (const bytes of wireCases) {
        const [subject, reference] = await Promise.all([
          transcript(pair.subject, bytes),
          transcript(pair.reference, bytes),
        ]);
        const shown = JSON.stringify(bytes.slice(0, 80));
        if (subject !== reference)
          differing.push(`${shown}\n  ${pair.subject.name}: ${subject}\n  redis: ${reference}`);
      }
      assert.equal(differing.join("\n\n"), "");
    });
  });
}
