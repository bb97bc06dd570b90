import { argumentBytes } from "../testing/resp-frame.ts";
import {
  asDeclared,
  command,
  type Draw,
  exactly,
  type Family,
  often,
  oneOf,
  optional,
  repeated,
  sequence,
  someOf,
} from "./shape.ts";
import { almostInteger, expiry, float, glob, integer, key, value } from "./words.ts";

/** Few members, so that sets meet; some too long for a listpack. */
const member: Draw = (random) => {
  if (random.chance(0.4)) return [random.between(-3, 12)];
  if (random.chance(0.5)) return [random.pick(["a", "b", "c", "d", "aa", "", "01", "-0", " 1", "1.0", "é"])];
  if (random.chance(0.1)) return [random.pick(["x".repeat(64), "x".repeat(65), "9223372036854775807"])];
  return random.chance(0.2) ? value(random) : [random.text(2, "abc")];
};

const SCORES = [
  "inf",
  "-inf",
  "+inf",
  "Infinity",
  "0",
  "-0",
  "1e3",
  "-1.5e-7",
  "1e-320",
  "1e308",
  "1.7976931348623157e308",
  "4611686018427387904",
  "4611686018427387905",
  "9223372036854775807",
  "-9223372036854775808",
  "18446744073709551616",
  "1e17",
  "123456789012345680000",
  "0.1",
  "0.30000000000000004",
  "3.14159265358979",
  "1234567.891",
  "12345.678901",
  "123456789.123456789",
  "2e2",
  "0x1p3",
  "0x1.8",
  "5.",
  ".5",
];
const UNLIKELY = ["nan", "-nan", "1e400", "", " 1", "1 ", "abc", "1,5", "infinit", "(1", "1\u0000", "--1", "."];

const score: Draw = (random) => {
  if (random.chance(0.6)) return [random.between(-5, 10)];
  if (random.chance(0.5)) return [random.pick(SCORES)];
  if (random.chance(0.1)) return [random.pick(UNLIKELY)];
  if (random.chance(0.1)) return float(random);
  return [(random.between(-1e9, 1e9) / 10 ** random.between(0, 12)).toString()];
};

const setKey = oneOf("a", "b", "c", "number:1");
/** Only here are all scores equal, whatever comes: elsewhere it is not determined what a range of bytes finds. */
const byteKey = exactly("float");
const anyKey = oneOf(setKey, setKey, byteKey);
const plainSetKey = oneOf("a", "b", "c", "number:2");
const pair = sequence(score, member);
const pairs = repeated(pair, 1, 6);

const scoreBound: Draw = (random) => {
  if (random.chance(0.3)) return [random.pick(["-inf", "+inf", "(-inf", "(inf", "inf"])];
  if (random.chance(0.08))
    return [random.pick(["", "(", " 1", "( 1", "1 ", "abc", "nan", "(nan", "((1", "1e400", "1\u0000x"])];
  const [number] = score(random);
  return [random.chance(0.3) ? `(${String(number)}` : number!];
};
const byteBound: Draw = (random) => {
  if (random.chance(0.3)) return [random.pick(["-", "+"])];
  if (random.chance(0.06)) return [random.pick(["", "a", "--", "++", "-\u0000x", "+\u0000", "1"])];
  const [bytes] = member(random);
  return [Buffer.concat([Buffer.from(random.pick(["[", "("])), argumentBytes(bytes!)])];
};
const rank = oneOf("0", "-1", "1", "-2", "3", "100", "-100", integer, almostInteger);
const limit = sequence(
  "LIMIT",
  oneOf("0", "1", "2", "-1", "5", "100", integer),
  oneOf("0", "1", "2", "-1", "100", integer),
);
const withScores = optional("WITHSCORES");
const scoreOptions = someOf("WITHSCORES", "WITHSCORES", limit);
const condition = optional(oneOf("NX", "XX", "GT", "LT", "CH", "GT", "LT", "CH"));
const rangeOptions = someOf("REV", "REV", "WITHSCORES", limit, "BYSCORE");

/** The number of keys and the keys; now and then not as many. */
const counted: Draw = (random) => {
  const keys = Array.from({ length: random.between(1, 4) }, () => anyKey(random)).flat();
  const count = random.chance(0.06) ? random.pick([0, -1, keys.length + 1, "abc", keys.length - 1]) : keys.length;
  return [count, ...keys];
};
const countedSets = oneOf(sequence("1", setKey), sequence("2", setKey, setKey), counted);
/** As `counted`, with a weight for each. */
const weighted: Draw = (random) => {
  const keys = Array.from({ length: random.between(1, 4) }, () => anyKey(random)).flat();
  const weights = keys.flatMap(() => score(random));
  return [keys.length, ...keys, "WEIGHTS", ...weights];
};
const aggregate = sequence("AGGREGATE", oneOf("SUM", "MIN", "MAX", "MIN", "MAX", "AVG"));
const combined = sequence(oneOf(counted, weighted), optional(aggregate));
const scanOption = oneOf(
  sequence("MATCH", oneOf(glob, exactly("[0-9]*"), exactly("?"))),
  sequence("COUNT", oneOf("1", "3", "1000", "0", "abc")),
  "NOVALUES",
);

