/**
 * KeyEventPublisher: makes messages of what happens to keys, as `notify-keyspace-events` asks for: to
 * __keyspace@<db>__:<key> the event, then to __keyevent@<db>__:<event> the key.
 *
 * Where no class of events is selected, or neither of the two channels, the keyspace is told that nobody listens, and
 * an event costs it the test of a mask. Events are published in the middle of commands: nobody who receives one runs
 * anything then (pubsub-registry.ts). Owner thread only.
 */
import { copyBytes } from "../base/bytes.ts";
import { Piece } from "../commands/pubsub-message.ts";
import type { PubSub } from "../commands/pubsub-registry.ts";
import type { Configuration } from "../config/configuration.ts";
import { keyspaceEvents } from "../config/keyspace-events.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";

const { keyspace: TO_KEYSPACE, keyevent: TO_KEYEVENT } = keyspaceEvents;

/** Room for a channel's name; one that an unusually long key needed is let go after it. */
const KEPT_BYTES = 4096;

export class KeyEventPublisher {
  readonly #pubSub: PubSub;
  readonly #scratch = Buffer.alloc(KEPT_BYTES);
  #classes = 0;

  constructor(pubSub: PubSub) {
    this.#pubSub = pubSub;
  }

  /** Publishes the keyspace's events from now on. @returns stops following the configuration */
  follow(keyspace: Keyspace, configuration: Configuration): () => void {
    const select = (classes: number): undefined => {
      this.#classes = classes;
      keyspace.eventTypes = (classes & (TO_KEYSPACE | TO_KEYEVENT)) === 0 ? 0 : classes;
    };
    select(configuration.get("notify-keyspace-events"));
    keyspace.onEvent = (_type, event, database, bytes, start, length) => {
      if (!this.#pubSub.isIdle) this.#publish(event, database, new Piece(bytes, start, length));
    };
    return configuration.onChange("notify-keyspace-events", select);
  }

  #publish(event: string, database: number, key: Piece): void {
    const name = new Piece(Buffer.from(event, "latin1"));
    if ((this.#classes & TO_KEYSPACE) !== 0) {
      this.#pubSub.publish(this.#channel(`__keyspace@${database}__:`, key), name);
    }
    if ((this.#classes & TO_KEYEVENT) !== 0) {
      this.#pubSub.publish(this.#channel(`__keyevent@${database}__:`, name), key);
    }
  }

  #channel(prefix: string, { bytes, start, length }: Piece): Piece {
    const size = prefix.length + length;
    const channel = size > KEPT_BYTES ? Buffer.allocUnsafe(size) : this.#scratch;
    channel.latin1Write(prefix, 0, prefix.length);
    copyBytes(bytes, start, channel, prefix.length, length);
    return new Piece(channel, 0, size);
  }
}
