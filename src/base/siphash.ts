/**
 * HalfSipHash-1-2 with a 32-bit result: the keyed hash of keys and members.
 *
 * Keyed, because keys come from strangers: without the seed nobody can choose keys that collide. The half-width
 * variant, because its 32-bit words are what JavaScript computes natively; one and two rounds, as Redis chose for its
 * own tables.
 * The reference: J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", and its 32-bit variant.
 */

/**
 * @param words what to hash, little-endian, the last word padded with zeros
 * @param length in bytes
 * @param seed0 seed1 the key, 64 bits in two words
 * @returns a signed 32-bit integer
 */
export function halfSipHash(words: Int32Array, length: number, seed0: number, seed1: number): number {
  let v0 = seed0;
  let v1 = seed1;
  let v2 = 0x6c796765 ^ seed0;
  let v3 = 0x74656462 ^ seed1;
  const count = length >>> 2;
  for (let index = 0; index < count; index++) {
    const word = words[index]!;
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  const last = (length << 24) | ((length & 3) === 0 ? 0 : words[count]!);
  v3 ^= last;
  for (let round = 0; round < 3; round++) {
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    if (round === 0) {
      v0 ^= last;
      v2 ^= 0xff;
    }
  }
  return v1 ^ v3;
}

/** The largest ASCII code. */
const ASCII_MAX = 0x7f;

/**
 * The same hash of a text's characters, each a byte, which are written to `staged` on the way: in one pass, because the
 * processor reads the next characters while it still computes the hash of the last.
 * @returns undefined if a character is not ASCII: then its bytes are not what `staged` holds
 */
export function halfSipHashText(text: string, staged: Int32Array, seed0: number, seed1: number): number | undefined {
  const { length } = text;
  const count = length >>> 2;
  let v0 = seed0;
  let v1 = seed1;
  let v2 = 0x6c796765 ^ seed0;
  let v3 = 0x74656462 ^ seed1;
  let all = 0;
  let last = 0;
  for (let index = 0, at = 0; index < count; index++, at += 4) {
    const first = text.charCodeAt(at);
    const second = text.charCodeAt(at + 1);
    const third = text.charCodeAt(at + 2);
    const fourth = text.charCodeAt(at + 3);
    all |= first | second | third | fourth;
    const word = first | (second << 8) | (third << 16) | (fourth << 24);
    staged[index] = word;
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  for (let at = count << 2, shift = 0; at < length; at++, shift += 8) {
    const code = text.charCodeAt(at);
    all |= code;
    last |= code << shift;
  }
  if (all > ASCII_MAX) return undefined;
  if ((length & 3) !== 0) staged[count] = last;
  last |= length << 24;
  v3 ^= last;
  for (let round = 0; round < 3; round++) {
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    if (round === 0) {
      v0 ^= last;
      v2 ^= 0xff;
    }
  }
  return v1 ^ v3;
}
