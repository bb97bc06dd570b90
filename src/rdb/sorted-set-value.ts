/**
 * Sorted sets, as they are saved.
 *
 *     5   SORTED_SET_VALUE           count, members each with its score (8), the highest first
 *     3   SORTED_SET_OF_TEXT_SCORES  the same with scores as text behind its length (1), or fd nan, fe inf, ff -inf:
 *                                    before Redis 4
 *     17  SORTED_SET_LISTPACK        a listpack of members and scores, in order, as a string
 *     12  SORTED_SET_ZIPLIST         a ziplist of them: Redis 2.6 to 6.2
 *
 * Redis believes the order of packed members. It is checked here, because searching relies on it; what is in another
 * order is sorted.
 */
import { EMPTY_BYTES, Slice } from "../base/bytes.ts";
import { parseInt64 } from "../base/int64.ts";
import { copyToBlock } from "../keyspace/block-copy.ts";
import { SetMember } from "../keyspace/set-member.ts";
import { SortedSet } from "../keyspace/sorted-set.ts";
import type { Heap, Ref } from "../memory/heap.ts";
import { LISTPACK, TREE } from "../structures/collection.ts";
import { Listpack } from "../structures/listpack.ts";
import type { Collection, Workplace } from "./collection.ts";
import {
  DamagedValueError,
  EmptyValueError,
  SORTED_SET_LISTPACK,
  SORTED_SET_OF_TEXT_SCORES,
  SORTED_SET_VALUE,
  SORTED_SET_ZIPLIST,
} from "./format.ts";
import { hasSpeltInteger, type Walk, walkDistinct, walkListpack } from "./packed.ts";
import { type RdbReader, StringHolder } from "./reader.ts";
import type { RdbWriter } from "./writer.ts";
import { walkZiplist } from "./ziplist.ts";

/** In the place of a text's length. */
const TEXT_NAN = 253;
const TEXT_INFINITY = 254;
const TEXT_MINUS_INFINITY = 255;

/** What Redis writes for a score; it would read more, and make something of everything. */
const SCORE = /^-?(\d+(\.\d+)?(e[-+]?\d+)?|inf)$/;
/** The longest text that can be one. */
const SCORE_LENGTH_MAX = 64;

const member = new SetMember();
const slice = new Slice();

export function writeSortedSet(writer: RdbWriter, heap: Heap, encoding: number, root: Ref): void {
  if (encoding === LISTPACK) {
    writer.byte(SORTED_SET_LISTPACK);
    writer.string(heap.region.bytes, root, new Listpack(heap).attach(root).byteLength);
    return;
  }
  const set = new SortedSet(heap).attach(encoding, root);
  writer.byte(SORTED_SET_VALUE);
  writer.size(set.count);
  for (let place = set.seek(set.count - 1); place !== 0; place = set.previous()) {
    const { bytes, start, length } = set.read(place, slice);
    writer.string(bytes, start, length);
    writer.double(set.score(place));
  }
}

/** @throws DamagedValueError, or RegionFullError; nothing is left behind then */
export function readSortedSet(reader: RdbReader, type: number, place: Workplace): Collection {
  switch (type) {
    case SORTED_SET_VALUE:
      return readMembers(reader, place, () => reader.double());
    case SORTED_SET_OF_TEXT_SCORES:
      return readMembers(reader, place, () => readTextScore(reader));
    case SORTED_SET_ZIPLIST:
      return readPacked(reader, place, walkZiplist);
    default:
      return readPacked(reader, place, walkListpack);
  }
}

function readMembers(reader: RdbReader, place: Workplace, readScore: () => number): Collection {
  const count = reader.size();
  if (count === 0) throw new EmptyValueError("a sorted set has no members");
  return build(place, count, (set) => {
    for (let left = count; left > 0; left--) {
      reader.string(place.element);
      add(set, place.element, readScore(), place);
    }
  });
}

function readTextScore(reader: RdbReader): number {
  const length = reader.byte();
  if (length === TEXT_NAN) return Number.NaN;
  if (length === TEXT_INFINITY) return Number.POSITIVE_INFINITY;
  if (length === TEXT_MINUS_INFINITY) return Number.NEGATIVE_INFINITY;
  const at = reader.raw(length);
  return scoreIn(reader.buffer, at, length);
}

