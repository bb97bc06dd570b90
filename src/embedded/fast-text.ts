/**
 * Text in and out of the fast ways of hot calls: values are written to one scratch, and made out of a region's bytes,
 * without the calls into native code that cost more than a short text is long.
 */
import { type Slice, viewOf, withView } from "../base/bytes.ts";
import { SHORT_TEXT_MAX, shortTextIn } from "../base/short-text.ts";

/** UTF-8 needs at most three bytes for a unit of a JavaScript string. */
const UTF8_MAX = 3;
/** The longest text that surely fits into the scratch. */
export const UNITS_MAX = 341;

/** Up to here a loop over the characters beats the call that encoding costs. */
const LOOP_UNITS_MAX = 32;
const ASCII_MAX = 0x7f;

/** What `encode` has written, from its beginning on. */
export const scratch = withView(Buffer.alloc(UNITS_MAX * UTF8_MAX));

/** Encodes `text`, of UNITS_MAX units at the most, as UTF-8 into the scratch. @returns how many bytes it has */
export function encode(text: string): number {
  const { length } = text;
  if (length > LOOP_UNITS_MAX) return scratch.utf8Write(text, 0, scratch.length);
  let all = 0;
  for (let index = 0; index < length; index++) {
    const unit = text.charCodeAt(index);
    all |= unit;
    scratch[index] = unit;
  }
  return all <= ASCII_MAX ? length : scratch.utf8Write(text, 0, scratch.length);
}

/** The text in a slice. */
export function decode({ bytes, start, length }: Slice): string {
  if (length <= SHORT_TEXT_MAX) {
    const view = viewOf(bytes);
    if (view !== undefined && start + SHORT_TEXT_MAX <= bytes.length) {
      const text = shortTextIn(view, start, length);
      if (text !== undefined) return text;
    }
  }
  return bytes.utf8Slice(start, start + length);
}
