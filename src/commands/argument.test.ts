import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Arguments } from "../base/arguments.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import { startRedis } from "../testing/servers.ts";
import {
  type Argument,
  ArgumentCursor,
  alone,
  bytes,
  choice,
  deferred,
  double,
  integer,
  integerBetween,
  key,
  named,
  oneOf,
  optional,
  parseDouble,
  pattern,
  prefixed,
  repeated,
  rest,
  since,
  token,
  word,
} from "./argument.ts";
import { CommandError, NOT_A_FLOAT, NOT_AN_INTEGER, SYNTAX_ERROR } from "./errors.ts";

function cursorOn(...words: readonly string[]): ArgumentCursor {
  const args = new Arguments();
  args.reset(Buffer.from(words.join(""), "latin1"));
  let start = 0;
  for (const each of words) {
    args.push(start, each.length);
    start += each.length;
  }
  const cursor = new ArgumentCursor();
  cursor.args = args;
  return cursor;
}

/** What an argument makes of `words`, and how many it takes; or the error's text. */
function outcome<T>(argument: Argument<T>, ...words: readonly string[]): unknown {
  const cursor = cursorOn(...words);
  try {
    const value = argument.parse(cursor);
    return [value, cursor.at];
  } catch (error) {
    assert.ok(error instanceof CommandError);
    return error.message;
  }
}

const OUT_OF_RANGE = "ERR value is out of range";

/** Argument, words, and [value, words taken] or the error's text. */
const CASES: ReadonlyArray<readonly [name: string, argument: Argument<unknown>, words: string[], result: unknown]> = [
  ["key", key(), ["k", "x"], [0, 1]],
  ["key", key(), [], SYNTAX_ERROR],
  ["bytes", bytes(), [""], [0, 1]],
  ["pattern", pattern(), ["*"], [0, 1]],
  ["deferred", deferred("integer"), ["x"], [0, 1]],
  ["integer", integer(), ["-12", "x"], [-12, 1]],
  ["integer", integer(), ["9223372036854775807"], [2n ** 63n - 1n, 1]],
  ["integer", integer(), ["9223372036854775808"], NOT_AN_INTEGER],
  ["integer", integer("ERR other"), ["1.5"], "ERR other"],
  ["integer", integer(), [], SYNTAX_ERROR],
  ["integerBetween", integerBetween(1, 5), ["5"], [5, 1]],
  ["integerBetween", integerBetween(1, 5, OUT_OF_RANGE), ["6"], OUT_OF_RANGE],
  ["integerBetween", integerBetween(1, 5, OUT_OF_RANGE), ["-9223372036854775808"], OUT_OF_RANGE],
  ["integerBetween", integerBetween(1, 5, OUT_OF_RANGE), ["x"], NOT_AN_INTEGER],
  ["double", double(), ["1e2"], [100, 1]],
  ["double", double(), ["nan"], NOT_A_FLOAT],
  ["double", double("ERR other"), ["1e999"], "ERR other"],
  ["optional", optional(integer()), ["7"], [7, 1]],
  ["optional", optional(integer()), [], [undefined, 0]],
  ["optional", optional(integer()), ["x"], NOT_AN_INTEGER],
  ["token", token("GET"), ["get"], [true, 1]],
  ["prefixed", prefixed("COUNT", integer()), ["count", "3", "x"], [3, 2]],
  ["prefixed", prefixed("COUNT", integer()), ["COUNT"], SYNTAX_ERROR],
  ["prefixed", prefixed("COUNT", integer()), ["COUNT", "x"], NOT_AN_INTEGER],
  ["oneOf", oneOf("NX", "XX"), ["xx"], ["XX", 1]],
  ["word", word("LEFT", "RIGHT"), ["Right"], ["RIGHT", 1]],
  ["word", word("LEFT", "RIGHT"), ["up"], SYNTAX_ERROR],
  ["word", word("LEFT", "RIGHT"), [], SYNTAX_ERROR],
  ["choice", choice({ EX: deferred("integer"), KEEPTTL: alone() }), ["ex", "5"], [{ word: "EX", index: 1 }, 2]],
  [
    "choice",
    choice({ EX: deferred("integer"), KEEPTTL: alone() }),
    ["keepttl", "x"],
    [{ word: "KEEPTTL", index: 0 }, 1],
  ],
  ["choice", choice({ EX: deferred("integer"), KEEPTTL: alone() }), ["EX"], SYNTAX_ERROR],
  ["repeated", repeated({ key: key() }), ["a", "b", "c"], [0, 3]],
  ["rest", rest(), ["a", "b"], [0, 2]],
  ["rest", rest(), [], [0, 0]],
  ["named", named("other", integer()), ["1"], [1, 1]],
  ["since", since("7.0.0", integer()), ["1"], [1, 1]],
];

