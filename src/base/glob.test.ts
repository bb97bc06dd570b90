import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Random, seedOfRun } from "../testing/random.ts";
import { decode } from "../testing/resp-frame.ts";
import { startRedis } from "../testing/servers.ts";
import { matchesGlob } from "./glob.ts";

function matches(pattern: string, subject: string, ignoreCase = false): boolean {
  const bytes = Buffer.from(subject, "latin1");
  return matchesGlob(Buffer.from(pattern, "latin1"), bytes, 0, bytes.length, ignoreCase);
}

/** The naive twin: the pattern as a list of tests of one byte, and stars; every star tries every length. */
function matchesNaively(pattern: string, subject: string, ignoreCase: boolean): boolean {
  if (subject === "") return pattern === "";
  return fits(elements(pattern, ignoreCase), subject);
}

type Element = "star" | ((character: string) => boolean);

function fits([first, ...rest]: readonly Element[], subject: string): boolean {
  if (first === undefined) return subject === "";
  if (first !== "star") return subject !== "" && first(subject[0]!) && fits(rest, subject.slice(1));
  return Array.from({ length: subject.length + 1 }, (_, taken) => taken).some((taken) =>
    fits(rest, subject.slice(taken)),
  );
}

function elements(pattern: string, ignoreCase: boolean): Element[] {
  const fold = (text: string) => (ignoreCase ? text.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) : text);
  const order = (text: string) => (text.charCodeAt(0) ^ 0x80) & 0xff;
  const tokens = pattern.match(/\[\^?(?:\\[\s\S]|[^\]\\]-[\s\S]|[^\]])*\]?|\\[\s\S]|[\s\S]/g) ?? [];
  return tokens.map((token): Element => {
    if (token === "*") return "star";
    if (token === "?") return () => true;
    if (!token.startsWith("[")) return (character) => fold(character) === fold(token.at(-1)!);
    const [, negation, body] = /^\[(\^?)((?:\\[\s\S]|[^\]\\]-[\s\S]|[^\]])*)\]?$/.exec(token)!;
    const members = (body!.match(/\\[\s\S]|[^\]\\]-[\s\S]|[^\]]/g) ?? []).map((member) => (character: string) => {
      if (member.length === 1) return fold(member) === fold(character);
      if (member.startsWith("\\")) return member[1] === character;
      const [low, high] = [member[0]!, member[2]!].sort((left, right) => order(left) - order(right));
      return order(fold(low!)) <= order(fold(character)) && order(fold(character)) <= order(fold(high!));
    });
    return (character) => members.some((member) => member(character)) !== (negation === "^");
  });
}

const patternText = fc.string({ unit: fc.constantFrom(..."aAbBzZ**??[[]]^\\--\x80\xff"), maxLength: 12 });
const subjectText = fc.string({ unit: fc.constantFrom(..."aAbBzZ[]^\\-*\x80\xff"), maxLength: 8 });

test("a pattern matches what its naive twin matches", () => {
  const seed = seedOfRun();
  fc.assert(
    fc.property(patternText, subjectText, fc.boolean(), (pattern, subject, ignoreCase) => {
      assert.equal(matches(pattern, subject, ignoreCase), matchesNaively(pattern, subject, ignoreCase));
    }),
    { seed, numRuns: 20_000 },
  );
});

test("the subject is the given part of the bytes", () => {
  const bytes = Buffer.from("xxhelloxx");
  assert.ok(matchesGlob(Buffer.from("h*o"), bytes, 2, 5));
  assert.ok(!matchesGlob(Buffer.from("h*o"), bytes, 2, 6));
  assert.ok(matchesGlob(Buffer.from("*xx"), bytes));
});

test("a pattern of many stars takes no exponential time", () => {
  const subject = "a".repeat(20_000);
  const start = performance.now();
  assert.ok(!matches(`${"a*".repeat(1000)}b`, subject));
  assert.ok(matches(`${"a*".repeat(1000)}a`, subject));
  assert.ok(performance.now() - start < 2000);
});

test("KEYS of a real server agrees on random patterns", async () => {
  const seed = seedOfRun();
  const random = new Random(seed, 1);
  const letters = "aAbBzZ[]^\\-*\x80\xff";
  const subjects = [...new Set(Array.from({ length: 300 }, () => random.text(random.between(1, 6), letters)))];
  const patterns = Array.from({ length: 1500 }, () =>
    random.text(random.between(1, 9), "aAbBzZ**??[[[]]^\\--\x80\xff"),
  );
  patterns.push("[", "[^", "[]", "[^]", "[a-", "[z-a]", "[a-]", "[\\]]", "\\", "[\\a-z]", "**", "*[^a]", "[^-z]", "[a");
  const bytes = (text: string) => Buffer.from(text, "latin1");
  const server = await startRedis();
  try {
    const client = await server.client();
    await client.command("MSET", ...subjects.flatMap((subject) => [bytes(subject), "1"]));
    const replies = await client.pipeline(patterns.map((pattern) => ["KEYS", bytes(pattern)]));
    let found = 0;
    for (const [index, pattern] of patterns.entries()) {
      const reply = decode(replies[index]!) as ReadonlyArray<string | Buffer>;
      const theirs = reply.map((key) => Buffer.from(key as string).toString("latin1")).sort();
      const ours = subjects.filter((subject) => matches(pattern, subject)).sort();
      assert.deepEqual(ours, theirs, `seed ${seed}, pattern ${JSON.stringify(pattern)}`);
      found += ours.length;
    }
    assert.ok(found > 1000, `only ${found} matches compared`);
  } finally {
    await server.stop();
  }
});
