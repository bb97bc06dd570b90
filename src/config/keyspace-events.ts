/** The classes of keyspace notifications: one bit each, and the letter that selects it. */
export const keyspaceEvents = {
  /** Messages to __keyspace@<db>__:<key>. */
  keyspace: 1 << 0,
  /** Messages to __keyevent@<db>__:<event>. */
  keyevent: 1 << 1,
  generic: 1 << 2,
  string: 1 << 3,
  list: 1 << 4,
  set: 1 << 5,
  hash: 1 << 6,
  sortedSet: 1 << 7,
  expired: 1 << 8,
  evicted: 1 << 9,
  stream: 1 << 10,
  module: 1 << 11,
  newKey: 1 << 12,
  keyMiss: 1 << 13,
} as const;

/** In the order in which they are shown. */
const LETTERS: ReadonlyArray<readonly [letter: string, bit: number]> = [
  ["g", keyspaceEvents.generic],
  ["$", keyspaceEvents.string],
  ["l", keyspaceEvents.list],
  ["s", keyspaceEvents.set],
  ["h", keyspaceEvents.hash],
  ["z", keyspaceEvents.sortedSet],
  ["x", keyspaceEvents.expired],
  ["e", keyspaceEvents.evicted],
  ["t", keyspaceEvents.stream],
  ["d", keyspaceEvents.module],
  ["n", keyspaceEvents.newKey],
  ["K", keyspaceEvents.keyspace],
  ["E", keyspaceEvents.keyevent],
  ["m", keyspaceEvents.keyMiss],
];

/** The classes "A" stands for: all but new keys, key misses, and the two that choose a channel. */
const ALL_LETTERS = "g$lshzxetd";
const ALL = bitsOf(ALL_LETTERS);

/** The set of classes that letters select, or undefined when one of them selects none. */
export function parseKeyspaceEvents(letters: string): number | undefined {
  let flags = 0;
  for (const letter of letters) {
    const bits = letter === "A" ? ALL : bitsOf(letter);
    if (bits === 0) return undefined;
    flags |= bits;
  }
  return flags;
}

/**
 * The letters that select these classes. Unlike Redis, which forgets "n" beside "A", every class is shown, so that a
 * rewritten configuration file means the same as before.
 */
export function formatKeyspaceEvents(flags: number): string {
  const all = (flags & ALL) === ALL;
  const shown = LETTERS.filter(([letter, bit]) => (flags & bit) !== 0 && !(all && ALL_LETTERS.includes(letter)));
  return (all ? "A" : "") + shown.map(([letter]) => letter).join("");
}

function bitsOf(letters: string): number {
  return LETTERS.reduce((bits, [letter, bit]) => (letters.includes(letter) ? bits | bit : bits), 0);
}
