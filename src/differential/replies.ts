/**
 * When two replies to the same command count as equal: byte for byte, except where the answer cannot be the same on two
 * servers (time left, order of keys, addresses, memory). Each such command has its rule here; all others are exact.
 *
 * Errors are exact under every rule.
 */
import { type Argument, argumentBytes, decode, type Reply } from "../testing/resp-frame.ts";

/** One command with what the server under test and the reference replied. */
export interface Exchange {
  readonly command: readonly Argument[];
  readonly subject: Buffer;
  readonly reference: Buffer;
  /** The exchange on the same connections directly before this one. */
  readonly before?: Exchange | undefined;
}

export type Rule = (exchange: Exchange) => boolean;

/** The name of the command in capitals; with its subcommand, as "CLIENT|LIST", where it has some. */
export function commandName(command: readonly Argument[]): string {
  const name = upperCase(command[0]);
  return CONTAINERS.has(name) && command.length > 1 ? `${name}|${upperCase(command[1])}` : name;
}

/** Whether the replies of an exchange are equal under the rule of its command. */
export function equalReplies(exchange: Exchange): boolean {
  if (exchange.subject.equals(exchange.reference)) return true;
  if (exchange.subject[0] !== exchange.reference[0] || exchange.subject[0] === MINUS) return false;
  return RULES.get(commandName(exchange.command))?.(exchange) ?? false;
}

const MINUS = "-".charCodeAt(0);
const CONTAINERS = new Set(["CLIENT", "COMMAND", "CONFIG", "DEBUG", "LATENCY", "MEMORY", "OBJECT", "SLOWLOG"]);

function upperCase(word: Argument | undefined): string {
  return argumentBytes(word ?? "")
    .toString("latin1")
    .toUpperCase();
}

/** Equal after `view` has taken away what may differ. */
export function sameView(view: (reply: Reply) => unknown): Rule {
  return ({ subject, reference }) => canonical(view(decode(subject))) === canonical(view(decode(reference)));
}

const sameType: Rule = () => true;

/** Numbers at most `tolerance` apart; negative ones are exact, since they are signals. */
function within(tolerance: number): Rule {
  return ({ subject, reference }) => {
    const [left, right] = [Number(decode(subject)), Number(decode(reference))];
    return left >= 0 && right >= 0 && Math.abs(left - right) <= tolerance;
  };
}

const sameElements = sameView((reply) => sorted(list(reply)));
const samePairs = sameView((reply) => sorted(pairs(reply)));

const sameTime: Rule = ({ subject, reference }) => {
  const [left, right] = [list(decode(subject)), list(decode(reference))];
  const microseconds = [left[1], right[1]].every((text) => /^\d{1,6}$/.test(String(text)));
  return left.length === 2 && microseconds && Math.abs(Number(left[0]) - Number(right[0])) <= 2;
};

const RESP_NULL = /^(\$-1|_)\r\n$/;

/** Both null, or both a key: any that exists, where KEYS was asked directly before. */
const anyKey: Rule = ({ subject, reference, before }) => {
  if ([subject, reference].some((reply) => RESP_NULL.test(reply.toString()))) return subject.equals(reference);
  return isSubset([decode(subject)], keysBefore(before));
};

/** A whole scan holds the same keys; a part of one holds none that KEYS did not show directly before. */
const scanPage: Rule = ({ command, subject, reference, before }) => {
  const [left, right] = [list(decode(subject)), list(decode(reference))];
  const whole = [command[1], left[0], right[0]].every((cursor) => cursor === "0");
  if (whole) return canonical(distinct(list(left[1]))) === canonical(distinct(list(right[1])));
  return left.length === 2 && /^\d+$/.test(String(left[0])) && isSubset(list(left[1]), keysBefore(before));
};

/** In the same order where the reference has an intset, which OBJECT ENCODING told directly before. */
const sameMembers: Rule = (exchange) => {
  const { before } = exchange;
  const isIntset = before?.reference.includes("intset") === true && commandName(before.command) === "OBJECT|ENCODING";
  return isIntset ? exchange.subject.equals(exchange.reference) : sameElements(exchange);
};

