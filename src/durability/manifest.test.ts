import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import fc from "fast-check";
import { FaultyFiles } from "../testing/faulty-files.ts";
import { Random, seedOfRun } from "../testing/random.ts";
import { encodeCommand } from "../testing/resp-frame.ts";
import { startRedis } from "../testing/servers.ts";
import { DamagedFileError } from "./damaged-file-error.ts";
import { realFiles } from "./files.ts";
import {
  AofNames,
  commitManifest,
  formatManifest,
  type LogFile,
  type Manifest,
  parseManifest,
  readManifest,
} from "./manifest.ts";

const NAMES = new AofNames("appendonly.aof");
const parse = (text: string): Manifest => parseManifest(Buffer.from(text), "/log/the.manifest");
const BASE: LogFile = { name: "appendonly.aof.2.base.rdb", sequence: 2, type: "b" };
const INCR: LogFile = { name: "appendonly.aof.4.incr.aof", sequence: 4, type: "i" };

test("names as Redis gives them, and what a name stands for", () => {
  assert.equal(NAMES.manifest, "appendonly.aof.manifest");
  assert.deepEqual(NAMES.base(2, true), BASE);
  assert.equal(NAMES.base(2, false).name, "appendonly.aof.2.base.aof");
  assert.deepEqual(NAMES.incr(4), INCR);
  for (const file of [NAMES.base(12, true), NAMES.base(1, false), NAMES.incr(34)]) {
    assert.deepEqual(NAMES.read(file.name), file);
  }
  const others = ["appendonly.aof.manifest", "appendonly.aof.0.incr.aof", "appendonly.aof.01.incr.aof"];
  others.push(
    "appendonly.aof.1.incr.rdb",
    "appendonly.aof.1.incr.aof.torn-1",
    "other.aof.1.incr.aof",
    "appendonly.aof",
  );
  others.push("temp-1.appendonly.aof.1.incr.aof", "appendonly.aof.1.hist.aof", "appendonly_aof.1.incr.aof");
  for (const other of others) assert.equal(NAMES.read(other), undefined, other);
});

test("the set after a rewrite, which tells of an old base only where its name does not", () => {
  const foreign: LogFile = { name: "appendonly.aof", sequence: 1, type: "b" };
  const wanted: Manifest = { base: BASE, incrs: [INCR], history: [] };
  assert.deepEqual(NAMES.rewritten(undefined, BASE, INCR), wanted);
  assert.deepEqual(NAMES.rewritten(NAMES.base(1, true), BASE, INCR), wanted);
  assert.deepEqual(NAMES.rewritten(foreign, BASE, INCR), { ...wanted, history: [{ ...foreign, type: "h" }] });
});

test("a manifest, read and written byte for byte", () => {
  const text = [
    "file appendonly.aof.2.base.rdb seq 2 type b\n",
    "file appendonly.aof.1.base.rdb seq 1 type h\n",
    "file appendonly.aof.3.incr.aof seq 3 type i\n",
    "file appendonly.aof.4.incr.aof seq 4 type i\n",
  ].join("");
  const manifest: Manifest = {
    base: BASE,
    incrs: [NAMES.incr(3), INCR],
    history: [{ ...NAMES.base(1, true), type: "h" }],
  };
  assert.deepEqual(parse(text), manifest);
  assert.equal(formatManifest(manifest).toString(), text);
});

test("comments, other orders, unknown pairs, blanks around and Windows' line ends are read as Redis reads them", () => {
  const text = [
    "# written by hand\n",
    "  SEQ 2 type b  file appendonly.aof.2.base.rdb\r\n",
    'file "appendonly.aof.4.incr.aof" seq 4 type i startoffset 17 endoffset "" \n',
  ].join("");
  assert.deepEqual(parse(text), { base: BASE, incrs: [INCR], history: [] });
  assert.deepEqual(parse("# nothing at all\n"), { base: undefined, incrs: [], history: [] });
});

