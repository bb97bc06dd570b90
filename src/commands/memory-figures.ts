/** What INFO, MEMORY STATS and MEMORY DOCTOR tell of memory, computed once for all of them. */
import type { Keyspace } from "../keyspace/keyspace.ts";
import { SLOT_SIZE } from "../structures/segments.ts";
import { memoryOf } from "./client-attributes.ts";
import type { Context } from "./context.ts";

/** Bytes, unless a name says otherwise. */
export interface MemoryFigures {
  /** What data, tables, maps of pages and buffers of connections occupy, and what a freeze has copied. */
  readonly used: number;
  /** Of `used`: what `maxmemory` is not about. */
  readonly notCounted: number;
  readonly peak: number;
  /** Of `used`: everything but keys and values. */
  readonly overhead: number;
  readonly dataset: number;
  /** Pages that hold any data. */
  readonly active: number;
  /** Pages of the regions that have ever been written: what the system had to provide for them. */
  readonly resident: number;
  /** What the whole process occupies, JavaScript and its code included. */
  readonly process: number;
  /** Buffers of connections, and what they have subscribed to. */
  readonly clients: number;
  /** What the log has still to take to its file; not part of `used`. */
  readonly logBuffer: number;
  readonly keys: number;
}

export function memoryFigures({ keyspace, services }: Context): MemoryFigures {
  const { usedBytes, activeBytes, touchedBytes, shadowBytes } = keyspace.figures();
  let clients = 0;
  for (const client of services.clients.list()) clients += memoryOf(client);
  const used = usedBytes + shadowBytes + clients;
  // All beside entries and values: tables, buffers, and what the keyspace needs beyond blocks that it has handed out.
  const overhead = usedBytes - keyspace.usedBytes + shadowBytes + clients + tableBytes(keyspace);
  return {
    used,
    notCounted: shadowBytes,
    peak: Math.max(used, keyspace.usedPeak),
    overhead,
    dataset: used - overhead,
    active: activeBytes + shadowBytes,
    resident: touchedBytes + shadowBytes,
    process: process.memoryUsage.rss(),
    clients,
    logBuffer: services.persistence.figures().logBufferBytes,
    keys: keyspace.databases.reduce((sum, { count }) => sum + count, 0),
  };
}

function tableBytes(keyspace: Keyspace): number {
  return keyspace.databases.reduce((sum, { index }) => sum + tableBytesOf(keyspace, index), 0);
}

/** Bytes of one database's tables. */
export function tableBytesOf({ shards }: Keyspace, database: number): number {
  return shards.reduce((sum, { dictionaries }) => {
    const { segments, capacity } = dictionaries[database]!;
    return sum + segments * capacity * SLOT_SIZE;
  }, 0);
}

/** Bytes as people read them: 1.50K, 2.00M. */
export function readableBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`;
  const power = Math.min(5, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(2)}${"KMGTP"[power - 1]}`;
}

/** `part` of `whole` as a fraction; 0 of nothing. */
export function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
