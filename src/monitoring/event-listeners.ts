/**
 * EventListeners: who wants to be told of one kind of event, in the order in which they came.
 *
 * A listener belongs to the program, and what it throws is the program's affair: it does not reach whoever tells, in
 * the middle of its work, but is thrown again as soon as that is done.
 */
export class EventListeners<Event> {
  /** Replaced, never changed: somebody may be added or removed while all are being told. */
  #listeners: readonly { readonly listener: (event: Event) => void; readonly isOnce: boolean }[] = [];

  get size(): number {
    return this.#listeners.length;
  }

  /** Tells `listener` from now on, as often as it was added; or of the next event only. */
  add(listener: (event: Event) => void, isOnce = false): void {
    this.#listeners = [...this.#listeners, { listener, isOnce }];
  }

  /** Ends what the last `add` of the listener began; if there was none, nothing. */
  remove(listener: (event: Event) => void): void {
    const index = this.#listeners.findLastIndex((added) => added.listener === listener);
    if (index >= 0) this.#listeners = this.#listeners.filter((_, other) => other !== index);
  }

  /** Tells everybody. */
  tell(event: Event): void {
    const told = this.#listeners;
    if (told.some(({ isOnce }) => isOnce)) this.#listeners = told.filter(({ isOnce }) => !isOnce);
    for (const { listener } of told) {
      try {
        listener(event);
      } catch (error) {
        process.nextTick(() => {
          throw error;
        });
      }
    }
  }
}
