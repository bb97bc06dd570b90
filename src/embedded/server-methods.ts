/** Connection and server: the methods of a handle that deal with the store as a whole. */
import type { ArgumentValue } from "./argument-writer.ts";
import { KeyMethods } from "./key-methods.ts";
import type { ReplyValue } from "./value-reply.ts";

type Arguments = readonly ArgumentValue[];

export abstract class ServerMethods extends KeyMethods {
  /** Checks a password, as a connection would have to give it; a program's own calls need none. */
  auth(password: string): "OK";
  auth(user: string, password: string): "OK";
  auth(...credentials: readonly string[]): "OK" {
    return this.run("AUTH", credentials);
  }

  /** Connections: LIST, KILL, PAUSE and the rest of CLIENT. */
  client(subcommand: "ID"): number;
  client(subcommand: "LIST" | "INFO", ...args: Arguments): string;
  client(subcommand: "GETNAME"): string | null;
  client(subcommand: string, ...args: Arguments): ReplyValue;
  client(subcommand: string, ...args: Arguments): ReplyValue {
    return this.call("CLIENT", subcommand, ...args);
  }

  /** What commands there are: COUNT, DOCS, GETKEYS, INFO, LIST and the rest of COMMAND. */
  command(subcommand: "COUNT"): number;
  command(subcommand: "GETKEYS" | "LIST", ...args: Arguments): string[];
  command(subcommand?: string, ...args: Arguments): ReplyValue;
  command(subcommand?: string, ...args: Arguments): ReplyValue {
    return this.run("COMMAND", subcommand === undefined ? [] : [subcommand, ...args]);
  }

  /** Directives, as in redis.conf: GET returns those that match the patterns; SET takes names and values in turn. */
  config(subcommand: "GET", ...patterns: readonly string[]): Record<string, string>;
  config(subcommand: "SET", ...pairs: Arguments): "OK";
  config(subcommand: "RESETSTAT"): "OK";
  config(subcommand: "HELP"): string[];
  config(subcommand: string, ...args: Arguments): Record<string, string> | string | string[] {
    const reply = this.run("CONFIG", [subcommand, ...args]);
    return (reply instanceof Map ? Object.fromEntries(reply) : reply) as Record<string, string> | string | string[];
  }

  /** For tests and diagnosis: VERIFY, SLEEP, OBJECT and the rest of DEBUG. */
  debug(subcommand: string, ...args: Arguments): ReplyValue {
    return this.run("DEBUG", [subcommand, ...args]);
  }

  /** Returns the message. */
  echo(message: ArgumentValue): string {
    return this.run("ECHO", [message]);
  }

  echoBuffer(message: ArgumentValue): Buffer {
    return this.runBuffer("ECHO", [message]);
  }

  /** Who answers: name, version, role and so on. */
  hello(...args: Arguments): Record<string, ReplyValue> {
    return Object.fromEntries(this.run<Map<string, ReplyValue>>("HELLO", args));
  }

  /** The state of the store, as text in sections; all usual ones by default. */
  info(...sections: readonly string[]): string {
    return this.run("INFO", sections);
  }

  /** When the last snapshot was taken, or the store was opened: seconds since 1970. */
  lastsave(): number {
    return this.run("LASTSAVE", []);
  }

  /** Delays: HISTOGRAM, LATEST, HISTORY and the rest of LATENCY. */
  latency(subcommand: string, ...args: Arguments): ReplyValue {
    return this.run("LATENCY", [subcommand, ...args]);
  }

  /** A small picture, and the version. */
  lolwut(...args: Arguments): string {
    return this.run("LOLWUT", args);
  }

  /** Memory: USAGE returns the bytes of one key, null if it does not exist; STATS, DOCTOR and the rest of MEMORY. */
  memory(subcommand: "USAGE", key: ArgumentValue, ...options: Arguments): number | null;
  memory(subcommand: "DOCTOR" | "MALLOC-STATS"): string;
  memory(subcommand: string, ...args: Arguments): ReplyValue;
  memory(subcommand: string, ...args: Arguments): ReplyValue {
    return this.run("MEMORY", [subcommand, ...args]);
  }

  /** Returns "PONG", or the message. */
  ping(message?: ArgumentValue): string {
    return this.run("PING", message === undefined ? [] : [message]);
  }

  /** Does nothing: there is no connection to end. See `close`. */
  quit(): "OK" {
    return this.run("QUIT", []);
  }

  /** Makes the handle as if it were new: database 0, no name. */
  reset(): "RESET" {
    return this.run("RESET", []);
  }

  /** What the store is in a replication: a master without replicas. */
  role(): ReplyValue[] {
    return this.run("ROLE", []);
  }

  /** Writes a snapshot, and returns when it is on disk: nothing else happens meanwhile. See `bgsave`. */
  save(): "OK" {
    return this.run("SAVE", []);
  }

  /** The commands that took longest: GET, LEN, RESET and the rest of SLOWLOG. */
  slowlog(subcommand: "LEN"): number;
  slowlog(subcommand: "RESET"): "OK";
  slowlog(subcommand: string, ...args: Arguments): ReplyValue;
  slowlog(subcommand: string, ...args: Arguments): ReplyValue {
    return this.run("SLOWLOG", [subcommand, ...args]);
  }

  /** The store's time: seconds since 1970, and microseconds of the second begun. */
  time(): [seconds: string, microseconds: string] {
    return this.run("TIME", []);
  }
}
