/** Publish and subscribe: the methods of a handle that send messages to whoever listens, and listen themselves. */
import type { Message } from "../commands/pubsub-message.ts";
import { type Receiver, Subscriber, type TopicKind } from "../commands/pubsub-registry.ts";
import type { Store } from "../engine/store.ts";
import type { ArgumentValue } from "./argument-writer.ts";
import type { Core } from "./core.ts";
import { ServerMethods } from "./server-methods.ts";

/** Called for each message, with its text and the channel it was sent to. */
export type MessageListener = (message: string, channel: string) => void;
/** As `MessageListener`, with the bytes of the message. */
export type MessageBufferListener = (message: Buffer, channel: string) => void;

export interface SubscribeOptions {
  /**
   * Called if the subscription ends because more waited to be listened to than `client-output-buffer-limit` lets a
   * subscriber have; without it, that is a warning of the process.
   */
  readonly onEnd?: ((error: Error) => void) | undefined;
}

/** Ends a subscription; may be called again. What has been published before is still listened to. */
export type Unsubscribe = () => void;

/** A message that waits for its listener. */
interface Waiting {
  readonly channel: Buffer;
  readonly payload: Buffer;
}

/**
 * One listener's subscription. Messages come in the middle of commands, and a listener may run any: so they wait until
 * what is running has returned. As many as the limit allows: a program that publishes without end and never returns to
 * the event loop would fill the memory otherwise.
 */
class Listening implements Receiver {
  readonly #store: Store;
  readonly #listen: (message: Waiting) => void;
  readonly #onEnd: (error: Error) => void;
  readonly #subscriber = new Subscriber(this);
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #isScheduled = false;

  constructor(store: Store, listen: (message: Waiting) => void, onEnd: (error: Error) => void) {
    this.#store = store;
    this.#listen = listen;
    this.#onEnd = onEnd;
  }

  begin(kind: TopicKind, name: string): void {
    this.#store.services.pubSub.subscribe(kind, name, this.#subscriber);
  }

  end(): void {
    this.#store.services.pubSub.leave(this.#subscriber);
  }

  deliver({ channel, payload }: Message): void {
    const { hardBytes } = this.#store.configuration.get("client-output-buffer-limit").pubsub;
    const bytes = channel.length + payload.length;
    if (hardBytes > 0 && this.#waitingBytes + bytes > hardBytes) {
      // Not now: the registry is walking through its subscribers.
      process.nextTick(() => this.#giveUp());
      return;
    }
    this.#waitingBytes += bytes;
    this.#waiting.push({ channel: channel.copy(), payload: payload.copy() });
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    process.nextTick(() => this.#drain());
  }

  /** A listener that throws is the program's to deal with; the messages behind are not lost by it. */
  #drain(): void {
    const messages = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#isScheduled = false;
    let listened = 0;
    try {
      for (; listened < messages.length; listened++) this.#listen(messages[listened]!);
    } finally {
      const left = messages.slice(listened + 1);
      if (left.length > 0) {
        this.#waiting = [...left, ...this.#waiting];
        this.#waitingBytes = this.#waiting.reduce(
          (sum, { channel, payload }) => sum + channel.length + payload.length,
          0,
        );
        this.#schedule();
      }
    }
  }

  #giveUp(): void {
    if (this.#subscriber.total === 0) return;
    this.end();
    this.#onEnd(new Error("a subscription has ended: too many messages waited to be listened to"));
  }
}

export abstract class PubSubMethods extends ServerMethods {
  readonly #core: Core;

  constructor(core: Core, databaseIndex: number) {
    super(core, databaseIndex);
    this.#core = core;
  }

  /** Sends a message to a channel. @returns how many heard it, connections and listeners together */
  publish(channel: ArgumentValue, message: ArgumentValue): number {
    return this.run("PUBLISH", [channel, message]);
  }

  /** Sends a message to a shard channel. @returns how many heard it */
  spublish(channel: ArgumentValue, message: ArgumentValue): number {
    return this.run("SPUBLISH", [channel, message]);
  }

  /**
   * Calls `listener` for every message to a channel, once the program returns from what it is doing: it may use the
   * store as it likes. Events of keys come this way too: see `notify-keyspace-events`.
   * @returns ends the subscription
   */
  subscribe(channel: string, listener: MessageListener, options: SubscribeOptions = {}): Unsubscribe {
    return this.#begin("channels", channel, textListener(listener), options);
  }

  subscribeBuffer(channel: string, listener: MessageBufferListener, options: SubscribeOptions = {}): Unsubscribe {
    return this.#begin("channels", channel, bufferListener(listener), options);
  }

  /** As `subscribe`, for every channel whose name fits a glob pattern. */
  psubscribe(pattern: string, listener: MessageListener, options: SubscribeOptions = {}): Unsubscribe {
    return this.#begin("patterns", pattern, textListener(listener), options);
  }

  psubscribeBuffer(pattern: string, listener: MessageBufferListener, options: SubscribeOptions = {}): Unsubscribe {
    return this.#begin("patterns", pattern, bufferListener(listener), options);
  }

  /** As `subscribe`, for a shard channel. */
  ssubscribe(channel: string, listener: MessageListener, options: SubscribeOptions = {}): Unsubscribe {
    return this.#begin("shardChannels", channel, textListener(listener), options);
  }

  /** Who listens to what: CHANNELS, NUMSUB, NUMPAT and the rest of PUBSUB. */
  pubsub(subcommand: "NUMPAT"): number;
  pubsub(subcommand: "CHANNELS" | "SHARDCHANNELS", pattern?: string): string[];
  pubsub(subcommand: "NUMSUB" | "SHARDNUMSUB", ...channels: readonly ArgumentValue[]): (string | number)[];
  pubsub(subcommand: "HELP"): string[];
  pubsub(subcommand: string, ...args: readonly (ArgumentValue | undefined)[]): number | (string | number)[] {
    const given = args.filter((arg): arg is ArgumentValue => arg !== undefined);
    return this.run("PUBSUB", [subcommand, ...given]);
  }

  #begin(kind: TopicKind, name: string, listen: (message: Waiting) => void, options: SubscribeOptions): Unsubscribe {
    this.#core.checkOpen();
    const { store } = this.#core;
    const onEnd = options.onEnd ?? ((error: Error) => process.emitWarning(error));
    const listening = new Listening(
      store,
      (message) => {
        if (!this.#core.isClosed) listen(message);
      },
      onEnd,
    );
    listening.begin(kind, Buffer.from(name).toString("latin1"));
    return () => listening.end();
  }
}

function textListener(listener: MessageListener): (message: Waiting) => void {
  if (typeof listener !== "function") throw new TypeError("subscribe: the listener is not a function");
  return ({ channel, payload }) => listener(payload.toString(), channel.toString());
}

function bufferListener(listener: MessageBufferListener): (message: Waiting) => void {
  if (typeof listener !== "function") throw new TypeError("subscribe: the listener is not a function");
  return ({ channel, payload }) => listener(payload, channel.toString());
}
