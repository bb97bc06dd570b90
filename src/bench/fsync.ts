/**
 * What it costs to make a small append durable: on the thread or in Node's pool, one file or four, one after another or
 * at once, with and without io_uring below the pool, by fdatasync or by a file opened with O_DSYNC. And whether fsyncs
 * go on while a large file is deleted. Files are in the system's temporary directory; docs/fsync.md says what was
 * chosen.
 */
import { runInChild } from "./child.ts";
import type { FsyncFigures, Rounds, Way } from "./fsync-worker.ts";
import type { Options } from "./options.ts";
import type { Report, Row } from "./report.ts";

const COLUMNS = [
  { field: "way", title: "way" },
  { field: "ioUring", title: "io_uring" },
  { field: "files", title: "files" },
  { field: "syncsPerSecond", title: "files durable a second" },
  { field: "p50", title: "round p50 ms", digits: 2 },
  { field: "p99", title: "p99 ms", digits: 2 },
  { field: "max", title: "max ms", digits: 1 },
];

const WORDS: Readonly<Record<Way, string>> = {
  sync: "write, fdatasync; on the thread, file by file",
  together: "all writes, then all fdatasyncs; on the thread",
  pool: "write, fdatasync; in the pool, file by file",
  parallel: "write, fdatasync; in the pool, all files at once",
  padded: "write over padding, fdatasync; on the thread, file by file",
  dsync: "write with O_DSYNC; on the thread, file by file",
};

const ON_THREAD = [
  { way: "sync", files: 1 },
  { way: "padded", files: 1 },
  { way: "dsync", files: 1 },
  { way: "sync", files: 4 },
  { way: "together", files: 4 },
  { way: "dsync", files: 4 },
] as const;
const IN_POOL = [
  { way: "pool", files: 1 },
  { way: "pool", files: 4 },
  { way: "parallel", files: 4 },
] as const;

const SECONDS = 0.5;
const SMOKE_SECONDS = 0.1;
const LARGE_BYTES = 2 ** 29;
const SMOKE_LARGE_BYTES = 2 ** 24;

export async function benchmarkFsync({ smoke }: Options): Promise<Report> {
  const rows: Row[] = [];
  const seconds = smoke ? SMOKE_SECONDS : SECONDS;
  const largeBytes = smoke ? SMOKE_LARGE_BYTES : LARGE_BYTES;
  for (const ioUring of ["no", "yes"] as const) {
    process.stderr.write(`fsync: io_uring ${ioUring}\n`);
    // What is done on the thread never comes to the pool, so io_uring is nothing to it; the first is there to compare.
    const ways = ioUring === "no" ? [...ON_THREAD, ...IN_POOL] : [ON_THREAD[0], ...IN_POOL];
    const environment = { UV_USE_IO_URING: ioUring === "no" ? "0" : "1" };
    const figures = await runInChild<FsyncFigures>({ kind: "fsync", ways, seconds, largeBytes }, environment);
    for (const [index, { way, files }] of ways.entries()) {
      rows.push(rowOf(WORDS[way], ioUring, files, figures.rounds[index] as Rounds));
    }
    const { meanwhile, unlinkHere, unlinkInPool } = figures;
    const size = `${largeBytes / 2 ** 20} MiB`;
    const took = `${Math.round(unlinkInPool)} ms; on the thread ${Math.round(unlinkHere)} ms`;
    rows.push(rowOf(`as the first, while the pool deletes ${size} (${took})`, ioUring, 1, meanwhile));
  }
  const title = "Durable appends of 256 bytes: a round makes one append to each file durable";
  return { title, columns: COLUMNS, rows };
}

function rowOf(way: string, ioUring: string, files: number, rounds: Rounds): Row {
  const { perSecond, p50, p99, max } = rounds;
  return { way, ioUring, files, syncsPerSecond: files * perSecond, p50, p99, max };
}
