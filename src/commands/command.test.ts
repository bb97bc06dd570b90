import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Arguments } from "../base/arguments.ts";
import { seedOfRun } from "../testing/random.ts";
import {
  type ArgumentSchema,
  alone,
  bytes,
  choice,
  deferred,
  integer,
  key,
  oneOf,
  optional,
  prefixed,
  repeated,
  rest,
  token,
} from "./argument.ts";
import { type Command, type CommandDeclaration, command, subcommand } from "./command.ts";
import type { Context } from "./context.ts";
import { CommandError, NOT_AN_INTEGER, SYNTAX_ERROR } from "./errors.ts";

type Outcome = Readonly<Record<string, unknown>> | string;

const FACTS = {
  name: "TRY",
  summary: "Is tried.",
  complexity: "O(1)",
  since: "1.0.0",
  group: "generic",
  arity: -1,
  flags: [],
} as const;

function argumentsOf(words: readonly string[]): Arguments {
  const args = new Arguments();
  args.reset(Buffer.from(words.join(""), "latin1"));
  let start = 0;
  for (const word of words) {
    args.push(start, word.length);
    start += word.length;
  }
  return args;
}

type Declaration = CommandDeclaration<ArgumentSchema, readonly ["fast"]> & { readonly replay?: "as-is" };

/** A command of the schema: what it makes of a command line, call after call. */
function trial(args: ArgumentSchema, declare: (declaration: Declaration) => Command = command) {
  let parsed: Outcome = {};
  const declared = declare({
    ...FACTS,
    flags: ["fast"],
    args,
    run(_context, record) {
      parsed = { ...record };
    },
  });
  return (line: string): Outcome => {
    try {
      declared.execute({} as Context, argumentsOf(line.split(" ")));
      return parsed;
    } catch (error) {
      assert.ok(error instanceof CommandError);
      return error.message;
    }
  };
}

/** As SET has them. */
const options = {
  key: key(),
  value: bytes(),
  condition: oneOf("NX", "XX"),
  get: token("GET"),
  expiration: choice({ EX: deferred("integer"), PX: deferred("integer"), KEEPTTL: alone() }),
  count: prefixed("COUNT", integer()),
};
const plain = { key: 1, value: 2, condition: undefined, get: false, expiration: undefined, count: undefined };

const CASES: ReadonlyArray<readonly [line: string, outcome: Outcome]> = [
  ["TRY k v", plain],
  ["TRY k v NX", { ...plain, condition: "NX" }],
  ["TRY k v nx get", { ...plain, condition: "NX", get: true }],
  ["TRY k v GET xx", { ...plain, condition: "XX", get: true }],
  ["TRY NX GET NX", { ...plain, condition: "NX" }],
  ["TRY k v EX 5", { ...plain, expiration: { word: "EX", index: 4 } }],
  ["TRY k v KEEPTTL", { ...plain, expiration: { word: "KEEPTTL", index: 3 } }],
  [
    "TRY k v COUNT 5 EX 7 GET XX",
    {
      ...plain,
      condition: "XX",
      get: true,
      expiration: { word: "EX", index: 6 },
      count: 5,
    },
  ],
  ["TRY k v EX EX", { ...plain, expiration: { word: "EX", index: 4 } }],
  ["TRY k v NX NX GET GET", { ...plain, condition: "NX", get: true }],
  ["TRY k v EX 5 EX 6", { ...plain, expiration: { word: "EX", index: 6 } }],
  ["TRY k v KEEPTTL KEEPTTL", { ...plain, expiration: { word: "KEEPTTL", index: 4 } }],
  ["TRY k v COUNT 5 COUNT 6", { ...plain, count: 6 }],
  ["TRY k v NX XX", SYNTAX_ERROR],
  ["TRY k v NX GET XX", SYNTAX_ERROR],
  ["TRY k v EX 5 PX 5", SYNTAX_ERROR],
  ["TRY k v EX 5 KEEPTTL", SYNTAX_ERROR],
  ["TRY k v EX", SYNTAX_ERROR],
  ["TRY k v COUNT", SYNTAX_ERROR],
  ["TRY k v COUNT x", NOT_AN_INTEGER],
  ["TRY k v COUNT x NX XX", NOT_AN_INTEGER],
  ["TRY k v NX XX COUNT x", SYNTAX_ERROR],
  ["TRY k v more", SYNTAX_ERROR],
  ["TRY k v NX more", SYNTAX_ERROR],
];

