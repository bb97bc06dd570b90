/**
 * LiveReader: a region as it is, read as a frozen one is: what a FreezeReader does without a freeze.
 *
 * For the region's owner only, and for the length of one synchronous call: nothing writes meanwhile, so nothing has to
 * be copied, and it does not matter whether a freeze for somebody else is active.
 */
import { copyBytes } from "../base/bytes.ts";
import { FreezeReader } from "./freeze-reader.ts";
import type { FrozenRegion, Region } from "./region.ts";

/** The region in the form in which readers are given one. */
export function liveRegion(region: Region): FrozenRegion {
  return { buffer: region.buffer, control: new SharedArrayBuffer(0), shadow: new SharedArrayBuffer(0), epoch: 0 };
}

export class LiveReader extends FreezeReader {
  protected override fetch(at: number, length: number, target: Buffer, targetStart: number): void {
    copyBytes(this.live, at, target, targetStart, length);
  }
}
