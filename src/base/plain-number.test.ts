import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parsePlainNumber } from "./plain-number.ts";

function parse(text: string): number {
  const bytes = Buffer.from(`9${text}9`, "latin1");
  return parsePlainNumber(bytes, 1, bytes.length - 2);
}

test("plain numbers are read as the language reads them", () => {
  const digits = fc.string({ unit: fc.constantFrom(..."0123456789"), minLength: 1, maxLength: 15 });
  const property = fc.property(digits, fc.nat({ max: 15 }), fc.boolean(), (text, place, isNegative) => {
    const whole = `${isNegative ? "-" : ""}${text}`;
    const at = Math.min(whole.length, place + (isNegative ? 1 : 0));
    for (const each of [whole, `${whole.slice(0, at)}.${whole.slice(at)}`]) {
      assert(Object.is(parse(each), Number(each)), each);
    }
  });
  fc.assert(property, { numRuns: 2000 });
});

test("whatever is not plain is left to others", () => {
  const texts = ["", "-", ".", "-.", "1.2.3", "+1", " 1", "1 ", "1e3", "inf", "nan", "0x10", "--1", "1234567890123456"];
  for (const text of texts) assert(Number.isNaN(parse(text)), text);
});
