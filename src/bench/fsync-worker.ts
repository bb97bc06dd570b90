/** What it costs to make small appends durable, in the ways that Node offers; fsync.ts says which. */
import {
  closeSync,
  constants,
  fdatasyncSync,
  mkdtempSync,
  openSync,
  promises as pool,
  rmSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Job } from "./child.ts";
import { summarize } from "./latencies.ts";

/** Rounds, in milliseconds. */
export interface Rounds {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface FsyncFigures {
  /** One for each way. */
  readonly rounds: readonly Rounds[];
  /** Milliseconds that it took to delete the large file, by this thread and by the pool. */
  readonly unlinkHere: number;
  readonly unlinkInPool: number;
  /** Rounds of one file while the pool deletes the large one. */
  readonly meanwhile: Rounds;
}

/** How one round makes an append to each of its files durable. */
export type Way = "sync" | "padded" | "together" | "pool" | "parallel" | "dsync";

const RECORD = Buffer.alloc(256, "x");
const PADDING = Buffer.alloc(256 * 1024, "#");
const PIECE = Buffer.alloc(1 << 20, "y");
const MIB = 1 << 20;
const WARM_UP_ROUNDS = 10;
/** How long a way goes on until it is the next one's turn. */
const TURN_MS = 20;

type FsyncJob = Job & { kind: "fsync" };
type Round = () => void | Promise<void>;

/** Appends to files of this process, opened as the way wants it; what it opened is closed by `end`. */
class Appender {
  readonly #descriptors: number[] = [];
  readonly #handles: pool.FileHandle[] = [];
  /** The same files, to be written anywhere, where they are, and how far they are padded. */
  readonly #overwritten: number[] = [];
  #written = 0;
  #paddedTo = 0;
  readonly #way: Way;

  private constructor(way: Way) {
    this.#way = way;
  }

  static async open(directory: string, way: Way, files: number): Promise<Appender> {
    const appender = new Appender(way);
    for (let index = 0; index < files; index += 1) {
      const path = join(directory, `${way}-${files}-${index}`);
      const dsync = way === "dsync" ? constants.O_DSYNC : 0;
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | dsync;
      if (way === "pool" || way === "parallel") appender.#handles.push(await pool.open(path, flags));
      else appender.#descriptors.push(openSync(path, flags));
      if (way === "padded") appender.#overwritten.push(openSync(path, "r+"));
    }
    return appender;
  }

  get round(): Round {
    return {
      sync: this.#sync,
      together: this.#together,
      padded: this.#padded,
      dsync: this.#dsync,
      pool: this.#pool,
      parallel: this.#parallel,
    }[this.#way];
  }

  async end(): Promise<void> {
    for (const descriptor of [...this.#descriptors, ...this.#overwritten]) closeSync(descriptor);
    for (const handle of this.#handles) await handle.close();
  }

  readonly #sync = (): void => {
    for (const descriptor of this.#descriptors) {
      writeSync(descriptor, RECORD);
      fdatasyncSync(descriptor);
    }
  };

  /** As the log's writer does under `always` (durability/padded-file.ts), what the padding costs included. */
  readonly #padded = (): void => {
    const isFull = this.#written + RECORD.length > this.#paddedTo;
    for (const [index, descriptor] of this.#overwritten.entries()) {
      if (isFull) writeSync(this.#descriptors[index]!, PADDING);
      writeSync(descriptor, RECORD, 0, RECORD.length, this.#written);
      fdatasyncSync(descriptor);
    }
    if (isFull) this.#paddedTo += PADDING.length;
    this.#written += RECORD.length;
  };

  /** All writes first: the file system may then put them into one commit. */
  readonly #together = (): void => {
    for (const descriptor of this.#descriptors) writeSync(descriptor, RECORD);
    for (const descriptor of this.#descriptors) fdatasyncSync(descriptor);
  };

  readonly #dsync = (): void => {
    for (const descriptor of this.#descriptors) writeSync(descriptor, RECORD);
  };

  readonly #pool = async (): Promise<void> => {
    for (const handle of this.#handles) {
      await handle.write(RECORD);
      await handle.datasync();
    }
  };

  readonly #parallel = async (): Promise<void> => {
    await Promise.all(
      this.#handles.map(async (handle) => {
        await handle.write(RECORD);
        await handle.datasync();
      }),
    );
  };
}

/** What rounds took, one after the other, in ms; all of them together too. */
class RoundTimes {
  readonly #times: number[] = [];
  #elapsed = 0;

  /** Does rounds as long as `goesOn`, at least one. */
  async add(round: Round, goesOn: () => boolean): Promise<void> {
    const start = performance.now();
    let before = start;
    do {
      const done = round();
      if (done !== undefined) await done;
      const after = performance.now();
      this.#times.push(after - before);
      before = after;
    } while (goesOn());
    this.#elapsed += before - start;
  }

  get summary(): Rounds {
    const { p50, p99, max } = summarize(Float64Array.from(this.#times), this.#elapsed);
    return { perSecond: (1_000 * this.#times.length) / this.#elapsed, p50, p99, max };
  }
}

/** Ways take turns, so that whatever else the disk does meets all of them alike. */
async function measureWays(directory: string, { ways, seconds }: FsyncJob): Promise<readonly Rounds[]> {
  const measured: { readonly appender: Appender; readonly times: RoundTimes }[] = [];
  for (const { way, files } of ways) {
    const appender = await Appender.open(directory, way, files);
    measured.push({ appender, times: new RoundTimes() });
    for (let warmUp = 0; warmUp < WARM_UP_ROUNDS; warmUp += 1) await appender.round();
  }
  const end = performance.now() + 1_000 * seconds * ways.length;
  while (performance.now() < end) {
    for (const { appender, times } of measured) {
      const until = performance.now() + TURN_MS;
      await times.add(appender.round, () => performance.now() < until);
    }
  }
  for (const { appender } of measured) await appender.end();
  return measured.map(({ times }) => times.summary);
}

function writeLarge(path: string, mib: number): void {
  const descriptor = openSync(path, "w");
  for (let piece = 0; piece < mib; piece += 1) writeSync(descriptor, PIECE);
  fdatasyncSync(descriptor);
  closeSync(descriptor);
}

async function measureUnlink(directory: string, mib: number): Promise<Omit<FsyncFigures, "rounds">> {
  const large = join(directory, "large");
  writeLarge(large, mib);
  const start = performance.now();
  unlinkSync(large);
  const unlinkHere = performance.now() - start;
  writeLarge(large, mib);
  const appender = await Appender.open(directory, "sync", 1);
  const inPool = performance.now();
  let unlinkInPool = 0;
  const gone = pool.unlink(large).then(() => {
    unlinkInPool = performance.now() - inPool;
  });
  // Each round is followed by a turn of the event loop, so that the end is seen.
  const round = async (): Promise<void> => {
    await appender.round();
    await new Promise((resolve) => setImmediate(resolve));
  };
  const meanwhile = new RoundTimes();
  await meanwhile.add(round, () => unlinkInPool === 0);
  await gone;
  await appender.end();
  return { unlinkHere, unlinkInPool, meanwhile: meanwhile.summary };
}

/** Rejects with the system's error if the disk fails, or is full. */
export async function measureFsync(job: FsyncJob): Promise<FsyncFigures> {
  const directory = mkdtempSync(join(tmpdir(), "bench-fsync-"));
  try {
    const rounds = await measureWays(directory, job);
    return { rounds, ...(await measureUnlink(directory, Math.ceil(job.largeBytes / MIB))) };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
