/**
 * Core: what all handles of one embedded store share: the store, the way from arguments to bytes, the way from replies
 * to values, and the end. One thread, one call at a time, so one writer and one reply serve them all.
 */
import { CommandError } from "../commands/errors.ts";
import { ClientContext } from "../engine/client-context.ts";
import type { Store } from "../engine/store.ts";
import type { EventListeners } from "../monitoring/event-listeners.ts";
import { type ArgumentValue, ArgumentWriter, describe } from "./argument-writer.ts";
import { errorsOf, type StoreEvents } from "./events.ts";
import { type ReplyValue, ValueReply } from "./value-reply.ts";

/** Where commands from within the process come from, as MONITOR, SLOWLOG and CLIENT LIST show it. */
export const EMBEDDED = { address: "embedded", localAddress: "embedded", fileDescriptor: -1, isEmbedded: true };

/** Replies that a call cannot give, and what to do instead. */
const IMPOSSIBLE: Readonly<Record<string, string>> = {
  MONITOR: "shows its lines to connections only: use a client with connector() or listen()",
  "CLIENT REPLY": "is for connections: a call always has its reply",
};

/** The store, or the handle's store, has been closed: by `close()`. */
export class StoreClosedError extends Error {
  override readonly name = "StoreClosedError";
  readonly code = "STORE_CLOSED";

  constructor() {
    super("the store is closed");
  }
}

export class Core {
  readonly store: Store;
  isClosed = false;
  readonly #writer = new ArgumentWriter();
  readonly #reply = new ValueReply();

  readonly #errors: EventListeners<StoreEvents["error"]>;

  constructor(store: Store) {
    this.store = store;
    this.#errors = errorsOf(store);
  }

  /**
   * Those who listen to one kind of event.
   * @throws TypeError for another name, or if `listener` is no function
   */
  listenersTo<Name extends keyof StoreEvents>(name: Name, listener: unknown): EventListeners<StoreEvents[Name]> {
    if (typeof listener !== "function") throw new TypeError(`listener: ${describe(listener)}, not a function`);
    const all: { readonly [Each in keyof StoreEvents]: EventListeners<StoreEvents[Each]> } = {
      metric: this.store.metrics.listeners,
      error: this.#errors,
    };
    if (!Object.hasOwn(all, name)) throw new TypeError(`${String(name)}: no such event; there are metric, error`);
    return all[name];
  }

  /** The state of another handle: it begins in database `index`. @throws RangeError if there is no such database */
  newContext(index: number): ClientContext {
    const { services, keyspace, clients } = this.store;
    const database = keyspace.databases[index];
    if (database === undefined) throw new RangeError(`database ${index}: there are ${keyspace.databases.length}`);
    const context = new ClientContext(clients.nextId(), EMBEDDED, services, this.#reply, true);
    context.database = database;
    context.session.databaseIndex = index;
    context.session.protocol = 3;
    return context;
  }

  /**
   * Executes one command and returns its reply.
   * @throws CommandError if that is an error, or comes later; TypeError for wrong types of arguments; Error once closed
   */
  execute(
    context: ClientContext,
    name: string,
    values: readonly ArgumentValue[],
    asBuffers: boolean,
  ): ReplyValue<Buffer> {
    this.#run(context, name, values, asBuffers);
    const { pending } = context;
    if (pending === undefined) return this.#take();
    context.pending = undefined;
    // It goes on, and nobody hears how it ends: as if a client had sent it and left.
    pending.catch(() => undefined);
    throw new CommandError(`ERR the reply to '${context.session.lastCommand}' comes later: use callAsync`);
  }

  /** As `execute`, also for commands whose reply comes later. */
  async executeAsync(
    context: ClientContext,
    name: string,
    values: readonly ArgumentValue[],
  ): Promise<ReplyValue<Buffer>> {
    this.#run(context, name, values, false);
    const { pending } = context;
    if (pending !== undefined) {
      context.pending = undefined;
      const write = await pending;
      this.#reply.reset(false);
      write(this.#reply);
    }
    return this.#take();
  }

  /** @throws StoreClosedError */
  checkOpen(): void {
    if (this.isClosed) throw new StoreClosedError();
  }

  /** The reply. @throws CommandError if it is an error */
  #take(): ReplyValue<Buffer> {
    const value = this.#reply.take();
    if (!(value instanceof CommandError)) return value;
    // Made deep inside, where a stack shows nothing of who called.
    Error.captureStackTrace(value);
    throw value;
  }

  #run(context: ClientContext, name: string, values: readonly ArgumentValue[], asBuffers: boolean): void {
    this.checkOpen();
    const { session, keyspace } = context;
    const args = this.#writer.write(name, values);
    this.#reply.reset(asBuffers);
    keyspace.clock.forget();
    // Passwords are for those who come from outside.
    session.isAuthenticated = true;
    keyspace.touches = !session.noTouch;
    try {
      this.store.engine.execute(context, args);
    } finally {
      keyspace.touches = true;
    }
  }
}

/** @throws CommandError for a command whose reply a call cannot give */
export function refuseImpossible(name: string, values: readonly ArgumentValue[]): void {
  const upper = name.toUpperCase();
  const reason = IMPOSSIBLE[upper] ?? IMPOSSIBLE[`${upper} ${String(values[0]).toUpperCase()}`];
  if (reason !== undefined) throw new CommandError(`ERR ${upper} ${reason}`);
}