function keysBefore(before: Exchange | undefined): readonly Reply[] | undefined {
  const asked = before !== undefined && before.command.length === 2 && commandName(before.command) === "KEYS";
  return asked && before.command[1] === "*" ? list(decode(before.reference)) : undefined;
}

/** What a collection holds, fields and values alike, where the command directly before asked for all of it. */
function partsBefore({ command, before }: Exchange): readonly Reply[] | undefined {
  if (before === undefined || canonical(before.command) !== canonical(questionBefore(command))) return undefined;
  return pairs(decode(before.reference)).flat();
}

/** Both null, or one part, or as many: all of them parts that the collection has. */
const anyParts: Rule = (exchange) => {
  const [left, right] = [decode(exchange.subject), decode(exchange.reference)];
  if (!Array.isArray(left) || !Array.isArray(right)) {
    return left !== null && right !== null && isSubset([left], partsBefore(exchange));
  }
  // In RESP3, fields stand together with their values.
  return left.length === right.length && isSubset(left.flat(), partsBefore(exchange));
};

/** A whole walk through a collection finds the same pairs; a part of one nothing that the collection has not. */
const pairsPage: Rule = (exchange) => {
  const [left, right] = [list(decode(exchange.subject)), list(decode(exchange.reference))];
  const whole = [exchange.command[2], left[0], right[0]].every((cursor) => cursor === "0");
  if (whole) return canonical(distinct(pairs(left[1]!))) === canonical(distinct(pairs(right[1]!)));
  return left.length === 2 && /^\d+$/.test(String(left[0])) && isSubset(list(left[1]), partsBefore(exchange));
};

/** As many random members: all of the set, and different ones unless the count is negative. */
const randomMembers: Rule = (exchange) => {
  const left = list(decode(exchange.subject));
  const mayRepeat = String(exchange.command[2]).startsWith("-");
  return anyMembers(exchange) && (mayRepeat || distinct(left).length === left.length);
};

/** Both null, or one member, or as many: all of them of the set. */
const anyMembers: Rule = (exchange) => {
  const [left, right] = [decode(exchange.subject), decode(exchange.reference)];
  if (!Array.isArray(left) || !Array.isArray(right)) {
    return left !== null && right !== null && isSubset([left], membersBefore(exchange));
  }
  return left.length === right.length && isSubset(left, membersBefore(exchange));
};

/** A whole walk through a set finds the same members; a part of one none that the set has not. */
const membersPage: Rule = (exchange) => {
  const [left, right] = [list(decode(exchange.subject)), list(decode(exchange.reference))];
  const isWhole = [exchange.command[2], left[0], right[0]].every((cursor) => cursor === "0");
  if (isWhole) return canonical(distinct(list(left[1]))) === canonical(distinct(list(right[1])));
  return left.length === 2 && /^\d+$/.test(String(left[0])) && isSubset(list(left[1]), membersBefore(exchange));
};

/** Both null, or one member, or as many: all of them, and their scores, of the sorted set. */
const anyScored: Rule = (exchange) => {
  const [left, right] = [decode(exchange.subject), decode(exchange.reference)];
  const known = scoredBefore(exchange);
  if (!Array.isArray(left) || !Array.isArray(right)) {
    return left !== null && right !== null && isSubset([numbersIn(left)], known);
  }
  // In RESP3, members stand together with their scores.
  return left.length === right.length && isSubset(numbersIn(left.flat()) as readonly Reply[], known);
};

/** A whole walk through a sorted set finds the same members and scores; a part of one nothing that it has not. */
const scoredPage: Rule = (exchange) => {
  const [left, right] = [list(decode(exchange.subject)), list(decode(exchange.reference))];
  const [found, wanted] = [numbersIn(left[1]!), numbersIn(right[1]!)];
  const isWhole = [exchange.command[2], left[0], right[0]].every((cursor) => cursor === "0");
  if (isWhole) return canonical(distinct(pairs(found))) === canonical(distinct(pairs(wanted)));
  return left.length === 2 && /^\d+$/.test(String(left[0])) && isSubset(list(found), scoredBefore(exchange));
};

function scoredBefore({ command, before }: Exchange): readonly Reply[] | undefined {
  if (before === undefined || canonical(before.command) !== canonical(questionBefore(command))) return undefined;
  return list(numbersIn(list(decode(before.reference)).flat()));
}