function readPacked(reader: RdbReader, place: Workplace, walk: Walk): Collection {
  const { heap, limits, element } = place;
  const packed = reader.string(place.packed);
  order.begin();
  let count: number;
  try {
    count = walkDistinct(packed, element, walk, 2, addInOrder);
  } finally {
    order.clear();
  }
  if (count === 0) throw new EmptyValueError("a sorted set has no members");
  if ((count & 1) !== 0) throw new DamagedValueError("a member of a sorted set has no score");
  const isCopied = walk === walkListpack && order.isKept && !hasSpeltInteger(packed);
  if (isCopied && count / 2 <= limits.sortedSetEntries) {
    return { encoding: LISTPACK, root: copyToBlock(heap, packed.bytes, packed.start, packed.length) };
  }
  return buildFromPairs(place, count / 2, walk);
}

/** Of packed members, Redis asks for their number only. */
function buildFromPairs(place: Workplace, count: number, walk: Walk): Collection {
  const { packed, element, second, limits } = place;
  const unlimited = { ...limits, sortedSetValue: Number.POSITIVE_INFINITY };
  return build(place, count, (set) => {
    let isMember = true;
    walk(packed, element, (each) => {
      if (isMember) {
        second.take(each);
      } else {
        member.point(place.staged, second.bytes, second.start, second.length);
        set.add(member, scoreIn(each.bytes, each.start, each.length), unlimited);
      }
      isMember = !isMember;
    });
  });
}

/** Whether members, whose scores follow them, come in the order of a sorted set. */
class Order {
  isKept = true;
  #isMember = true;
  #count = 0;
  #score = 0;
  #previous = new StringHolder();
  #member = new StringHolder();

  begin(): void {
    this.isKept = true;
    this.#isMember = true;
    this.#count = 0;
  }

  /** Lets what was read go. */
  clear(): void {
    this.#previous.set(EMPTY_BYTES, 0, 0);
    this.#member.set(EMPTY_BYTES, 0, 0);
  }

  add(each: StringHolder): void {
    if (this.#isMember) {
      const reused = this.#previous;
      this.#previous = this.#member;
      this.#member = reused;
      this.#member.take(each);
    } else {
      const score = scoreIn(each.bytes, each.start, each.length);
      const isBehind = score > this.#score || (score === this.#score && isLess(this.#previous, this.#member));
      if (this.#count > 0 && !isBehind) this.isKept = false;
      this.#score = score;
      this.#count += 1;
    }
    this.#isMember = !this.#isMember;
  }
}

const order = new Order();
const addInOrder = (each: StringHolder): void => order.add(each);

function isLess(left: Slice, right: Slice): boolean {
  const leftEnd = left.start + left.length;
  return right.bytes.compare(left.bytes, left.start, leftEnd, right.start, right.start + right.length) > 0;
}

/** @throws DamagedValueError unless it is a number */
function scoreIn(bytes: Buffer, start: number, length: number): number {
  const integer = length <= SCORE_LENGTH_MAX ? parseInt64(bytes, start, length) : undefined;
  if (integer !== undefined) return Number(integer);
  const text = length <= SCORE_LENGTH_MAX ? bytes.latin1Slice(start, start + length) : "";
  if (!SCORE.test(text)) throw new DamagedValueError("a score is no number");
  return Number(text.replace("inf", "Infinity"));
}

function build(place: Workplace, count: number, fill: (set: SortedSet) => void): Collection {
  const set = new SortedSet(place.heap).create(count > place.limits.sortedSetEntries ? TREE : LISTPACK);
  try {
    fill(set);
  } catch (error) {
    set.free();
    throw error;
  } finally {
    member.point(place.staged, EMPTY_BYTES, 0, 0);
  }
  return { encoding: set.encoding, root: set.root };
}

function add(set: SortedSet, { bytes, start, length }: StringHolder, score: number, place: Workplace): void {
  if (Number.isNaN(score)) throw new DamagedValueError("a score is no number");
  member.point(place.staged, bytes, start, length);
  if (set.has(member)) throw new DamagedValueError("a member is in a sorted set twice");
  set.add(member, score, place.limits);
}