describe("options", () => {
  for (const [line, outcome] of CASES) test(line, () => assert.deepEqual(trial(options)(line), outcome));

  test("no call knows anything of the one before, whatever that was", () => {
    const run = trial(options);
    for (const [before] of CASES) {
      for (const [line, outcome] of CASES) {
        run(before);
        assert.deepEqual(run(line), outcome, `${line}, behind ${before}`);
      }
    }
  });

  test("nor in any sequence of calls", () => {
    const run = trial(options);
    const sequence = fc.array(fc.constantFrom(...CASES), { maxLength: 12 });
    fc.assert(
      fc.property(sequence, (calls) => {
        for (const [line, outcome] of calls) assert.deepEqual(run(line), outcome, line);
      }),
      { seed: seedOfRun() },
    );
  });

  test("a handler that fails leaves nothing behind", () => {
    const seen: unknown[] = [];
    const declared = command({
      ...FACTS,
      args: options,
      run(_context, parsed) {
        seen.push(parsed.condition);
        if (parsed.condition !== undefined) throw new CommandError(SYNTAX_ERROR);
      },
    });
    assert.throws(() => declared.execute({} as Context, argumentsOf(["TRY", "k", "v", "NX"])), CommandError);
    declared.execute({} as Context, argumentsOf(["TRY", "k", "v"]));
    assert.deepEqual(seen, ["NX", undefined]);
  });
});

test("arguments at their place stand before options", () => {
  const run = trial({ key: key(), amount: integer(), get: token("GET") });
  assert.deepEqual(run("TRY k 5 GET"), { key: 1, amount: 5, get: true });
  assert.deepEqual(run("TRY k 6"), { key: 1, amount: 6, get: false });
  assert.equal(run("TRY k GET 5"), NOT_AN_INTEGER);
  assert.equal(run("TRY k"), SYNTAX_ERROR);
  assert.equal(run("TRY k 5 6"), SYNTAX_ERROR);
});

test("optional, repeated and remaining arguments", () => {
  const message = trial({ message: optional(bytes()) });
  assert.deepEqual(message("TRY"), { message: undefined });
  assert.deepEqual(message("TRY x"), { message: 1 });
  assert.deepEqual(message("TRY"), { message: undefined });
  assert.equal(message("TRY x y"), SYNTAX_ERROR);
  const keys = trial({ first: key(), others: repeated({ key: key() }) });
  assert.deepEqual(keys("TRY a b c"), { first: 1, others: 2 });
  const remaining = trial({ first: key(), options: rest() });
  assert.deepEqual(remaining("TRY a"), { first: 1, options: 2 });
  assert.deepEqual(remaining("TRY a b c"), { first: 1, options: 2 });
});

test("commands without arguments refuse any", () => {
  const run = trial({});
  assert.deepEqual(run("TRY"), {});
  assert.equal(run("TRY x"), SYNTAX_ERROR);
});

test("a subcommand's arguments stand behind its own name", () => {
  const run = trial({ key: key(), get: token("GET") }, (declaration) => subcommand("PARENT", declaration));
  assert.deepEqual(run("PARENT TRY k GET"), { key: 2, get: true });
});

test("what is known of a command follows from its declaration", () => {
  const run = () => undefined;
  const inner = subcommand("TRY", { ...FACTS, name: "INNER", args: {}, run });
  const write = command({
    ...FACTS,
    flags: ["write", "denyoom"],
    replay: "rewritten",
    args: { key: key() },
    subcommands: [inner],
    run,
  });
  const fast = command({ ...FACTS, flags: ["fast", "no_auth"], args: {}, run });
  assert.deepEqual([write.fullName, inner.fullName], ["try", "try|inner"]);
  assert.deepEqual([write.isWrite, write.deniesOutOfMemory, write.isFast], [true, true, false]);
  assert.deepEqual([write.mayChange, write.isRewritten], [true, true]);
  assert.deepEqual([inner.mayChange, inner.isRewritten], [false, false]);
  assert.deepEqual([fast.isWrite, fast.deniesOutOfMemory, fast.isFast], [false, false, true]);
  assert.deepEqual(write.subcommands, [inner]);
  assert.equal(new Set([inner.id, write.id, fast.id]).size, 3);
});
