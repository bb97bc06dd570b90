import assert from "node:assert/strict";
import { test } from "node:test";
import { CLASS_COUNT, CLASS_SIZES, classOf, SMALL_MAX, SPAN_HEADER_SIZE, SPAN_SIZE } from "./size-classes.ts";

test("every size gets the smallest class that holds it", () => {
  assert.equal(classOf(0), 0);
  for (let size = 1; size <= SMALL_MAX; size++) {
    const index = classOf(size);
    assert(CLASS_SIZES[index]! >= size, `${size} bytes do not fit`);
    assert(index === 0 || CLASS_SIZES[index - 1]! < size, `${size} bytes fit into a smaller class`);
  }
});

test("no more is lost than the opening comment says", () => {
  for (let size = 16; size <= SMALL_MAX; size++) {
    const lost = CLASS_SIZES[classOf(size)]! - size;
    if (size <= 1024) assert(lost <= 15, `${size} bytes lose ${lost}`);
    else assert(lost <= CLASS_SIZES[classOf(size)]! / 5 + 15, `${size} bytes lose ${lost}`);
  }
});

test("classes ascend by multiples of 16, and a span holds at least four blocks of each", () => {
  assert(CLASS_COUNT <= 256, "the page map has 8 bits for a class");
  for (const [index, size] of CLASS_SIZES.entries()) {
    assert.equal(size % 16, 0);
    assert(index === 0 || size > CLASS_SIZES[index - 1]!);
    const blocks = Math.floor((SPAN_SIZE - SPAN_HEADER_SIZE) / size);
    assert(blocks >= 4);
    const left = SPAN_SIZE - SPAN_HEADER_SIZE - blocks * size;
    assert(left < (size <= 1024 ? size : 16 * blocks), `${left} bytes are left behind blocks of ${size}`);
  }
});
