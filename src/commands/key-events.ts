/**
 * What commands tell whoever listens to the keyspace: which class an event belongs to, and the pairs of events that
 * many commands have in common. The names of events, and their order, are Redis's.
 *
 * Only `Key.notify` asks whether anybody listens: where nobody does, an event costs the test of a mask.
 */
import { keyspaceEvents } from "../config/keyspace-events.ts";
import type { Key } from "../keyspace/key.ts";

export const {
  generic: GENERIC_EVENT,
  string: STRING_EVENT,
  list: LIST_EVENT,
  set: SET_EVENT,
  hash: HASH_EVENT,
  sortedSet: SORTED_SET_EVENT,
  newKey: NEW_KEY_EVENT,
} = keyspaceEvents;

/** Tells of elements that were removed, and of the key if it went with the last of them. */
export function notifyRemoval(key: Key, type: number, event: string): void {
  key.notify(type, event);
  if (!key.found) key.notify(GENERIC_EVENT, "del");
}

/**
 * Tells of a result that was stored; one of nothing removes the key.
 * @param existed whether the key was there before
 */
export function notifyStored(key: Key, existed: boolean, type: number, event: string): void {
  if (key.found) key.notify(type, event);
  else if (existed) key.notify(GENERIC_EVENT, "del");
}

/** Tells of a key that took the place of another, which Redis removes first: it is new, whatever was there. */
export function notifyReplaced(key: Key, existed: boolean): void {
  if (existed) key.notify(NEW_KEY_EVENT, "new");
}
