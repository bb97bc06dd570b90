/** What PFSELFTEST checks: that registers keep what they are given, and that estimates are as good as they must be. */
import { DENSE_SIZE, denseRank, placeOf, REGISTERS, rankOf, registerOf } from "./hyperloglog.ts";
import { estimateOf } from "./hyperloglog-estimate.ts";
import { Sketch } from "./hyperloglog-sketch.ts";

/** As far as an estimate may be off, in standard errors: far enough never to be seen by chance. */
const DEVIATIONS_MAX = 6;
const STANDARD_ERROR = 1.04 / Math.sqrt(REGISTERS);
const RANK_MAX = 63;

/**
 * @param cycles how often all registers are raised to random ranks
 * @param elements how many distinct elements are counted; the estimate is compared at every power of ten
 * @param sizeMax bytes of a sparse value at the most
 * @returns what is wrong, or undefined
 */
export function selfTest(cycles: number, elements: number, sizeMax: number): string | undefined {
  return testRegisters(cycles) ?? testEstimates(elements, sizeMax);
}

function testRegisters(cycles: number): string | undefined {
  const sketch = new Sketch();
  const ranks = new Uint8Array(REGISTERS);
  for (let cycle = 0; cycle < cycles; cycle++) {
    sketch.clear();
    sketch.makeDense();
    for (let register = 0; register < REGISTERS; register++) {
      ranks[register] = Math.random() * (RANK_MAX + 1);
      sketch.raise(register, ranks[register]!, 0);
    }
    for (let register = 0; register < REGISTERS; register++) {
      const rank = denseRank(sketch.bytes, 0, register);
      if (rank !== ranks[register]) return `Register ${register} should be ${ranks[register]} but is ${rank}`;
    }
  }
  return undefined;
}

function testEstimates(elements: number, sizeMax: number): string | undefined {
  const dense = new Sketch();
  const sparse = new Sketch();
  const element = Buffer.alloc(8);
  const seed = (Math.random() * 2 ** 32) | 0;
  dense.clear();
  dense.makeDense();
  sparse.clear();
  element.writeInt32LE((Math.random() * 2 ** 32) | 0, 4);
  for (let count = 1, checkpoint = 1; count <= elements; count++) {
    element.writeInt32LE(count ^ seed, 0);
    const place = placeOf(element, 0, element.length);
    dense.raise(registerOf(place), rankOf(place), sizeMax);
    sparse.raise(registerOf(place), rankOf(place), sizeMax);
    if (count < checkpoint) continue;
    checkpoint *= 10;
    if (sparse.isDense && count < sizeMax / 2) return "sparse encoding not used";
    const estimated = Number(estimateOf(dense.bytes, 0, DENSE_SIZE));
    if (estimated !== Number(estimateOf(sparse.bytes, 0, sparse.length))) return "dense/sparse disagree";
    const error = Math.abs(estimated - count);
    if (error > Math.ceil(STANDARD_ERROR * DEVIATIONS_MAX * count)) {
      return `Too big error. card:${count} abserr:${error}`;
    }
  }
  return undefined;
}
