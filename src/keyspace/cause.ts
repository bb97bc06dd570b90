/**
 * Why a value dies. Redis's settings (lazyfree-lazy-user-del and its kin) tell these cases apart, and so do the
 * statistics and the events that follow from them.
 */
export type Cause = number;

/** DEL, GETDEL: a client wants the key to go. */
export const BY_DELETE: Cause = 0;
/** UNLINK: a client wants it to go in the background, whatever the settings say. */
export const BY_UNLINK: Cause = 1;
/** Another value comes in its place, its last element was removed, its key was given to another value. */
export const BY_REPLACEMENT: Cause = 2;
/** Its deadline has passed. */
export const BY_EXPIRY: Cause = 3;
/** Room had to be made. */
export const BY_EVICTION: Cause = 4;
/** FLUSHDB. */
export const BY_FLUSH: Cause = 5;
/** A command gave it a deadline in the past: no expiry for statistics and events, but one for the settings. */
export const BY_PAST_DEADLINE: Cause = 6;
export const CAUSE_COUNT = 7;
