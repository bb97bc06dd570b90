/**
 * What a handler sees of the world: the database, the reply, the session it runs in, and the store's services. Whether
 * a socket, an embedded call or a replayed log stands behind it, it cannot tell.
 */
import type { Configuration } from "../config/configuration.ts";
import type { Database } from "../keyspace/database.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import type { LatencyMonitor } from "../monitoring/latency-monitor.ts";
import type { SlowLog } from "../monitoring/slow-log.ts";
import type { Statistics } from "../monitoring/statistics.ts";
import type { CommandTable } from "./command-table.ts";
import type { EffectRecorder, Effects } from "./effects.ts";
import type { PubSub, Receiver, Subscriber } from "./pubsub-registry.ts";
import type { Reply } from "./reply.ts";

export interface Context {
  readonly keyspace: Keyspace;
  readonly reply: Reply;
  readonly session: Session;
  readonly services: Services;
  /** What the command did is told here, unless it is logged as it came. */
  readonly effects: Effects;
  /** The selected database: where keys are looked up. */
  database: Database;
  /** Where the messages go that the client subscribes to; undefined if it cannot be sent any. */
  readonly receiver: Receiver | undefined;
  /**
   * Replies later instead of now: the client's further commands wait until `work` is settled, and what it resolves to
   * writes the reply. Nobody else waits.
   * @param isForClientOnly whether a client that closes its end is forgotten at once, as Redis does with one that it
   *   has blocked; by default it is answered before that
   * @throws CommandError where a reply cannot be waited for: a synchronous call
   */
  later(work: Promise<(reply: Reply) => void>, isForClientOnly?: boolean): void;
}

/** How much a client wants to hear: CLIENT REPLY. */
export type ReplyMode = "on" | "off" | "skip-next" | "skip";

/**
 * What is remembered of one client between its commands. Plain data; connections and the embedded store have one each.
 */
export interface Session {
  readonly id: number;
  /** "ip:port", a socket's path, or "embedded". */
  readonly address: string;
  readonly localAddress: string;
  readonly fileDescriptor: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly isEmbedded: boolean;
  name: string;
  libraryName: string;
  libraryVersion: string;
  user: string;
  isAuthenticated: boolean;
  protocol: 2 | 3;
  replyMode: ReplyMode;
  noEvict: boolean;
  noTouch: boolean;
  isMonitor: boolean;
  /** What the client has subscribed to; undefined if that is nothing. */
  subscriber: Subscriber | undefined;
  /** The reply that is being written is kept whatever `replyMode` says: it is a push. */
  keepsReply: boolean;
  /** Milliseconds since 1970. */
  lastCommandAt: number;
  /** Full name of the last command, "NULL" before the first. */
  lastCommand: string;
  databaseIndex: number;
  /** Close once what has been replied is sent: QUIT, CLIENT KILL of oneself, protocol errors. */
  closeAfterReply: boolean;
  /** Close at once, without the replies that have not been sent. */
  isHungUp: boolean;
}

/** A client as CLIENT LIST and KILL see it. */
export interface Client {
  readonly session: Session;
  readonly totalCommands: number;
  readonly queryBufferBytes: number;
  readonly queryBufferFree: number;
  readonly outputBufferBytes: number;
  readonly outputListLength: number;
  /** Whether a command of it waits: for CLIENT PAUSE to end, or in WAIT or WAITAOF. */
  readonly isBlocked: boolean;
  /** Disconnects the client; its pending commands are not executed. */
  kill(): void;
}

/** All clients there are, and what may be done to all of them. */
export interface Clients {
  readonly size: number;
  list(): Iterable<Client>;
  /** CLIENT PAUSE. @param until milliseconds since 1970; a longer pause that is already in force stays */
  pause(until: number, mode: "WRITE" | "ALL"): void;
  unpause(): void;
  /**
   * Bytes in the buffers of all connections, and of what they have subscribed to, as a running sum. It may be behind
   * what a client has read since the last thing that happened to its connection, for at most a second.
   */
  readonly bufferBytes: number;
  /** Counted since the start, or since CONFIG RESETSTAT. */
  totalConnections: number;
  rejectedConnections: number;
  /** Disconnected because of maxmemory-clients. */
  evictedClients: number;
}

