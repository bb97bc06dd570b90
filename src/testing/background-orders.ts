/** What the worker of background-worker.ts can be told. */

export type Orders =
  | { readonly kind: "echo"; readonly id: number; readonly bytes?: Uint8Array }
  /** Post so many replies, then end, or go on, as told. */
  | { readonly kind: "burst"; readonly replies: number; readonly ending: "throw" | "exit" | "hang" | "wait" }
  | { readonly kind: "work"; readonly ms: number }
  /** Fill the heap. */
  | { readonly kind: "hoard" };

export interface Echo {
  readonly id: number;
  readonly bytes?: Uint8Array | undefined;
}

/** What the worker is started with. */
export interface Setting {
  /** Gates that it waits at, until they are no longer 0. */
  readonly gates?: Int32Array<SharedArrayBuffer>;
  /** `silent` never becomes ready, `late` when the gate IN_HANDLER is open. */
  readonly start?: "throw" | "hang" | "silent" | "late";
}

/** The gate between taking a request and saying so, that in a `wait`, and how many requests have come to the first. */
export const BEFORE_TAKEN = 0;
export const IN_HANDLER = 1;
export const ARRIVED = 2;
