/** The stores that the in-process benchmarks compare, behind one small interface. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A frozen view, for the store that has such a thing. */
export interface FrozenView {
  release(): void;
}

export interface Contender {
  set(key: string, value: string): void;
  get(key: string): string | null | undefined;
  /** Adds one; returns the new count. A key that is missing counts as 0. */
  incr(key: string): number;
  /** Runs many writes as this store does them best in bulk; used to fill it, never while the clock runs. */
  bulk(writes: () => void): void;
  /** Bytes that the store says it uses; null if it does not know. */
  usedMemory(): number | null;
  freeze?(): FrozenView;
  close(): Promise<void>;
}

export const CONTENDERS = ["stillwater", "Map", "lru-cache", "lmdb"] as const;
export type ContenderName = (typeof CONTENDERS)[number];

const runAtOnce = (writes: () => void): void => writes();

async function stillwater(): Promise<Contender> {
  const { open } = await import("../embedded/index.ts");
  const db = await open({ maxMemory: "4gb" });
  return {
    set: (key, value) => {
      db.set(key, value);
    },
    get: (key) => db.get(key),
    incr: (key) => Number(db.incr(key)),
    bulk: runAtOnce,
    usedMemory: () => Number(/^used_memory:(\d+)/m.exec(db.info())?.[1]),
    freeze: () => db.freeze(),
    close: () => db.close(),
  };
}

/** A map from keys to texts, and to numbers where keys are counted: what a program without a store would write. */
function overMap(map: Pick<Map<string, string | number>, "get" | "set">): Contender {
  return {
    set: (key, value) => {
      map.set(key, value);
    },
    get: (key) => map.get(key) as string | undefined,
    incr: (key) => {
      const count = Number(map.get(key) ?? 0) + 1;
      map.set(key, count);
      return count;
    },
    bulk: runAtOnce,
    usedMemory: () => null,
    close: () => Promise.resolve(),
  };
}

async function lruCache(keys: number): Promise<Contender> {
  const { LRUCache } = await import("lru-cache");
  return overMap(new LRUCache<string, string | number>({ max: keys }) as Map<string, string | number>);
}

/** Every operation is a transaction of its own, as it is for the others, but none waits for the disk. */
async function lmdb(): Promise<Contender> {
  const { open } = await import("lmdb");
  const directory = mkdtempSync(join(tmpdir(), "stillwater-bench-"));
  const db = open<string, string>({ path: join(directory, "data"), encoding: "string", noSync: true });
  return {
    set: (key, value) => {
      db.putSync(key, value);
    },
    get: (key) => db.get(key),
    incr: (key) => {
      const count = Number(db.get(key) ?? 0) + 1;
      db.putSync(key, String(count));
      return count;
    },
    bulk: (writes) => db.transactionSync(writes),
    usedMemory: () => null,
    close: async () => {
      await db.close();
      rmSync(directory, { recursive: true });
    },
  };
}

/** Opens a fresh store; `keys` is the number of keys it will hold at most. */
export async function openContender(name: ContenderName, keys: number): Promise<Contender> {
  switch (name) {
    case "stillwater":
      return stillwater();
    case "Map":
      return overMap(new Map());
    case "lru-cache":
      return lruCache(keys);
    case "lmdb":
      return lmdb();
  }
}
