/** What the releaser goes by, and which directives change it. docs/lazy-free.md says how the defaults were found. */
import { BY_DELETE, BY_EVICTION, BY_EXPIRY, BY_FLUSH, BY_PAST_DEADLINE, BY_REPLACEMENT, type Cause } from "./cause.ts";

export interface ReleaseLimits {
  /** A value of more blocks is handed over. */
  thresholdBlocks: number;
  /** A value of more bytes is, too, unless it is one block. */
  thresholdBytes: number;
  /** Bytes that may be pending; what would exceed them, beside others, is freed by the owner. */
  maxPendingBytes: number;
}

export const LIMIT_DIRECTIVES = {
  thresholdBlocks: "lazyfree-threshold-blocks",
  thresholdBytes: "lazyfree-threshold-bytes",
  maxPendingBytes: "lazyfree-max-pending-bytes",
} as const satisfies Record<keyof ReleaseLimits, string>;

/** Which directive says whether values that die for this cause may be handed over. UNLINK asks none. */
export const LAZY_DIRECTIVES = [
  [BY_DELETE, "lazyfree-lazy-user-del"],
  [BY_REPLACEMENT, "lazyfree-lazy-server-del"],
  [BY_EXPIRY, "lazyfree-lazy-expire"],
  [BY_PAST_DEADLINE, "lazyfree-lazy-expire"],
  [BY_EVICTION, "lazyfree-lazy-eviction"],
  [BY_FLUSH, "lazyfree-lazy-user-flush"],
] as const satisfies readonly (readonly [Cause, string])[];

export function defaultReleaseLimits(): ReleaseLimits {
  return { thresholdBlocks: 512, thresholdBytes: 2 ** 20, maxPendingBytes: 2 ** 30 };
}