/** The store's life: what SHUTDOWN, SAVE and their like ask for. */
export interface Lifecycle {
  readonly startedAt: number;
  readonly runId: string;
  readonly executable: string;
  readonly configFile: string;
  readonly port: number;
  /** How often a second the store looks after itself. */
  readonly hz: number;
  /** Seconds since 1970 of the last snapshot. */
  lastSaveAt: number;
  /** Ends the store after this turn. @throws CommandError if it cannot now */
  shutdown(how: { save: boolean | undefined; now: boolean; force: boolean }): void;
  /** @returns false if no shutdown is in progress */
  abortShutdown(): boolean;
}

/** What is shown of a background thread. */
export interface ThreadFigures {
  readonly name: string;
  /** `idle` until there is something to do; `failed` until the next attempt to start it. */
  readonly state: "idle" | "starting" | "running" | "failed" | "stopped";
  /** How often a worker was started in place of one that failed. */
  readonly restarts: number;
  /** Requests posted to it, and those of them that wait. */
  readonly messages: number;
  readonly inbox: number;
  /** Milliseconds of work. */
  readonly busyMs: number;
  /** What went wrong last, empty if nothing ever did. */
  readonly lastError: string;
}

/** A store's background threads. */
export interface Threads {
  figures(): Iterable<ThreadFigures>;
}

/** What INFO shows of a store's files, by Redis's names. */
export interface PersistenceFigures {
  /** The section persistence, in its order. */
  readonly persistence: Readonly<Record<string, string | number>>;
  /** What the section stats says of freezes, in the words of forks. */
  readonly stats: { readonly latest_fork_usec: number; readonly total_forks: number };
  /** Bytes that the log holds in memory because they are not in its file yet. */
  readonly logBufferBytes: number;
}

/** How DEBUG RELOAD goes about it. */
export interface ReloadOptions {
  /** Whether the snapshot is made first. */
  readonly saves: boolean;
  /** Whether the store is emptied first. */
  readonly flushes: boolean;
  /** Whether keys that are there already are replaced, where otherwise they are an error. */
  readonly merges: boolean;
}

/** The store's files: snapshots and the log. A store without any has NoPersistence (no-persistence.ts). */
export interface Persistence {
  /** Whether files are being read: most commands are refused until it is over. */
  readonly isLoading: boolean;
  /** Redis's error for writes while what they would change cannot be saved; usually undefined. */
  readonly writeRefusal: string | undefined;
  /** SAVE: returns when the snapshot is on disk. @throws CommandError */
  save(): void;
  /**
   * BGSAVE. @param schedule whether it may begin later, if another job is under way
   * @returns the reply's text
   * @throws CommandError
   */
  saveInBackground(schedule: boolean): string;
  /** All databases are about to be emptied: a snapshot that is being written is given up, as Redis does. */
  beforeFlushAll(): void;
  /** They have been: the empty store is saved, where there are rules to save it. */
  afterFlushAll(): void;
  /** DEBUG RELOAD: returns when the data has been brought back from the snapshot. @throws CommandError */
  reload(options: ReloadOptions): void;
  /** BGREWRITEAOF. @returns the reply's text @throws CommandError */
  rewriteLog(): string;
  /** Seconds since 1970 of the last snapshot, or of the start. */
  readonly lastSaveAt: number;
  figures(): PersistenceFigures;
  /** Resolves when what has been executed so far is durable here. */
  durable(): Promise<void>;
  readonly isLogOn: boolean;
}

export interface Services {
  readonly keyspace: Keyspace;
  readonly configuration: Configuration;
  readonly commands: CommandTable;
  readonly statistics: Statistics;
  readonly slowLog: SlowLog;
  readonly latency: LatencyMonitor;
  readonly clients: Clients;
  readonly lifecycle: Lifecycle;
  readonly threads: Threads;
  readonly pubSub: PubSub;
  /** What commands have done, for the log. */
  readonly effects: EffectRecorder;
  /** Replaced by whoever opens the store's files. */
  persistence: Persistence;
}
