/** ClientContext: one client's state between its commands, and what its handlers see. */
import type { Context, Services, Session } from "../commands/context.ts";
import type { Effects } from "../commands/effects.ts";
import { CommandError } from "../commands/errors.ts";
import type { Receiver } from "../commands/pubsub-registry.ts";
import type { Reply } from "../commands/reply.ts";
import type { Database } from "../keyspace/database.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";

/** Where a client comes from. */
export interface ClientOrigin {
  readonly address: string;
  readonly localAddress: string;
  readonly fileDescriptor: number;
  readonly isEmbedded: boolean;
}

/** Finishes a reply that had to wait for something: writes it. */
export type LateReply = (reply: Reply) => void;

export class ClientContext implements Context {
  readonly keyspace: Keyspace;
  readonly services: Services;
  readonly session: Session;
  readonly reply: Reply;
  readonly effects: Effects;
  database: Database;
  receiver: Receiver | undefined;
  /** What the client's last command is waiting for; whoever executes its commands goes on when it is settled. */
  pending: Promise<LateReply> | undefined;
  /** Whether that is for nobody but the client, and not worth going on with once it has left. */
  #isForClientOnly = false;

  constructor(id: number, origin: ClientOrigin, services: Services, reply: Reply, isAuthenticated: boolean) {
    const now = Date.now();
    this.services = services;
    this.keyspace = services.keyspace;
    this.reply = reply;
    this.effects = services.effects;
    this.database = this.keyspace.databases[0]!;
    this.session = {
      id,
      ...origin,
      createdAt: now,
      name: "",
      libraryName: "",
      libraryVersion: "",
      user: "default",
      isAuthenticated,
      protocol: 2,
      replyMode: "on",
      noEvict: false,
      noTouch: false,
      isMonitor: false,
      subscriber: undefined,
      keepsReply: false,
      lastCommandAt: now,
      lastCommand: "NULL",
      databaseIndex: 0,
      closeAfterReply: false,
      isHungUp: false,
    };
  }

  get isAbandonable(): boolean {
    return this.pending !== undefined && this.#isForClientOnly;
  }

  later(work: Promise<LateReply>, isForClientOnly = false): void {
    if (this.pending !== undefined) throw new CommandError("ERR the previous command has not finished");
    this.pending = work;
    this.#isForClientOnly = isForClientOnly;
  }
}
