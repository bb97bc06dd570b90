/**
 * Glob-style matching over bytes, with the semantics of Redis's KEYS, SCAN, CONFIG GET and PSUBSCRIBE.
 *
 *     *       any run of bytes                 [abc]   one byte of the set
 *     ?       any one byte                     [a-z]   one byte of the range; its ends may come in either order
 *     \x      x itself                         [^abc]  one byte that is not in the set
 *
 * A pattern is compared in place: no copy, no compiled form. When the bytes behind a star do not fit, only the last
 * star takes one more byte, because an earlier star that took more could not help the part behind the last one. So the
 * worst case is the product of both lengths, where trying every star anew would be exponential.
 *
 * Kept on purpose, since clients can see it: bytes order as signed (0x80 and above lie below 0x00) in a range; case is
 * folded for ASCII letters only, and not for an escaped byte inside brackets; an unterminated bracket ends with the
 * pattern; an empty subject is matched by the empty pattern alone, not even by a star.
 */
const STAR = 0x2a;
const QUESTION = 0x3f;
const BRACKET_OPEN = 0x5b;
const BACKSLASH = 0x5c;
const BRACKET_CLOSE = 0x5d;
const CARET = 0x5e;
const HYPHEN = 0x2d;
const NONE = -1;

/**
 * Whether `pattern` matches the whole of a subject that lies in `bytes`.
 * @param start index of the subject's first byte
 * @param length of the subject, in bytes
 * @param ignoreCase folds ASCII letters
 */
export function matchesGlob(
  pattern: Uint8Array,
  bytes: Uint8Array,
  start = 0,
  length = bytes.length - start,
  ignoreCase = false,
): boolean {
  const end = start + length;
  if (length === 0) return pattern.length === 0;
  let at = start;
  let next = 0;
  let behindStar = NONE;
  let retryAt = NONE;
  while (at < end) {
    if (pattern[next] === STAR) {
      next += 1;
      if (next === pattern.length) return true;
      behindStar = next;
      retryAt = at;
    } else if (next < pattern.length && matchesOne(pattern, next, bytes[at]!, ignoreCase)) {
      next = elementEnd(pattern, next);
      at += 1;
    } else if (behindStar !== NONE) {
      retryAt += 1;
      at = retryAt;
      next = behindStar;
    } else return false;
  }
  while (pattern[next] === STAR) next += 1;
  return next === pattern.length;
}

function matchesOne(pattern: Uint8Array, next: number, byte: number, ignoreCase: boolean): boolean {
  const first = pattern[next]!;
  if (first === QUESTION) return true;
  if (first === BRACKET_OPEN) return matchesSet(pattern, next + 1, byte, ignoreCase);
  const wanted = first === BACKSLASH && next + 1 < pattern.length ? pattern[next + 1]! : first;
  return wanted === byte || (ignoreCase && folded(wanted) === folded(byte));
}

/** Where the pattern goes on behind the element, other than a star, at `next`. */
function elementEnd(pattern: Uint8Array, next: number): number {
  const first = pattern[next]!;
  if (first === BACKSLASH) return Math.min(next + 2, pattern.length);
  if (first !== BRACKET_OPEN) return next + 1;
  next += pattern[next + 1] === CARET ? 2 : 1;
  while (next < pattern.length && pattern[next] !== BRACKET_CLOSE) next = memberEnd(pattern, next);
  return Math.min(next + 1, pattern.length);
}

/** Where the set goes on behind its member at `next`: an escaped byte, a range, or one byte. */
function memberEnd(pattern: Uint8Array, next: number): number {
  const left = pattern.length - next;
  if (pattern[next] === BACKSLASH && left >= 2) return next + 2;
  return left >= 3 && pattern[next + 1] === HYPHEN ? next + 3 : next + 1;
}

function matchesSet(pattern: Uint8Array, next: number, byte: number, ignoreCase: boolean): boolean {
  const negated = pattern[next] === CARET;
  if (negated) next += 1;
  let found = false;
  while (!found && next < pattern.length && pattern[next] !== BRACKET_CLOSE) {
    const end = memberEnd(pattern, next);
    found = matchesMember(pattern, next, end - next, byte, ignoreCase);
    next = end;
  }
  return found !== negated;
}

function matchesMember(pattern: Uint8Array, next: number, size: number, byte: number, ignoreCase: boolean): boolean {
  const first = pattern[next]!;
  if (size === 1) return first === byte || (ignoreCase && folded(first) === folded(byte));
  if (size === 2) return pattern[next + 1] === byte;
  const from = signed(first);
  const to = signed(pattern[next + 2]!);
  const low = Math.min(from, to);
  const high = Math.max(from, to);
  if (!ignoreCase) return low <= signed(byte) && signed(byte) <= high;
  // The ends are put in order before they are folded: [Z-a] is an empty range where case does not count.
  return folded(low) <= folded(signed(byte)) && folded(signed(byte)) <= folded(high);
}

function folded(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
}

function signed(byte: number): number {
  return (byte << 24) >> 24;
}