describe("arguments", () => {
  for (const [name, argument, words, result] of CASES) {
    test(`${name}: ${words.join(" ")}`, () => assert.deepEqual(outcome(argument, ...words), result));
  }

  test("options know their words", () => {
    const options = [
      token("A"),
      prefixed("B", integer()),
      oneOf("C", "D"),
      choice({ E: deferred("integer"), F: alone() }),
    ];
    const recognised = (text: string) => options.map((option) => option.matches!(cursorOn(text)));
    for (const [text, index] of Object.entries({ a: 0, B: 1, c: 2, D: 2, e: 3, F: 3 })) {
      assert.deepEqual(
        recognised(text),
        options.map((_, at) => at === index),
      );
    }
    for (const text of ["", "g", "aa"]) assert.ok(!recognised(text).includes(true));
    assert.ok(optional(token("A")).matches!(cursorOn("a")));
  });
});

test("what COMMAND DOCS shows", () => {
  const documents: ReadonlyArray<readonly [argument: Argument<unknown>, document: object]> = [
    [key(), { name: "n", type: "key", keySpecIndex: 0 }],
    [key(1), { name: "n", type: "key", keySpecIndex: 1 }],
    [bytes(), { name: "n", type: "string" }],
    [optional(integer()), { name: "n", type: "integer", flags: ["optional"] }],
    [token("GET"), { name: "n", type: "pure-token", token: "GET", flags: ["optional"] }],
    [prefixed("COUNT", integer()), { name: "n", type: "integer", token: "COUNT", flags: ["optional"] }],
    [repeated({ key: key() }), { name: "n", type: "key", keySpecIndex: 0, flags: ["multiple"] }],
    [since("6.2.0", named("m", double())), { name: "m", type: "double", since: "6.2.0" }],
    [
      repeated({ key: key(), value: bytes() }),
      {
        name: "n",
        type: "block",
        flags: ["multiple"],
        arguments: [
          { name: "key", type: "key", keySpecIndex: 0 },
          { name: "value", type: "string" },
        ],
      },
    ],
    [
      choice({ EX: named("seconds", deferred("integer")), KEEPTTL: alone() }),
      {
        name: "n",
        type: "oneof",
        flags: ["optional"],
        arguments: [
          { name: "seconds", type: "integer", token: "EX" },
          { name: "keepttl", type: "pure-token", token: "KEEPTTL" },
        ],
      },
    ],
  ];
  for (const [argument, document] of documents) assert.deepEqual(argument.document("n"), document);
});

describe("doubles", () => {
  const texts: readonly string[] = [
    ...[
      "0",
      "-0",
      "1",
      "+1",
      "1.",
      ".5",
      "+.5e1",
      "-1.5E-3",
      "007",
      "1e308",
      "-1e308",
      "5e-324",
      "1e-310",
      "0e999",
      "0x0p-9999",
    ],
    ...[
      "0x1p5",
      "0X1.8P1",
      "0x.8",
      "-0x10",
      "0x1p-1074",
      "0x.1p1027",
      `0x1${"0".repeat(200)}p-1600`,
      "inf",
      "INFinity",
      "+inf",
      "-inf",
    ],
    ...[
      "",
      " ",
      ".",
      "-",
      "+",
      "e5",
      "1e",
      "1e+",
      "1 ",
      " 1",
      "1x",
      "0x",
      "0x.",
      "0x1p",
      "nan",
      "-nan",
      "nan(1)",
      "infinit",
      "1_0",
    ],
    ...[
      "1e309",
      "-1e309",
      "1e400",
      "1e-400",
      "-1e-400",
      "0x1p1024",
      "0x1p-2000",
      "1,5",
      "0b1",
      "٣",
      "--1",
      "1.2.3",
      "\x001",
    ],
  ];

  test("are read as redis-server reads them", async (context) => {
    const seed = seedOfRun();
    context.diagnostic(`seed ${seed}`);
    const random = new Random(seed);
    const noise = Array.from({ length: 2000 }, () => random.text(random.between(1, 7), "0123.-+exp"));
    // XX would be an option of ZADD.
    const all = [...texts, ...noise.filter((text) => text !== "xx")];
    const server = await startRedis();
    try {
      const client = await server.client();
      const members = all.map((text, index) => ({ text: Buffer.from(text, "latin1"), index }));
      const added = await client.pipeline(members.map(({ text, index }) => ["ZADD", "z", text, index]));
      const scores = await client.pipeline(members.map(({ index }) => ["ZSCORE", "z", index]));
      for (const { text, index } of members) {
        const ours = parseDouble(text.latin1Slice(0, text.length));
        const theirs = scores[index]!.toString().split("\r\n")[1]!;
        const isRefused = added[index]!.toString().startsWith(`-${NOT_A_FLOAT}`);
        assert.equal(ours === undefined, isRefused, JSON.stringify(all[index]));
        if (ours !== undefined)
          assert.ok(ours === Number(theirs.replace("inf", "Infinity")), `${all[index]} is ${theirs}`);
      }
    } finally {
      await server.stop();
    }
  });

  test("are read back from any decimal form", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        assert.ok(parseDouble(String(value)) === value);
        assert.ok(parseDouble(value.toExponential(20)) === value);
      }),
      { seed: seedOfRun() },
    );
  });
});

test("the cursor takes arguments one by one", () => {
  const cursor = cursorOn("a", "b");
  assert.deepEqual([cursor.isAtEnd, cursor.take(), cursor.take(), cursor.isAtEnd], [false, 0, 1, true]);
  assert.throws(() => cursor.take(), { message: SYNTAX_ERROR });
});
