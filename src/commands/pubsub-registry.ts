/**
 * PubSub: who listens to what. One for a store; connections, embedded listeners and the events of keys meet here.
 *
 *     channels, patterns, shardChannels:   name -> those who subscribed to it, in the order in which they did
 *     Subscriber                           the same from the other side: the names that one client subscribed to
 *
 * A message goes to the channel's subscribers, then to those of each pattern that fits, in the order of the patterns.
 * Names are byte strings: a character is a byte. What is kept is as much as clients have subscribed to, never what was
 * published: a receiver that cannot take a message at once bounds what it keeps (server/connection.ts by
 * client-output-buffer-limit).
 *
 * Invariants: a name that nobody subscribes to is not kept; both sides agree; `bytes` is the sum over all names. Owner
 * thread only.
 */
import { matchesGlob } from "../base/glob.ts";
import { Message, type MessageKind, type Piece } from "./pubsub-message.ts";

/** Where messages go. */
export interface Receiver {
  /** Takes a message, whose bytes are borrowed. Called in the middle of commands: it must run none. */
  deliver(message: Message): void;
}

/** What can be subscribed to. */
export type TopicKind = "channels" | "patterns" | "shardChannels";

/**
 * What a subscription takes on the JavaScript heap beside its name, of which there are two copies: entries in both
 * sides' sets, and a topic. Measured; those who share a topic are each charged for it, as if they were alone with it.
 */
const SUBSCRIPTION_BYTES = 360;

/** What one client has subscribed to. */
export class Subscriber {
  /** What its subscriptions take. */
  bytes = 0;
  readonly receiver: Receiver;
  readonly channels = new Set<string>();
  readonly patterns = new Set<string>();
  readonly shardChannels = new Set<string>();

  constructor(receiver: Receiver) {
    this.receiver = receiver;
  }

  /** Subscriptions of all kinds. */
  get total(): number {
    return this.channels.size + this.patterns.size + this.shardChannels.size;
  }

  /** Subscriptions that count together with those of this kind: channels and patterns do, shard channels apart. */
  countBeside(kind: TopicKind): number {
    return kind === "shardChannels" ? this.shardChannels.size : this.channels.size + this.patterns.size;
  }
}

/** Something that is subscribed to. */
class Topic {
  readonly bytes: Buffer;
  readonly subscribers = new Set<Subscriber>();

  constructor(name: string) {
    this.bytes = Buffer.from(name, "latin1");
  }
}

/** Names of one kind, with their subscribers. */
class Topics {
  readonly #topics = new Map<string, Topic>();

  get size(): number {
    return this.#topics.size;
  }

  add(name: string, subscriber: Subscriber): void {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      topic = new Topic(name);
      this.#topics.set(name, topic);
    }
    topic.subscribers.add(subscriber);
  }

  remove(name: string, subscriber: Subscriber): void {
    const topic = this.#topics.get(name);
    topic?.subscribers.delete(subscriber);
    if (topic?.subscribers.size === 0) this.#topics.delete(name);
  }

  /** Subscribers of a name. */
  count(name: string): number {
    return this.#topics.get(name)?.subscribers.size ?? 0;
  }

  find({ bytes, start, length }: Piece): Topic | undefined {
    return this.#topics.size === 0 ? undefined : this.#topics.get(bytes.latin1Slice(start, start + length));
  }

  all(): Iterable<Topic> {
    return this.#topics.values();
  }
}

export class PubSub {
  readonly #topics: Readonly<Record<TopicKind, Topics>> = {
    channels: new Topics(),
    patterns: new Topics(),
    shardChannels: new Topics(),
  };

  /** How many names of this kind somebody subscribes to. */
  size(kind: TopicKind): number {
    return this.#topics[kind].size;
  }

  /** Whether nobody would hear a message to any channel, shard channels aside. */
  get isIdle(): boolean {
    return this.#topics.channels.size === 0 && this.#topics.patterns.size === 0;
  }

  /** Subscribers of one name. */
  count(kind: TopicKind, name: string): number {
    return this.#topics[kind].count(name);
  }

  /** The names of one kind that fit a glob pattern; all without one. */
  names(kind: TopicKind, pattern: Uint8Array | undefined): Buffer[] {
    const names: Buffer[] = [];
    for (const { bytes } of this.#topics[kind].all()) {
      if (pattern === undefined || matchesGlob(pattern, bytes)) names.push(bytes);
    }
    return names;
  }

  /** Idempotent, as is `unsubscribe`. */
  subscribe(kind: TopicKind, name: string, subscriber: Subscriber): void {
    if (subscriber[kind].has(name)) return;
    subscriber[kind].add(name);
    subscriber.bytes += bytesOf(name);
    this.#topics[kind].add(name, subscriber);
  }

  unsubscribe(kind: TopicKind, name: string, subscriber: Subscriber): void {
    if (!subscriber[kind].delete(name)) return;
    subscriber.bytes -= bytesOf(name);
    this.#topics[kind].remove(name, subscriber);
  }

  /** Ends all subscriptions of a client. */
  leave(subscriber: Subscriber): void {
    for (const kind of ["channels", "patterns", "shardChannels"] as const) {
      for (const name of [...subscriber[kind]]) this.unsubscribe(kind, name, subscriber);
    }
  }

  /** @returns how often it was delivered: to one client by each of its subscriptions that fit */
  publish(channel: Piece, payload: Piece): number {
    let delivered = send(this.#topics.channels.find(channel), "message", undefined, channel, payload);
    for (const topic of this.#topics.patterns.all()) {
      if (!matchesGlob(topic.bytes, channel.bytes, channel.start, channel.length)) continue;
      delivered += send(topic, "pmessage", topic.bytes, channel, payload);
    }
    return delivered;
  }

  /** As `publish`, to a shard channel. */
  publishToShard(channel: Piece, payload: Piece): number {
    return send(this.#topics.shardChannels.find(channel), "smessage", undefined, channel, payload);
  }
}

function bytesOf(name: string): number {
  return SUBSCRIPTION_BYTES + 2 * name.length;
}

function send(
  topic: Topic | undefined,
  kind: MessageKind,
  pattern: Buffer | undefined,
  channel: Piece,
  payload: Piece,
): number {
  if (topic === undefined) return 0;
  const message = new Message(kind, pattern, channel, payload);
  for (const { receiver } of topic.subscribers) receiver.deliver(message);
  return topic.subscribers.size;
}