test("any names survive, quoted as Redis quotes them", () => {
  const odd = { ...INCR, name: 'my log "ü".4.incr.aof' };
  const written = formatManifest({ base: undefined, incrs: [odd], history: [] }).toString("latin1");
  assert.equal(written, 'file "my log \\"\\xc3\\xbc\\".4.incr.aof" seq 4 type i\n');
  const quote = { ...INCR, name: "'#.4.incr.aof" };
  const manifest = { base: undefined, incrs: [quote], history: [] };
  assert.deepEqual(parseManifest(formatManifest(manifest)), manifest);
  const name = fc.string({ minLength: 1, maxLength: 30, unit: "grapheme" });
  // File systems have names of up to 255 bytes; a line of the manifest holds them, quoted.
  const isName = (text: string) =>
    Buffer.byteLength(text) < 200 &&
    !/[/\\\0]/.test(text) &&
    text !== "." &&
    text !== ".." &&
    `${Buffer.from(text)}` === text;
  const sequences = fc.uniqueArray(fc.integer({ min: 1, max: 1e12 }), { maxLength: 5 });
  fc.assert(
    fc.property(name.filter(isName), sequences, fc.boolean(), (stem, numbers, hasBase) => {
      const names = new AofNames(stem);
      const sorted = numbers.sort((left, right) => left - right);
      const base = hasBase ? names.base(7, true) : undefined;
      const history = sorted.map((number): LogFile => ({ ...names.incr(number), type: "h" }));
      const manifest = { base, incrs: sorted.map((number) => names.incr(number)), history };
      if (base === undefined && sorted.length === 0) return;
      assert.deepEqual(parseManifest(formatManifest(manifest)), manifest);
    }),
    { seed: seedOfRun() },
  );
});

describe("what is refused, with Redis's words, the line, and where it begins", () => {
  const fine = "file a.1.incr.aof seq 1 type i\n";
  const format = "Invalid AOF manifest file format";
  const path = "File can't be a path, just a filename";
  const cases: [title: string, text: string, reason: string, line: number][] = [
    ["nothing", "", "Found an empty AOF manifest", 0],
    ["a blank line", `${fine}\n`, format, 2],
    ["blanks only", `${fine}  \t\n`, format, 2],
    ["an indented comment", `${fine} # no\n`, format, 2],
    ["a last line without its end", `${fine}file a.2.incr.aof seq 2 type i`, "contains too long line", 2],
    ["a line of 1024 bytes", `${fine}#${"x".repeat(1023)}\n`, "contains too long line", 2],
    ["too few words", "file a.1.incr.aof seq 1\n", format, 1],
    ["a word without a value", "file a.1.incr.aof seq 1 type i more\n", format, 1],
    ["no name", "seq 1 type i more words\n", format, 1],
    ["an empty name", 'file "" seq 1 type i\n', format, 1],
    ["no sequence", "file a type i other thing\n", format, 1],
    ["sequence 0", "file a seq 0 type i\n", format, 1],
    ["a sequence that is no number", "file a seq 1x type i\n", format, 1],
    ["a sequence below 0", "file a seq -1 type i\n", format, 1],
    ["an open quote", 'file "a seq 1 type i\n', format, 1],
    ["a zero byte", "file a\0 seq 1 type i\n", format, 1],
    ["a path", "file ../a seq 1 type i\n", path, 1],
    ["a Windows path", 'file "b\\\\a" seq 1 type i\n', path, 1],
    ["the directory itself", "file .. seq 1 type i\n", path, 1],
    ["two bases", "file a seq 1 type b\nfile b seq 2 type b\n", "Found duplicate base file information", 2],
    ["increments out of order", `${fine}file b seq 1 type i\n`, "Found a non-monotonic sequence number", 2],
    ["another type", "file a seq 1 type x\n", "Unknown AOF file type", 1],
  ];
  for (const [title, text, reason, line] of cases) {
    test(title, () => {
      assert.throws(
        () => parse(text),
        (error) => {
          assert(error instanceof DamagedFileError);
          assert.equal(error.code, "DAMAGED_FILE");
          assert.equal(error.file, "/log/the.manifest");
          const before = text.split("\n").slice(0, Math.max(line - 1, 0));
          assert.equal(
            error.offset,
            before.reduce((sum, each) => sum + each.length + 1, 0),
          );
          assert(error.reason.includes(reason), error.reason);
          if (line > 0) assert.match(error.reason, new RegExp(`at line ${line}: '`));
          assert(error.message.startsWith("/log/the.manifest is damaged at byte ") && error.advice.endsWith("."));
          return true;
        },
      );
    });
  }
  test("a line of 1023 bytes is not", () => {
    assert.equal(parse(`${fine}#${"x".repeat(1022)}\n`).incrs.length, 1);
  });
});

