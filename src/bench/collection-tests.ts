/** What the benchmark of collections asks the servers to do: the collections, the tests, what each leaves behind. */
import { protocolCommands } from "./redis-tools.ts";

/** A collection under the key that redis-benchmark uses for its type. */
export interface Collection {
  readonly key: string;
  readonly add: string;
  readonly count: string;
  /** The words that add element number `i`. */
  element(i: number): readonly string[];
}

export interface CollectionTest {
  readonly name: string;
  readonly collection: Collection;
  /** A test of redis-benchmark's own where it has one. Those of LRANGE append to the list first: we spell them out. */
  readonly load: string | readonly string[];
  readonly depths: readonly number[];
  /** Elements that the collection has before a load: at least as many as are taken out of it. */
  before(requests: number): number;
  /** The least and the most that it has afterwards. */
  after(requests: number): readonly [least: number, most: number];
  /** Whether loads change which elements there are, so that it is filled anew before each of them. */
  readonly changes: boolean;
  /** How many different numbers `__rand_int__` gives; as many as there are elements if it is not told. */
  readonly range?: number;
  /** Questions that both servers must answer alike before the loads. */
  readonly questions: readonly string[];
}

export const DEPTHS = [1, 16, 100];
export const VALUE_BYTES = 16;
const FIELDS = 100; // of the small hash that is read as a whole
const FIELD_VALUE_BYTES = 10;
const SADD_RANGE = 1_000_000;
const PER_COMMAND = 100;
const SAMPLE = 100;

const LIST: Collection = { key: "mylist", add: "RPUSH", count: "LLEN", element: (i) => [value(i, VALUE_BYTES)] };
const SET: Collection = { key: "myset", add: "SADD", count: "SCARD", element: (i) => [member(i)] };
const HASH: Collection = {
  key: "myhash",
  add: "HSET",
  count: "HLEN",
  element: (i) => [member(i), value(i, VALUE_BYTES)],
};
const SMALL_HASH: Collection = { ...HASH, key: "smallhash", element: (i) => [member(i), value(i, FIELD_VALUE_BYTES)] };
const SORTED_SET: Collection = {
  key: "myzset",
  add: "ZADD",
  count: "ZCARD",
  element: (i) => [String((i * 7_919) % 100_000), member(i)], // a prime, so that scores come in no order
};

/** The member that redis-benchmark makes of a random number. */
function member(i: number): string {
  return `element:${String(i).padStart(12, "0")}`;
}

function value(i: number, bytes: number): string {
  return String(i).padEnd(bytes, ".");
}

/** Tests of collections of `elements`, which is at most 100,000. */
export function collectionTests(elements: number): CollectionTest[] {
  const steady = (): number => elements;
  const exactly = (count: number): readonly [number, number] => [count, count];
  const of = (collection: Collection, questions: readonly string[]) => ({ collection, questions, depths: DEPTHS });
  /** Reads and overwrites: the same elements before and after. */
  const keeps = { before: steady, after: () => exactly(elements), changes: false };
  const pushes = { before: steady, after: (requests: number) => exactly(elements + requests), changes: true };
  const pops = { before: (requests: number) => elements + requests, after: () => exactly(elements), changes: true };
  /** From nothing, by random members: of those that came twice, one is left. */
  const after = (requests: number): readonly [number, number] => [1, Math.min(requests, SADD_RANGE)];
  const builds = { before: () => 0, after, changes: true, range: SADD_RANGE };
  const list = of(LIST, ["LRANGE mylist 0 99", "LINDEX mylist -1"]);
  const set = of(SET, sample("SISMEMBER myset"));
  const hash = of(HASH, sample("HGET myhash"));
  const sorted = of(SORTED_SET, [...sample("ZRANK myzset"), "ZRANGEBYSCORE myzset 500 +inf WITHSCORES LIMIT 0 100"]);
  const range = (last: number) => ["lrange", LIST.key, "0", String(last)];
  const byScore = ["zrangebyscore", "myzset", "__rand_int__", "+inf", "limit", "0", "10"];
  return [
    { name: "LPUSH", load: "lpush", ...list, ...pushes },
    { name: "RPUSH", load: "rpush", ...list, ...pushes },
    { name: "LPOP", load: "lpop", ...list, ...pops },
    { name: "LRANGE_100", load: range(99), ...list, ...keeps, depths: [1] },
    { name: "LRANGE_600", load: range(599), ...list, ...keeps, depths: [1] },
    { name: "SADD", load: "sadd", ...set, ...builds, questions: [] },
    { name: "SPOP", load: "spop", ...set, ...pops },
    { name: "HSET", load: "hset", ...hash, ...keeps },
    { name: "HGET", load: ["hget", "myhash", "element:__rand_int__"], ...hash, ...keeps },
    {
      name: "HGETALL_100",
      load: ["hgetall", SMALL_HASH.key],
      ...of(SMALL_HASH, ["HGETALL smallhash"]),
      depths: [1],
      before: () => FIELDS,
      after: () => exactly(FIELDS),
      changes: false,
    },
    { name: "ZADD", load: "zadd", ...sorted, ...keeps },
    { name: "ZRANK", load: ["zrank", "myzset", "element:__rand_int__"], ...sorted, ...keeps },
    { name: "ZRANGEBYSCORE_10", load: byScore, ...sorted, ...keeps },
    { name: "ZPOPMIN", load: "zpopmin", ...sorted, ...pops },
  ];
}

function sample(command: string): string[] {
  return Array.from({ length: SAMPLE }, (_, i) => `${command} ${member(i)}`);
}

/** The commands, in protocol form and counted, that give an empty collection `elements` of them. */
export function filling({ key, add, element }: Collection, elements: number): [count: number, text: Iterable<string>] {
  const count = Math.ceil(elements / PER_COMMAND);
  const words = (command: number): string[] => {
    const text = [add, key];
    const end = Math.min((command + 1) * PER_COMMAND, elements);
    for (let i = command * PER_COMMAND; i < end; i += 1) text.push(...element(i));
    return text;
  };
  return [count, protocolCommands(count, words)];
}
