/** The order that SORT brings elements into: by numbers, or by bytes. */
import { Slice } from "../base/bytes.ts";
import { type Compare, sortPartially } from "../base/partial-sort.ts";
import type { Database } from "../keyspace/database.ts";
import { compareBytes } from "../keyspace/score-range.ts";
import { parseDouble } from "./argument.ts";
import { CommandError } from "./errors.ts";
import { SortElements } from "./sort-elements.ts";
import type { SortPattern } from "./sort-pattern.ts";

const NO_NUMBER = "ERR One or more scores can't be converted into double";
/** The least number that a double holds with all its digits; C says "out of range" for those below. */
const NORMAL_MIN = 2 ** -1022;

const element = new Slice();
const other = new Slice();
const weight = new Slice();

export interface Ordering {
  /** What is compared instead of the elements themselves. */
  readonly by: SortPattern | undefined;
  readonly isAlphabetic: boolean;
  readonly isDescending: boolean;
  /** Whether the result is stored: then all bytes count, otherwise those before the first zero, as in C. */
  readonly isStored: boolean;
}

/**
 * The indices of the elements, in order, as far as is needed for those from `first` to `last`.
 * @throws CommandError if something is no number, and has to be
 */
export function orderOf(
  elements: SortElements,
  ordering: Ordering,
  database: Database,
  first: number,
  last: number,
): Int32Array {
  const { by, isDescending } = ordering;
  const indices = Int32Array.from({ length: elements.count }, (_, index) => index);
  const ascending = comparison(elements, ordering, database);
  const compare: Compare = isDescending ? (left, right) => -ascending(left, right) : ascending;
  const isPart = first !== 0 || last !== elements.count - 1;
  // Equal elements are in the order that Redis's sorting leaves them in, which sorts a part only where it looks up.
  if (by !== undefined && isPart) sortPartially(indices, compare, first, last);
  else indices.sort(compare);
  return indices;
}

function comparison(elements: SortElements, ordering: Ordering, database: Database): Compare {
  const { by, isAlphabetic, isStored } = ordering;
  const weights = by === undefined ? elements : weightsOf(elements, by, database);
  const compareAt = (strings: SortElements, compare: typeof compareBytes): Compare => {
    return (left, right) => {
      const { bytes, starts, lengths } = strings;
      return compare(bytes, starts[left]!, lengths[left]!, bytes, starts[right]!, lengths[right]!);
    };
  };
  if (isAlphabetic) {
    const compare = compareAt(weights, isStored ? compareBytes : compareTexts);
    if (by === undefined) return compare;
    return (left, right) => {
      if (!weights.isAbsent(left) && !weights.isAbsent(right)) return compare(left, right);
      return Number(weights.isAbsent(right)) - Number(weights.isAbsent(left));
    };
  }
  const numbers = numbersOf(weights);
  const compare = compareAt(elements, compareBytes);
  return (left, right) => {
    const [one, another] = [numbers[left]!, numbers[right]!];
    if (one !== another) return one > another ? 1 : -1;
    return compare(left, right);
  };
}

/** What the pattern stands for with each element. */
function weightsOf(elements: SortElements, by: SortPattern, database: Database): SortElements {
  const weights = new SortElements();
  for (let index = 0; index < elements.count; index++) {
    if (by.lookUp(database, elements.read(index, element), weight)) weights.add(weight);
    else weights.addAbsent();
  }
  return weights;
}

/** Each as a number; what is absent is 0. @throws CommandError */
function numbersOf(weights: SortElements): Float64Array {
  const numbers = new Float64Array(weights.count);
  for (let index = 0; index < weights.count; index++) {
    if (!weights.isAbsent(index)) numbers[index] = numberOf(weights.read(index, other));
  }
  return numbers;
}

/** A number as C's strtod reads it: behind white space, up to a zero byte; nothing at all is 0. @throws CommandError */
function numberOf(text: Slice): number {
  const digits = text.toLatin1().split("\0", 1)[0]!;
  if (digits === "") return 0;
  const number = parseDouble(digits.replace(/^[ \t-\r]+/, ""));
  const isOutOfRange = number !== 0 && Math.abs(number ?? 0) < NORMAL_MIN;
  if (number === undefined || isOutOfRange) throw new CommandError(NO_NUMBER);
  return number;
}

/** Orders bytes as strcmp does: up to the first zero, or the end, which is as good. */
function compareTexts(
  left: Uint8Array,
  leftStart: number,
  leftLength: number,
  right: Uint8Array,
  rightStart: number,
  rightLength: number,
): number {
  for (let index = 0; ; index++) {
    const one = index < leftLength ? left[leftStart + index]! : 0;
    const another = index < rightLength ? right[rightStart + index]! : 0;
    if (one !== another || one === 0) return one - another;
  }
}