test("mutated manifests: read, or refused with a place in the file, and what was read can be written", () => {
  const seed = seedOfRun();
  const random = new Random(seed);
  const sample = formatManifest({ base: BASE, incrs: [NAMES.incr(3), INCR], history: [] });
  let refused = 0;
  for (let round = 0; round < 2_000; round += 1) {
    const bytes = Buffer.from(sample.subarray(0, random.between(1, sample.length)));
    for (let change = random.below(3); change > 0; change -= 1) bytes[random.below(bytes.length)] = random.below(256);
    try {
      const manifest = parseManifest(bytes);
      const again = formatManifest(manifest);
      if (again.length > 0) assert.deepEqual(parseManifest(again), manifest, `seed ${seed}, round ${round}`);
    } catch (error) {
      assert(error instanceof DamagedFileError, `seed ${seed}, round ${round}: ${error}`);
      assert(error.offset >= 0 && error.offset <= bytes.length);
      refused += 1;
    }
  }
  assert(refused > 100 && refused < 2_000, `${refused} refused`);
});

test("a manifest is committed in one step, whatever call is the last one before a power cut", () => {
  const seed = seedOfRun();
  const random = new Random(seed);
  const disk = new FaultyFiles(["/log"]);
  const before: Manifest = { base: undefined, incrs: [INCR], history: [] };
  const after: Manifest = { base: BASE, incrs: [INCR, NAMES.incr(5)], history: [] };
  assert.equal(readManifest(disk, "/log", NAMES), undefined);
  commitManifest(disk, "/log", NAMES, before);
  assert.deepEqual(readManifest(disk, "/log", NAMES), before);
  const seen = new Set<number>();
  const look = () => {
    for (let round = 0; round < 20; round += 1) {
      const found = readManifest(disk.crash(random), "/log", NAMES);
      assert.deepEqual(found, found?.base === undefined ? before : after, `seed ${seed}`);
      seen.add(found?.incrs.length ?? 0);
    }
  };
  disk.onCall = look;
  commitManifest(disk, "/log", NAMES, after);
  assert.deepEqual(seen, new Set([1, 2]));
  disk.onCall = undefined;
  assert.deepEqual(readManifest(disk.crash(random), "/log", NAMES), after);
  assert.equal(disk.openFiles, 0);
  disk.failAt(3, "EIO");
  assert.throws(() => readManifest(disk, "/log", NAMES), { code: "EIO" });
  assert.equal(disk.openFiles, 0);
});

test("what breaks the rules is not written", () => {
  const disk = new FaultyFiles(["/log"]);
  const commit = (manifest: Manifest) => () => commitManifest(disk, "/log", NAMES, manifest);
  assert.throws(commit({ base: undefined, incrs: [INCR, INCR], history: [] }), DamagedFileError);
  assert.throws(commit({ base: undefined, incrs: [{ ...INCR, name: "a/b" }], history: [] }), DamagedFileError);
  assert.throws(commit({ base: undefined, incrs: [BASE], history: [] }), { code: "ERR_ASSERTION" });
  assert.deepEqual(disk.list("/log"), []);
});

const noRedis = (() => {
  try {
    execFileSync("redis-server", ["--version"], { stdio: "ignore" });
    return false;
  } catch {
    return "redis-server is not installed; on Debian or Ubuntu: apt-get install redis-server";
  }
})();

