/** Commands for whoever wants to see how a HyperLogLog is stored, or to check that the counting is right. */
import type { Arguments } from "../base/arguments.ts";
import { Slice } from "../base/bytes.ts";
import { isDense, makeDense, makeRaw } from "../keyspace/hyperloglogs.ts";
import type { Key } from "../keyspace/key.ts";
import { denseRank, HEADER_SIZE, REGISTERS, runLength, runRank, runSize } from "../structures/hyperloglog.ts";
import { selfTest } from "../structures/hyperloglog-self-test.ts";
import { bytes, key } from "./argument.ts";
import { command } from "./command.ts";
import type { Context } from "./context.ts";
import { CommandError } from "./errors.ts";
import { checkHyperLogLog, DAMAGED_VALUE } from "./hyperloglog-access.ts";

const SELF_TEST_CYCLES = 1000;
const SELF_TEST_ELEMENTS = 10_000_000;

const value = new Slice();

export const PFDEBUG = command({
  name: "PFDEBUG",
  summary: "Shows how a HyperLogLog is stored, or makes it dense.",
  complexity: "N/A",
  since: "2.8.9",
  group: "hyperloglog",
  arity: 3,
  flags: ["write", "denyoom", "admin"],
  replay: "as-is",
  keys: [{ flags: ["RW", "access"], begin: { index: 2 }, find: { last: 0, step: 1, limit: 0 } }],
  isSystemCommand: true,
  args: { subcommand: bytes(), key: key() },
  run(context, parsed, args) {
    const key = context.database.write(args, parsed.key);
    if (!key.found) throw new CommandError("ERR The specified key does not exist");
    checkHyperLogLog(key);
    makeRaw(key);
    const show = viewOf(args, parsed.subcommand);
    if (show === undefined) {
      throw new CommandError(`ERR Unknown PFDEBUG subcommand '${args.shown(parsed.subcommand)}'`);
    }
    show(context, key);
  },
});

type View = (context: Context, key: Key) => void;

const VIEWS: Readonly<Record<string, View>> = {
  DECODE: (context, key) => context.reply.bulkText(runsOf(key)),
  ENCODING: (context, key) => context.reply.simple(isDense(key) ? "dense" : "sparse"),
  GETREG(context, key) {
    convert(key);
    key.readString(value);
    context.reply.array(REGISTERS);
    for (let register = 0; register < REGISTERS; register++) {
      context.reply.integer(denseRank(value.bytes, value.start, register));
    }
  },
  TODENSE: (context, key) => context.reply.integer(convert(key) ? 1 : 0),
};

function viewOf(args: Arguments, index: number): View | undefined {
  const name = Object.keys(VIEWS).find((candidate) => args.is(index, candidate));
  return name === undefined ? undefined : VIEWS[name];
}

/** Makes the value dense. @returns whether it was not. @throws CommandError if it is damaged */
function convert(key: Key): boolean {
  if (isDense(key)) return false;
  if (!makeDense(key)) throw new CommandError(DAMAGED_VALUE);
  return true;
}

/** The runs of a sparse value: "z" and "Z" of zeros, in a byte and in two, and "v" of values. @throws CommandError */
function runsOf(key: Key): string {
  if (isDense(key)) throw new CommandError("ERR HLL encoding is not sparse");
  key.readString(value);
  const end = value.start + value.length;
  const runs: string[] = [];
  for (let at = value.start + HEADER_SIZE; at < end; at += runSize(value.bytes[at]!)) {
    const first = value.bytes[at]!;
    const length = runLength(value.bytes, at, end);
    if (runRank(first) > 0) runs.push(`v:${runRank(first)},${length}`);
    else runs.push(`${runSize(first) === 2 ? "Z" : "z"}:${length}`);
  }
  return runs.join(" ");
}

export const PFSELFTEST = command({
  name: "PFSELFTEST",
  summary: "Checks the registers and the estimates of HyperLogLogs; takes seconds.",
  complexity: "N/A",
  since: "2.8.9",
  group: "hyperloglog",
  arity: 1,
  flags: ["admin"],
  isSystemCommand: true,
  args: {},
  run(context) {
    const sizeMax = context.keyspace.limits.sparseHyperLogLogBytes;
    const fault = selfTest(SELF_TEST_CYCLES, SELF_TEST_ELEMENTS, sizeMax);
    if (fault !== undefined) throw new CommandError(`ERR TESTFAILED ${fault}`);
    context.reply.ok();
  },
});
