/**
 * Random members: SPOP and SRANDMEMBER. Every choice is uniform.
 *
 * SPOP chooses, replies, and only then tells what it has done and removes: a reply may turn out too long to be made,
 * and what it would have held must still be there then.
 */
import type { Arguments } from "../base/arguments.ts";
import { Slice } from "../base/bytes.ts";
import { BY_REPLACEMENT } from "../keyspace/cause.ts";
import type { Key } from "../keyspace/key.ts";
import type { MemberSet, Place } from "../keyspace/member-set.ts";
import { keepOnly, removeSet, setOf, takeMember } from "../keyspace/sets.ts";
import { LISTPACK, TABLE } from "../structures/collection.ts";
import { deferred, key, optional, since } from "./argument.ts";
import { command } from "./command.ts";
import type { Context } from "./context.ts";
import { type Effects, ELEMENTS_MAX, NO_EFFECTS, tellRemoved } from "./effects.ts";
import { CommandError } from "./errors.ts";
import { notifyRemoval, SET_EVENT } from "./key-events.ts";
import { ACCESS_KEY, GIVEN_AWAY_KEY } from "./key-specs.ts";
import { checkRepeated, randomCountAt } from "./random-count.ts";
import type { Reply } from "./reply.ts";
import { readSet, replyMember, replyMembers, writeSet } from "./sets-access.ts";

const NOT_POSITIVE = "ERR value is out of range, must be positive";

/** SPOP keeps the rest of a table, instead of taking out the others, from this many popped for each that stays. */
const POPPED_PER_KEPT = 5;
/** An odd number whose multiples lie scattered: 2^32 by the golden ratio. */
const SCATTER = 0x9e3779b1;
/** SRANDMEMBER draws until it has enough different members if there are at least this many for each. */
const MEMBERS_PER_DRAWN = 3;

const name = new Slice();
const member = new Slice();

/** Members that are popped, as effects: SREM of so many at a time, each told as it is popped. */
class Popped {
  isTold = false;
  #effects: Effects = NO_EFFECTS;
  #key = name;
  /** Members to come in all, and in the command that has been begun. */
  #left = 0;
  #leftInCommand = 0;

  /** @param count of the members that will be told, one by one */
  begin(effects: Effects, key: Slice, count: number): void {
    this.isTold = effects.areKept;
    this.#effects = effects;
    this.#key = key;
    this.#left = count;
    this.#leftInCommand = 0;
  }

