/** What CLIENT LIST shows of a client, and what a client may call itself. */
import type { Arguments } from "../base/arguments.ts";
import type { Client, Session } from "./context.ts";
import { CommandError } from "./errors.ts";

const UNFIT = "cannot contain spaces, newlines or special characters.";

/** The argument as a name that CLIENT LIST can show. @throws CommandError if it cannot */
export function validName(args: Arguments, index: number): string {
  return validAttribute(args, index, "Client names");
}

/** The argument as one word. @param what the error's subject @throws CommandError if it is none */
export function validAttribute(args: Arguments, index: number, what: string): string {
  const text = args.latin1(index);
  if (!/^[!-~]*$/.test(text)) throw new CommandError(`ERR ${what} ${UNFIT}`);
  return text;
}

/** Whether the client is on this machine: what `local` means in the configuration. */
export function isLocal({ isEmbedded, address }: Session): boolean {
  return isEmbedded || isUnixSocket(address) || /^(127\.|\[::1\]|\[::ffff:127\.)/.test(address);
}

function isUnixSocket(address: string): boolean {
  return address.startsWith("/");
}

/** Bytes that a client takes: its buffers, and what it has subscribed to. */
export function memoryOf(client: Client): number {
  const { queryBufferBytes, queryBufferFree, outputBufferBytes, session } = client;
  return queryBufferBytes + queryBufferFree + outputBufferBytes + (session.subscriber?.bytes ?? 0);
}

/** One line of CLIENT LIST, without its end. @param now milliseconds since 1970 */
export function describeClient(client: Client, now: number): string {
  const { session } = client;
  const fields = {
    id: session.id,
    addr: session.address,
    laddr: session.localAddress,
    fd: session.fileDescriptor,
    name: session.name,
    age: secondsSince(session.createdAt, now),
    idle: secondsSince(session.lastCommandAt, now),
    flags: flagsOf(client),
    db: session.databaseIndex,
    sub: session.subscriber?.channels.size ?? 0,
    psub: session.subscriber?.patterns.size ?? 0,
    ssub: session.subscriber?.shardChannels.size ?? 0,
    multi: -1,
    qbuf: client.queryBufferBytes,
    "qbuf-free": client.queryBufferFree,
    "argv-mem": 0,
    "multi-mem": 0,
    rbs: 0,
    rbp: 0,
    obl: 0,
    oll: client.outputListLength,
    omem: client.outputBufferBytes,
    "tot-mem": memoryOf(client),
    events: client.outputBufferBytes > 0 ? "rw" : "r",
    cmd: session.lastCommand,
    user: session.user,
    redir: -1,
    resp: session.protocol,
    "lib-name": session.libraryName,
    "lib-ver": session.libraryVersion,
  };
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
}

function secondsSince(then: number, now: number): number {
  return Math.max(0, Math.floor((now - then) / 1000));
}

function flagsOf({ session, isBlocked }: Client): string {
  const flags = [
    session.isMonitor ? "O" : "",
    session.subscriber === undefined ? "" : "P",
    isBlocked ? "b" : "",
    session.closeAfterReply ? "c" : "",
    isUnixSocket(session.address) ? "U" : "",
    session.noEvict ? "e" : "",
    session.noTouch ? "T" : "",
  ].join("");
  return flags === "" ? "N" : flags;
}
