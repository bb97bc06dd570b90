/**
 * What a sum of crc64.ts becomes when zeros follow, without going through them.
 *
 * A zero bit changes the sum by a linear map of its 64 bits: shift it down, and where a one falls out, add the
 * polynomial. Maps are written as what becomes of each single bit; doubling the zeros is applying a map to itself, so
 * any number of them takes as many steps as it has binary digits.
 *
 * What it is for: the sum of a file of which one byte is changed afterwards. With no inversion at either end, the sum
 * of two texts of the same length, added bit by bit, is that of their sums added; and the text of which all but the
 * changed bits are zeros has a sum that is found here.
 */

/** As in crc64.ts, bits reversed. */
const POLYNOMIAL = 0x95ac9329ac4bc9b5n;
const BITS = 64;

/** What becomes of bit k. */
type BitMap = readonly bigint[];

const ONE_BIT: BitMap = Array.from({ length: BITS }, (_, bit) => (bit === 0 ? POLYNOMIAL : 1n << BigInt(bit - 1)));

function apply(map: BitMap, sum: bigint): bigint {
  let result = 0n;
  for (let bit = 0, left = sum; left !== 0n; bit++, left >>= 1n) if ((left & 1n) !== 0n) result ^= map[bit]!;
  return result;
}

/**
 * The sum of a text that ends with one byte that is not zero and `zeros` bytes that are, zeros only before it.
 * @param byte 1 ... 255
 */
export function sumOfLoneByte(byte: number, zeros: number): bigint {
  let map = ONE_BIT;
  let sum = BigInt(byte);
  for (let bits = BigInt(zeros + 1) * 8n; bits !== 0n; bits >>= 1n) {
    if ((bits & 1n) !== 0n) sum = apply(map, sum);
    const once = map;
    map = once.map((to) => apply(once, to));
  }
  return sum;
}