  add(popped: Slice): void {
    const effects = this.#effects;
    if (this.#leftInCommand === 0) {
      this.#leftInCommand = Math.min(this.#left, ELEMENTS_MAX);
      effects.begin(2 + this.#leftInCommand);
      effects.word("SREM");
      effects.word(this.#key);
    }
    effects.word(popped);
    this.#left -= 1;
    this.#leftInCommand -= 1;
  }
}

const popped = new Popped();

/** Visits `count` members chosen from all of a set, in the set's order: each such choice is equally likely. */
function chooseInOrder(set: MemberSet, count: number, visit: (place: Place) => void): void {
  let left = set.count;
  let wanted = count;
  set.forEach((place) => {
    const isChosen = Math.random() * left < wanted;
    left -= 1;
    if (!isChosen) return;
    wanted -= 1;
    visit(place);
  });
}

/** Different members, by drawing until there are enough: for few out of many. */
function draw(set: MemberSet, count: number): ReadonlySet<Place> {
  const drawn = new Set<Place>();
  while (drawn.size < count) drawn.add(set.sample(Math.random));
  return drawn;
}

/**
 * As `draw`, of however many, beside the heap of JavaScript: what was drawn is kept in a table of its own that is at
 * most half full, by linear probing from a product of the place. Of most of a set they are chosen in its order.
 */
function choose(set: MemberSet, count: number): Int32Array {
  const chosen = new Int32Array(count);
  let found = 0;
  if (count * 2 > set.count) {
    chooseInOrder(set, count, (place) => {
      chosen[found++] = place;
    });
    return chosen;
  }
  const bits = 33 - Math.clz32(count);
  const drawn = new Int32Array(2 ** bits);
  while (found < count) {
    const place = set.sample(Math.random);
    let slot = Math.imul(place, SCATTER) >>> (32 - bits);
    while (drawn[slot] !== 0 && drawn[slot] !== place) slot = (slot + 1) & (drawn.length - 1);
    if (drawn[slot] === place) continue;
    drawn[slot] = place;
    chosen[found++] = place;
  }
  return chosen;
}

export const SPOP = command({
  name: "SPOP",
  summary: "Removes random members from a set and returns them; the set goes with the last.",
  complexity: "O(1) without a count, otherwise O(N) where N is the count.",
  since: "1.0.0",
  group: "set",
  arity: -2,
  flags: ["write", "fast"],
  replay: "rewritten",
  keys: [GIVEN_AWAY_KEY],
  tips: ["nondeterministic_output"],
  history: [["3.2.0", "Takes a count."]],
  args: { key: key(), count: since("3.2.0", optional(deferred("integer"))) },
  run(context, parsed, args) {
    if (parsed.count !== undefined) {
      popSeveral(context, args, parsed.key, parsed.count);
      return;
    }
    const key = writeSet(context, args, parsed.key);
    if (!key.found) {
      context.reply.null();
      return;
    }
    popped.begin(context.effects, args.slice(parsed.key, name), 1);
    popOne(context.reply, key, setOf(key));
    notifyRemoval(key, SET_EVENT, "spop");
  },
});

function popOne(reply: Reply, key: Key, set: MemberSet): void {
  const place = set.sample(Math.random);
  replyMember(reply, set, place);
  tell(set, place);
  takeMember(key, set, place);
}

/** Tells, as an effect, that a member is popped. */
function tell(set: MemberSet, place: Place): void {
  if (popped.isTold) popped.add(set.read(place, member));
}

function popSeveral(context: Context, args: Arguments, index: number, countIndex: number): void {
  const count = args.int64(countIndex);
  if (count === undefined || count < 0) throw new CommandError(NOT_POSITIVE);
  const { reply } = context;
  const key = writeSet(context, args, index);
  if (!key.found || count === 0) {
    reply.set(0);
    return;
  }
  const set = setOf(key);
  const size = set.count;
  reply.set(Math.min(size, Number(count)));
  if (count < size) popped.begin(context.effects, args.slice(index, name), Number(count));
  if (count >= size) {
    replyMembers(reply, set);
    removeSet(key);
    tellRemoved(context, BY_REPLACEMENT, args.slice(index, name));
  } else if (set.encoding !== TABLE) {
    popInOrder(reply, key, set, Number(count));
  } else if ((size - Number(count)) * POPPED_PER_KEPT <= count && canKeep(key, set, Number(count))) {
    popAllBut(reply, key, set, size - Number(count));
  } else {
    popChosen(reply, key, set, Number(count));
  }
  notifyRemoval(key, SET_EVENT, "spop");
}

/** Whether what SPOP leaves of a table may become a listpack. */
function canKeep(key: Key, set: MemberSet, count: number): boolean {
  return set.count - count <= key.keyspace.limits.setListpackEntries;
}

/** Of a small encoding: the last chosen goes first, so that the places of the others stay right. */
function popInOrder(reply: Reply, key: Key, set: MemberSet, count: number): void {
  const chosen: Place[] = [];
  chooseInOrder(set, count, (place) => {
    replyMember(reply, set, place);
    chosen.push(place);
  });
  for (const place of chosen) tell(set, place);
  for (let index = count - 1; index >= 0; index--) takeMember(key, set, chosen[index]!);
}

/** Of a table of which little stays: that is chosen, and made a listpack, as Redis does. */
function popAllBut(reply: Reply, key: Key, set: MemberSet, count: number): void {
  const kept = draw(set, count);
  const others = new Int32Array(set.count - count);
  let found = 0;
  set.forEach((place) => {
    if (kept.has(place)) return;
    replyMember(reply, set, place);
    others[found++] = place;
  });
  for (const place of others) tell(set, place);
  if (keepOnly(key, set, kept)) return;
  for (const place of others) takeMember(key, set, place);
}

/** Of a table: its members stay where they are while others go. */
function popChosen(reply: Reply, key: Key, set: MemberSet, count: number): void {
  const chosen = choose(set, count);
  for (const place of chosen) replyMember(reply, set, place);
  for (const place of chosen) {
    tell(set, place);
    takeMember(key, set, place);
  }
}

export const SRANDMEMBER = command({
  name: "SRANDMEMBER",
  summary: "Returns random members of a set.",
  complexity: "O(1) without a count, otherwise O(N) where N is the count without its sign.",
  since: "1.0.0",
  group: "set",
  arity: -2,
  flags: ["readonly"],
  keys: [ACCESS_KEY],
  tips: ["nondeterministic_output"],
  history: [["2.6.0", "Takes a count."]],
  args: { key: key(), count: since("2.6.0", optional(deferred("integer"))) },
  run(context, parsed, args) {
    const { reply } = context;
    const count = parsed.count === undefined ? undefined : randomCountAt(args, parsed.count);
    const key = readSet(context, args, parsed.key);
    if (count !== undefined) {
      if (!key.found || count === 0) reply.array(0);
      else if (count < 0) replyRepeating(reply, setOf(key), -count);
      else replyDifferent(reply, setOf(key), count);
    } else if (key.found) {
      const set = setOf(key);
      replyMember(reply, set, set.sample(Math.random));
    } else {
      reply.null();
    }
  },
});

/** Members drawn one by one, none of them put aside. */
function replyRepeating(reply: Reply, set: MemberSet, count: number): void {
  checkRepeated(count);
  reply.array(count);
  if (set.encoding !== LISTPACK || count === 1) {
    for (let drawn = 0; drawn < count; drawn++) replyMember(reply, set, set.sample(Math.random));
    return;
  }
  // To seek in a listpack is to walk: its places are found once.
  const places: Place[] = [];
  set.forEach((place) => {
    places.push(place);
  });
  for (let drawn = 0; drawn < count; drawn++) {
    replyMember(reply, set, places[Math.floor(Math.random() * places.length)]!);
  }
}

function replyDifferent(reply: Reply, set: MemberSet, count: number): void {
  const size = set.count;
  reply.array(Math.min(count, size));
  if (count >= size) replyMembers(reply, set);
  else if (set.encoding !== TABLE || count * MEMBERS_PER_DRAWN > size) {
    chooseInOrder(set, count, (place) => replyMember(reply, set, place));
  } else {
    for (const place of draw(set, count)) replyMember(reply, set, place);
  }
}