/** The reply with each number that has decimals or an exponent in one form, however many digits it was given with. */
export function numbersIn(reply: Reply): Reply {
  if (Array.isArray(reply)) return reply.map(numbersIn);
  if (typeof reply === "number") return Object.is(reply, -0) ? "-0" : String(reply).replace("Infinity", "inf");
  return typeof reply === "string" && /^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(reply) && /[.e]|\d{16}/.test(reply)
    ? String(Number(reply))
    : reply;
}

function membersBefore({ command, before }: Exchange): readonly Reply[] | undefined {
  if (before === undefined || canonical(before.command) !== canonical(questionBefore(command))) return undefined;
  return list(decode(before.reference));
}

/**
 * What to ask before a command whose reply is a matter of chance, or of the order in a table: then the reply can be
 * checked against everything that it may be taken from.
 */
export function questionBefore(command: readonly Argument[]): readonly Argument[] | undefined {
  switch (commandName(command)) {
    case "RANDOMKEY":
    case "SCAN":
      return ["KEYS", "*"];
    case "HRANDFIELD":
    case "HSCAN":
      return ["HGETALL", command[1] ?? ""];
    case "SRANDMEMBER":
    case "SSCAN":
      return ["SMEMBERS", command[1] ?? ""];
    case "ZRANDMEMBER":
    case "ZSCAN":
      return ["ZRANGE", command[1] ?? "", "0", "-1", "WITHSCORES"];
    case "SMEMBERS":
      return ["OBJECT", "ENCODING", command[1] ?? ""];
    case "OBJECT|ENCODING":
      return ["TYPE", command[2] ?? ""];
    default:
      return undefined;
  }
}

function isSubset(elements: readonly Reply[], whole: readonly Reply[] | undefined): boolean {
  const known = new Set(whole?.map(canonical));
  return whole === undefined || elements.every((element) => known.has(canonical(element)));
}

/** Who is connected: the same fields in the same order, and of these the same values. */
const SAME_CLIENT_FIELDS = new Set([
  "name",
  "flags",
  "db",
  "sub",
  "psub",
  "ssub",
  "multi",
  "cmd",
  "user",
  "redir",
  "resp",
]);

/** The fields of CLIENT LIST and CLIENT INFO, without those of `skipped`. */
export function clientFields(reply: Reply, skipped: readonly string[] = []): string[][] {
  return String(reply)
    .trimEnd()
    .split("\n")
    .map((line) =>
      line.split(" ").flatMap((field) => {
        const name = field.slice(0, field.indexOf("="));
        if (skipped.includes(name)) return [];
        return [SAME_CLIENT_FIELDS.has(name) ? field : name];
      }),
    );
}

/** INFO fields whose values must agree; of the others only the names. */
const SAME_INFO_FIELDS = new Set([
  "redis_mode",
  "role",
  "connected_slaves",
  "loading",
  "maxmemory",
  "maxmemory_human",
  "maxmemory_policy",
  "arch_bits",
  "cluster_enabled",
  "aof_enabled",
  "async_loading",
  "rdb_bgsave_in_progress",
  "tcp_port_set",
  "maxclients",
  "unexpected_error_replies",
  "total_error_replies",
]);

/** The lines of INFO as a set: sections, field names, and values where these must agree. */
export function infoLines(reply: Reply): string[] {
  return String(reply)
    .split("\r\n")
    .filter((line) => line !== "")
    .map((line) => {
      const name = line.split(":")[0]!;
      if (/^db\d+$/.test(name)) return line.replace(/,avg_ttl=.*/, "");
      if (name.startsWith("cmdstat_")) return line.replace(/usec=.*,rejected/, "rejected");
      if (name.startsWith("errorstat_") || SAME_INFO_FIELDS.has(name)) return line;
      return name;
    })
    .sort();
}