const changes = [
  often(20, command("ZADD", setKey, condition, condition, pairs)),
  often(4, command("ZADD", setKey, someOf("NX", "XX", "GT", "LT", "CH", "INCR"), pair)),
  often(3, command("ZADD", setKey, condition, "INCR", optional(oneOf("GT", "LT", "XX")), pair)),
  often(6, asDeclared(command("ZADD", byteKey, repeated(sequence("0", member), 1, 6)))),
  often(3, command("ZREM", byteKey, repeated(member, 1, 5))),
  often(8, command("ZINCRBY", setKey, score, member)),
  often(8, command("ZREM", setKey, repeated(member, 1, 5))),
  often(2, command("ZREMRANGEBYSCORE", setKey, scoreBound, scoreBound)),
  often(2, command("ZREMRANGEBYLEX", byteKey, byteBound, byteBound)),
  often(2, command("ZREMRANGEBYRANK", setKey, rank, rank)),
  often(3, command("ZPOPMIN", setKey, optional(oneOf("1", "2", "0", "100", "-1", integer)))),
  often(3, command("ZPOPMAX", setKey, optional(oneOf("1", "2", "0", "100", "-1", integer)))),
  often(
    3,
    command("ZMPOP", countedSets, oneOf("MIN", "MAX"), optional(sequence("COUNT", oneOf("1", "2", "100", "0")))),
  ),
  often(4, command("ZUNIONSTORE", setKey, combined)),
  often(4, command("ZINTERSTORE", setKey, combined)),
  often(3, command("ZDIFFSTORE", setKey, counted)),
  often(3, command("ZRANGESTORE", setKey, setKey, rank, rank, optional("REV"))),
  often(3, command("ZRANGESTORE", setKey, setKey, scoreBound, scoreBound, "BYSCORE", someOf("REV", limit))),
  often(2, command("ZRANGESTORE", setKey, byteKey, byteBound, byteBound, "BYLEX", someOf("REV", limit))),
];

const questions = [
  often(4, command("ZSCORE", setKey, member)),
  often(2, command("ZMSCORE", setKey, repeated(member, 1, 4))),
  often(2, command("ZCARD", setKey)),
  often(4, command("ZRANK", setKey, member)),
  often(4, command("ZREVRANK", setKey, member)),
  command("ZRANK", setKey, member, oneOf("WITHSCORE", "FOO")),
  command("ZREVRANK", setKey, member, "WITHSCORE"),
  often(4, command("ZCOUNT", setKey, scoreBound, scoreBound)),
  often(3, command("ZLEXCOUNT", byteKey, byteBound, byteBound)),
  often(8, command("ZRANGE", setKey, exactly("0", "-1"), withScores)),
  often(4, command("ZRANGE", setKey, rank, rank, rangeOptions)),
  often(4, command("ZRANGE", setKey, scoreBound, scoreBound, "BYSCORE", someOf("REV", "WITHSCORES", limit))),
  often(4, command("ZRANGE", byteKey, byteBound, byteBound, "BYLEX", someOf("REV", limit, "WITHSCORES"))),
  often(4, command("ZREVRANGE", setKey, rank, rank, withScores)),
  often(4, command("ZRANGEBYSCORE", setKey, scoreBound, scoreBound, scoreOptions)),
  often(4, command("ZREVRANGEBYSCORE", setKey, scoreBound, scoreBound, scoreOptions)),
  often(3, command("ZRANGEBYLEX", byteKey, byteBound, byteBound, optional(limit))),
  often(3, command("ZREVRANGEBYLEX", byteKey, byteBound, byteBound, optional(limit))),
  often(4, command("ZUNION", combined, withScores)),
  often(4, command("ZINTER", combined, withScores)),
  often(3, command("ZDIFF", counted, withScores)),
  often(3, command("ZINTERCARD", counted, optional(sequence("LIMIT", oneOf("0", "1", "2", "-1", "abc"))))),
  often(4, command("ZRANDMEMBER", setKey, optional(sequence(oneOf("1", "3", "1000", "-5", "0", "abc"), withScores)))),
  often(3, command("ZSCAN", setKey, exactly("0"), optional(scanOption), optional(scanOption))),
  command("ZSCAN", setKey, integer, optional(scanOption)),
  often(4, command("OBJECT ENCODING", anyKey)),
];

const others = [
  often(4, command("SADD", plainSetKey, repeated(member, 1, 5))),
  often(2, command("SREM", plainSetKey, repeated(member, 1, 5))),
  often(3, command("DEL", repeated(oneOf(anyKey, key), 1, 2))),
  often(2, command("SET", oneOf(setKey, key), value)),
  often(2, command("COPY", setKey, setKey, optional("REPLACE"))),
  often(2, command("RENAME", setKey, setKey)),
  command("GET", setKey),
  command("TYPE", setKey),
  command("EXPIRE", setKey, "100000000"),
  command("SET", setKey, value, expiry),
  command("TTL", setKey),
];

function family(name: string, entries: string, valueLength: string): Family {
  return {
    name,
    prologue: [
      ["CONFIG", "SET", "zset-max-listpack-entries", entries],
      ["CONFIG", "SET", "zset-max-listpack-value", valueLength],
    ],
    commands: [...changes, ...questions, ...others],
  };
}

/** Limits that the tests' sets cross, and cross back by being made again; and all of them large. */
export const sortedSets = family("sorted-sets", "8", "40");
export const largeSortedSets = family("large-sorted-sets", "0", "0");