describe("beside redis-server", { skip: noRedis }, () => {
  const temporary = (t: TestContext): string => {
    const directory = mkdtempSync(join(tmpdir(), "manifest-test-"));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    return directory;
  };

  test("we read what it writes, to the byte, for odd names as well", async (t) => {
    for (const filename of ["appendonly.aof", "my log.aof"]) {
      const directory = temporary(t);
      const server = await startRedis(["--dir", directory, "--appendonly", "yes", "--appendfilename", filename]);
      t.after(() => server.stop());
      const client = await server.client();
      await client.command("SET", "a", "1");
      await client.command("BGREWRITEAOF");
      const log = join(directory, "appendonlydir");
      const names = new AofNames(filename);
      // After a rewrite it has a second base; history is there until it has been deleted.
      const deadline = Date.now() + 8_000;
      let manifest = readManifest(realFiles, log, names);
      while (manifest?.base?.sequence !== 2 || manifest.history.length > 0) {
        assert(Date.now() < deadline, "no rewrite within 8 s");
        await client.command("PING");
        manifest = readManifest(realFiles, log, names);
      }
      assert.deepEqual(manifest, { base: names.base(2, true), incrs: [names.incr(2)], history: [] });
      assert.deepEqual(formatManifest(manifest), readFileSync(join(log, names.manifest)));
      const listed = [names.manifest, ...[manifest.base, ...manifest.incrs].map((file) => file?.name)];
      assert.deepEqual(readdirSync(log).sort(), listed.sort());
      await client.close();
      await server.stop();
    }
  });

  test("it reads what we write", async (t) => {
    for (const filename of ["appendonly.aof", 'my "log".aof']) {
      const directory = temporary(t);
      const log = join(directory, "appendonlydir");
      mkdirSync(log);
      const names = new AofNames(filename);
      const put = (file: LogFile, ...commands: string[][]) =>
        writeFileSync(join(log, file.name), Buffer.concat(commands.map((command) => encodeCommand(command))));
      const manifest: Manifest = {
        base: names.base(3, false),
        incrs: [names.incr(5), names.incr(9)],
        history: [{ ...names.incr(4), type: "h" }],
      };
      put(names.base(3, false), ["SELECT", "0"], ["SET", "a", "base"], ["SET", "b", "base"]);
      put(names.incr(5), ["SELECT", "0"], ["APPEND", "b", ", 5"]);
      put(names.incr(9), ["SELECT", "0"], ["APPEND", "b", ", 9"]);
      put(names.incr(4), ["not", "read"]);
      commitManifest(realFiles, log, names, manifest);
      const server = await startRedis(["--dir", directory, "--appendonly", "yes", "--appendfilename", filename]);
      t.after(() => server.stop());
      const client = await server.client();
      assert.equal((await client.command("GET", "a")).toString(), "$4\r\nbase\r\n");
      assert.equal((await client.command("GET", "b")).toString(), "$10\r\nbase, 5, 9\r\n");
      await client.close();
      await server.stop();
    }
  });

  test("what we refuse, it refuses in the same words", async (t) => {
    const texts = ["", "file a.1.incr.aof seq 1 type i\n\n", "file a seq 1 type i", "file a/b seq 1 type i\n"];
    texts.push("file a seq 1 type b\nfile b seq 2 type b\n", "file a seq 2 type i\nfile b seq 2 type i\n");
    texts.push("file a seq 1 type x\n", "file a seq 0 type i\n", `file a seq 1 type i${" ".repeat(1005)}\n`);
    for (const text of texts) {
      const directory = temporary(t);
      mkdirSync(join(directory, "appendonlydir"));
      writeFileSync(join(directory, "appendonlydir", NAMES.manifest), text);
      let reason = "";
      try {
        parse(text);
      } catch (error) {
        reason = (error as DamagedFileError).reason;
      }
      const words = reason.replace(/, at line .*$/s, "");
      assert.notEqual(words, "", text);
      await assert.rejects(startRedis(["--dir", directory, "--appendonly", "yes"]), (error: Error) => {
        assert(error.message.includes(words), `'${text}': wanted '${words}' in\n${error.message}`);
        return true;
      });
    }
  });
});
