/**
 * The differences from the reference, redis-server 7.0, that remain on purpose, each with its reason.
 *
 * Whatever is not in this list must be equal under the rules of replies.ts.
 */
import { EARTH_RADIUS } from "../base/geo-distance.ts";
import { decode } from "../testing/resp-frame.ts";
import { clientFields, commandName, type Exchange, infoLines, numbersIn, pairs } from "./replies.ts";

export interface IntendedDifference {
  readonly commands: readonly string[];
  readonly reason: string;
  /** Whether the disagreement of this exchange is the intended one, and no other. */
  readonly covers: (exchange: Exchange) => boolean;
}

/** Whether some entry of the list covers the disagreement. */
export function isIntended(differences: readonly IntendedDifference[], exchange: Exchange): boolean {
  const name = commandName(exchange.command);
  return differences.some(({ commands, covers }) => commands.includes(name) && covers(exchange));
}

/** A client's flags without those that only one side shows. */
const otherFlags = (flags: string): string => flags.replaceAll(/[eTN]/g, "") || "N";

/** Commands that reply with scores. */
const SCORE_COMMANDS = [
  ...["ZADD", "ZDIFF", "ZINCRBY", "ZINTER", "ZMPOP", "ZMSCORE", "ZPOPMAX", "ZPOPMIN", "ZRANGE", "ZRANGEBYSCORE"],
  ...["ZREVRANGE", "ZREVRANGEBYSCORE", "ZSCORE", "ZUNION"],
];

/** A distance has four decimals; coordinates have more. */
const DISTANCE = /(?<=\n)\d+\.\d{4}(?=\r)/g;

const distancesIn = (wire: string): number[] => (wire.match(DISTANCE) ?? []).map(Number);

/** Metres in what distances are counted in. */
const UNITS = [1, 1000, 0.3048, 1609.34];
/** By what part of it two libraries' sines make the sine of half an angle differ: a few last bits. */
const HALF_SINE_ERROR = 2 ** -51;

/**
 * Whether two distances differ by no more than sines do in their last bits: hardly at all, but half the Earth away,
 * where the arc sine is steep, by metres' thousandths and more.
 * @param rounding what they may differ by anyhow
 */
function areNear(ours: number, theirs: number, rounding: number): boolean {
  const gap = Math.abs(ours - theirs) - rounding;
  if (gap <= 0) return true;
  // By the derivative of the arc sine: as much as its argument's error times the tangent of half the angle.
  return UNITS.some((unit) => {
    const diameter = (2 * EARTH_RADIUS) / unit;
    const halfAngle = Math.min(ours, theirs) / diameter;
    return halfAngle <= Math.PI / 2 && gap <= diameter * HALF_SINE_ERROR * Math.tan(halfAngle);
  });
}

const NEW_CLIENT_FIELDS = ["lib-name", "lib-ver"];

