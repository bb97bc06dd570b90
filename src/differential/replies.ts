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

function keysBefore(before: Exchange | undefined): readonly Reply[] | undefined {
  const asked = before !== undefined && before.command.length === 2 && commandName(before.command) === "KEYS";
  return asked && before.command[1] === "*" ? list(decode(before.reference)) : undefined;
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