/** COMMAND INFO without the orders that mean nothing. */
export function commandEntries(reply: Reply): unknown {
  return list(reply).map((entry) => {
    if (!Array.isArray(entry)) return entry;
    const [name, arity, flags, first, last, step, categories, tips, keySpecifications, subcommands] = entry;
    const inner = commandEntries(subcommands) as readonly unknown[];
    return [
      name,
      arity,
      sorted(list(flags)),
      first,
      last,
      step,
      sorted(list(categories)),
      sorted(list(tips)),
      list(keySpecifications).map((one) => sorted(pairs(one).map(([field, of]) => [field, sortedIfSet(of)]))),
      sorted(inner),
    ];
  });
}

function sortedIfSet(reply: Reply): unknown {
  return reply instanceof Set || (Array.isArray(reply) && reply.every((one) => /^[A-Za-z_]+$/.test(String(one))))
    ? sorted(list(reply))
    : reply;
}

const withoutIdentity = sameView((reply) => pairs(reply).filter(([name]) => name !== "id" && name !== "version"));
const sameEncoding = sameView((reply) => String(reply).match(/encoding:\w+/)?.[0]);

const RULES = new Map<string, Rule>([
  ["TTL", within(2)],
  ["EXPIRETIME", within(2)],
  ["PTTL", within(2000)],
  ["PEXPIRETIME", within(2000)],
  ["OBJECT|IDLETIME", within(2)],
  ["OBJECT|HELP", sameType],
  ["KEYS", sameElements],
  ["RANDOMKEY", anyKey],
  ["SCAN", scanPage],
  ["HGETALL", samePairs],
  ["HKEYS", sameElements],
  ["HVALS", sameElements],
  ["HRANDFIELD", anyParts],
  ["HSCAN", pairsPage],
  ["SMEMBERS", sameMembers],
  ["SINTER", sameElements],
  ["SUNION", sameElements],
  ["SDIFF", sameElements],
  ["SPOP", sameElements],
  ["SRANDMEMBER", randomMembers],
  ["SSCAN", membersPage],
  ["ZRANDMEMBER", anyScored],
  ["ZSCAN", scoredPage],
  ["TIME", sameTime],
  ["LASTSAVE", sameType],
  ["HELLO", withoutIdentity],
  ["CLIENT|ID", sameType],
  ["CLIENT|INFO", sameView((reply) => clientFields(reply))],
  ["CLIENT|LIST", sameView((reply) => clientFields(reply))],
  ["CLIENT|HELP", sameType],
  ["INFO", sameView(infoLines)],
  ["CONFIG|GET", samePairs],
  ["CONFIG|HELP", sameType],
  ["COMMAND", sameType],
  ["COMMAND|COUNT", sameType],
  ["COMMAND|INFO", sameView(commandEntries)],
  ["COMMAND|LIST", sameElements],
  ["COMMAND|HELP", sameType],
  ["DEBUG|OBJECT", sameEncoding],
  ["DEBUG|HELP", sameType],
  ["MEMORY|USAGE", sameType],
  ["MEMORY|STATS", sameType],
  ["MEMORY|DOCTOR", sameType],
  ["MEMORY|HELP", sameType],
  ["SLOWLOG|HELP", sameType],
  ["LATENCY|HISTOGRAM", sameView((reply) => sorted(pairs(reply).map(([name]) => name)))],
  ["LATENCY|DOCTOR", sameType],
  ["LATENCY|HELP", sameType],
  ["LOLWUT", sameType],
]);

export function list(reply: Reply | undefined): readonly Reply[] {
  if (reply instanceof Set) return [...reply];
  return Array.isArray(reply) ? reply : [];
}

/** A map, or the flat list that stands for one in RESP2. */
export function pairs(reply: Reply): readonly (readonly [Reply, Reply])[] {
  if (reply instanceof Map) return [...reply];
  const flat = list(reply);
  return flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1] ?? null] as const] : []));
}

export function sorted(elements: readonly unknown[]): unknown[] {
  return elements
    .map((element) => [canonical(element), element] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, element]) => element);
}

function distinct(elements: readonly unknown[]): string[] {
  return [...new Set(elements.map(canonical))].sort();
}

function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_, part: unknown) => {
      if (typeof part === "bigint") return `${part}n`;
      if (part instanceof Set) return { set: sorted([...part]) };
      return part instanceof Map ? { map: [...part] } : part;
    }) ?? "undefined"
  );
}
