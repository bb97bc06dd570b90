/** Worker: walks frozen views of a store when told to, and says what digests it found. */
import { type MessagePort, workerData } from "node:worker_threads";
import { copyBytes } from "../base/bytes.ts";
import { FrozenKeyspace } from "../keyspace/frozen-keyspace.ts";
import { FreezeLostError, FreezeReader, NOT_SHADOWED } from "../memory/freeze-reader.ts";
import { type FrozenRegion, PAGE_BITS, PAGE_SIZE } from "../memory/region.ts";
import { pauseForMark } from "./freeze-pause.ts";
import { Random } from "./random.ts";

export interface WalkOrder {
  readonly regions: readonly FrozenRegion[];
  readonly databases: number;
  /** How often to walk the same view. */
  readonly walks: number;
  /** Chance of a pause between the two steps of each read. */
  readonly pauses: number;
  /** Take the steps in the wrong order: ask for the mark, then copy the live page. */
  readonly careless: boolean;
}

export interface WalkResult {
  /** Of each walk, all databases' digests together. */
  readonly digests: readonly string[];
  readonly keys: number;
  /** The view was given up while it was walked. */
  readonly lost: boolean;
  /** What else went wrong. */
  readonly error: string | undefined;
}

/** What must be found out by a test: that the page was not yet marked says nothing about what is copied later. */
class CarelessReader extends FreezeReader {
  protected override fetch(at: number, length: number, target: Buffer, targetStart: number): void {
    const shadowAt = this.shadowOf(at >>> PAGE_BITS);
    this.pause?.(at >>> PAGE_BITS);
    if (shadowAt === NOT_SHADOWED) copyBytes(this.live, at, target, targetStart, length);
    else copyBytes(this.shadow, shadowAt + (at & (PAGE_SIZE - 1)), target, targetStart, length);
    this.assertHeld();
  }
}

const random = new Random(Date.now());

function walk(order: WalkOrder): WalkResult {
  const Reader = order.careless ? CarelessReader : FreezeReader;
  const digests: string[] = [];
  let keys = 0;
  try {
    for (let done = 0; done < order.walks; done++) {
      const frozen = new FrozenKeyspace(order.regions, order.databases, (region) => {
        return new Reader(region, order.pauses > 0 ? pauseForMark(random, order.pauses, region) : undefined);
      });
      digests.push(frozen.databases.map((database) => database.digest()).join());
      keys += frozen.databases.reduce((sum, database) => sum + database.count, 0);
    }
    return { digests, keys, lost: false, error: undefined };
  } catch (error) {
    const lost = error instanceof FreezeLostError;
    return { digests, keys, lost, error: lost ? undefined : String(error) };
  }
}

const { port } = workerData as { port: MessagePort };
port.on("message", (order: WalkOrder) => port.postMessage(walk(order)));