export const intendedDifferences: readonly IntendedDifference[] = [
  {
    commands: ["CLIENT|SETINFO", "CLIENT|NO-TOUCH"],
    reason: "Redis 7.2 has these subcommands, the reference not yet",
    covers: ({ reference }) => reference.toString("latin1").startsWith("-ERR unknown subcommand"),
  },
  {
    commands: ["COMMAND|GETKEYS", "COMMAND|GETKEYSANDFLAGS"],
    reason: "Redis 7.2 accepts a command of one word here, and then says what is wrong with it",
    covers: ({ command, reference }) => command.length === 3 && /^-ERR wrong number/.test(reference.toString("latin1")),
  },
  {
    commands: ["HELLO"],
    reason: "Redis 7.2 names the protocol version in its advice how to authenticate",
    covers: ({ subject, reference }) =>
      subject.toString().replace("HELLO <proto> AUTH", "HELLO AUTH") === reference.toString(),
  },
  {
    commands: ["HELLO"],
    reason: "Redis 7.2 reads all options before it authenticates: a syntax error comes before a wrong password",
    covers: ({ subject, reference }) =>
      subject.toString("latin1").startsWith("-ERR Syntax error in HELLO option") &&
      reference.toString().startsWith("-WRONGPASS"),
  },
  {
    commands: ["CLIENT|LIST", "CLIENT|INFO"],
    reason:
      "Redis 7.2 adds the client library's name and version, and the flag T of CLIENT NO-TOUCH; " +
      "its RESET ends CLIENT NO-EVICT, whose flag is e",
    covers: ({ subject, reference }) => {
      const fields = (reply: Buffer) => {
        const text = String(decode(reply)).replaceAll(/flags=([^ ]*)/g, (_, flags) => `flags=${otherFlags(flags)}`);
        return JSON.stringify(clientFields(text, NEW_CLIENT_FIELDS));
      };
      return fields(subject) === fields(reference);
    },
  },
  {
    commands: ["OBJECT|ENCODING"],
    reason: "small sets are listpacks since 7.2; the reference has tables",
    covers: ({ subject, reference, before }) =>
      before?.reference.toString() === "+set\r\n" && subject.includes("listpack") && reference.includes("hashtable"),
  },
  {
    commands: ["OBJECT|ENCODING"],
    reason: "small lists are listpacks since 7.2; in the reference all are quicklists",
    covers: ({ subject, reference, before }) =>
      before?.reference.toString() === "+list\r\n" && subject.includes("listpack") && reference.includes("quicklist"),
  },
  {
    commands: ["LPOS"],
    reason: "Redis 7.2 refuses the one rank that has no positive counterpart; in the reference it overflows",
    covers: ({ command, subject }) =>
      command.some((word) => String(word) === "-9223372036854775808") &&
      subject.toString().startsWith("-ERR value is out of range, value must between -9223372036854775807 and"),
  },
  {
    commands: ["OBJECT|ENCODING"],
    reason: "a sorted set that is given more members at once than a listpack may hold becomes large in 7.2 at once",
    covers: ({ subject, reference, before }) =>
      before?.reference.toString() === "+zset\r\n" && subject.includes("skiplist") && reference.includes("listpack"),
  },
  {
    commands: SCORE_COMMANDS,
    reason: "numbers are shown with the fewest digits since 7.2; the reference shows seventeen",
    covers: ({ subject, reference }) =>
      JSON.stringify(numbersIn(decode(subject))) === JSON.stringify(numbersIn(decode(reference))),
  },
  {
    commands: SCORE_COMMANDS,
    reason:
      "what ZRANGESTORE makes large keeps the sign of a zero, as in 7.2; the reference makes a listpack of it first",
    covers: ({ subject, reference }) => {
      const unsigned = (reply: Buffer) => JSON.stringify(numbersIn(decode(reply))).replaceAll('"-0"', '"0"');
      return unsigned(subject) === unsigned(reference);
    },
  },
  {
    commands: ["GEODIST", "GEOSEARCH", "GEORADIUS", "GEORADIUS_RO", "GEORADIUSBYMEMBER", "GEORADIUSBYMEMBER_RO"],
    reason:
      "now and then the sines of V8 and of the C library differ in the last bit, and a distance in its last digit",
    covers: ({ subject, reference }) => {
      const [left, right] = [subject, reference].map((reply) => reply.toString("latin1"));
      const [ours, theirs] = [distancesIn(left!), distancesIn(right!)];
      const isNear = ours.every((distance, index) => areNear(distance, theirs[index]!, 0.00011));
      return isNear && left!.replaceAll(DISTANCE, "") === right!.replaceAll(DISTANCE, "");
    },
  },
  {
    commands: ["ZSCAN"],
    reason: "a cursor that no server has given out, where one holds a listpack, which comes whole, and one a table",
    covers: ({ command, subject, reference }) => {
      const [ours, theirs] = [subject, reference].map((reply) => {
        const [cursor, elements] = decode(reply) as [unknown, unknown[]];
        return String(cursor) === "0" ? elements.filter((_, index) => index % 2 === 0).map(String) : undefined;
      });
      if (String(command[2]) === "0" || ours === undefined || theirs === undefined) return false;
      const [fewer, more] = ours.length < theirs.length ? [ours, theirs] : [theirs, ours];
      return fewer.every((member) => more.includes(member));
    },
  },
  {
    commands: ["ZSCORE"],
    reason: "the same, of a distance that was stored with all its digits",
    covers: ({ subject, reference }) => {
      const [ours, theirs] = [subject, reference].map((reply) => Number(decode(reply)));
      return !Number.isInteger(ours) && areNear(ours!, theirs!, 0);
    },
  },
  {
    commands: ["ZRANK", "ZREVRANK"],
    reason: "the option WITHSCORE is new in 7.2",
    covers: ({ command, reference }) => command.length > 3 && /^-ERR wrong number/.test(reference.toString("latin1")),
  },
  {
    commands: ["OBJECT|REFCOUNT"],
    reason: "Redis shares one object among equal small integers, but not with what COPY made; here nothing is shared",
    covers: ({ subject, reference }) =>
      [subject, reference].every((reply) => /^:(1|2147483647)\r\n$/.test(String(reply))),
  },
  {
    commands: ["OBJECT|IDLETIME"],
    reason: "Redis's shared small integers have been idle since the server started, not since they were set",
    covers: ({ subject, reference }) => {
      const [ours, theirs] = [Number(decode(subject)), Number(decode(reference))];
      return ours >= 0 && theirs > ours;
    },
  },
  {
    commands: ["CONFIG|GET"],
    reason:
      "all settings: Redis 7.2's and our own too, and each server's own port (scenarios.test.ts compares defaults)",
    covers: ({ command, subject, reference }) => {
      const names = (reply: Buffer) => pairs(decode(reply)).map(([name]) => String(name));
      const ours = new Set(names(subject));
      // A setting for Redis's own tests, which 7.2 hides.
      const theirs = names(reference).filter((name) => name !== "aof-disable-auto-gc");
      return command.some((word) => String(word) === "*") && theirs.every((name) => ours.has(name));
    },
  },
  {
    commands: ["LATENCY|HISTOGRAM"],
    reason: "COMMAND GETKEYS of one word: refused by the reference, run by Redis 7.2 (see above)",
    covers: ({ subject, reference }) => {
      const names = (reply: Buffer) => new Set(pairs(decode(reply)).map(([name]) => String(name)));
      const [ours, theirs] = [names(subject), names(reference)];
      const added = [...ours].filter((name) => !theirs.has(name));
      return [...theirs].every((name) => ours.has(name)) && added.every((name) => name.startsWith("command|getkeys"));
    },
  },
  {
    commands: ["INFO"],
    reason: "INFO may show more than the reference: fields of Redis 7.2, and our own",
    covers: ({ subject, reference }) => {
      // COMMAND GETKEYS of one word: refused by the reference, run by 7.2 (see above).
      const lines = (reply: Buffer) => infoLines(decode(reply)).filter((line) => !line.includes("command|getkeys"));
      const shown = new Set(lines(subject));
      return lines(reference).every((line) => shown.has(line));
    },
  },
];

/** INFO fields of the reference that we do not have, and why. */
export const absentInfoFields: ReadonlySet<string> = new Set([]);

/** Settings of the reference that we do not have, or whose default differs on purpose, and why. */
export const absentSettings: ReadonlySet<string> = new Set([
  // For Redis's own tests; hidden since 7.2.
  "aof-disable-auto-gc",
]);

/** Fields of COMMAND INFO that Redis 7.2 has changed since the reference. */
export const changedCommandFields: ReadonlyMap<string, readonly ("arity" | "flags" | "categories" | "tips")[]> =
  new Map([
    ["client|setname", ["tips"]],
    ["command|getkeys", ["arity"]],
    ["command|getkeysandflags", ["arity"]],
    ["config|resetstat", ["tips"]],
    ["config|rewrite", ["tips"]],
    ["latency|reset", ["tips"]],
    ["msetnx", ["tips"]],
    ["randomkey", ["tips"]],
    ["scan", ["tips"]],
    ["wait", ["flags", "categories"]],
    ["zrank", ["arity"]],
    ["zrevrank", ["arity"]],
  ]);
