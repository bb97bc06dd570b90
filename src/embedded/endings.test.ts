/** However a program with a store ends by itself, what it wrote is there again. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { SHIPPED_INDEX } from "../testing/shipped.ts";
import { open } from "./index.ts";

const CHILD_MS = 20_000;

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "stillwater-ending-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Runs a program in a process of its own, and hears what it says. */
function run(
  cwd: string,
  script: string,
  killWith?: NodeJS.Signals,
): Promise<{ output: string; errors: string; code: number | string }> {
  const source = `import { open } from ${JSON.stringify(SHIPPED_INDEX)};\n${script}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", source], { cwd });
  let output = "";
  let errors = "";
  child.stdout.on("data", (text) => {
    output += text;
    if (killWith !== undefined && output.includes("ready")) child.kill(killWith);
  });
  child.stderr.on("data", (text) => (errors += text));
  const timer = setTimeout(() => child.kill("SIGKILL"), CHILD_MS);
  return new Promise((resolve) => {
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ output, errors, code: code ?? signal ?? "unknown" });
    });
  });
}

test("a store that was not given a directory touches none", async (t) => {
  const cwd = temporaryDirectory(t);
  const { output, code } = await run(
    cwd,
    `
      const db = await open({ maxMemory: "20mb" });
      db.set("k", "v");
      const refused = [() => db.save(), () => db.config("SET", "appendonly", "yes")].map((call) => {
        try { return call(); } catch (error) { return error.code; }
      });
      const later = [db.durable, db.bgsave, db.rewrite].map((call) => call.call(db).catch((error) => error.code));
      const late = await Promise.all(later);
      process.stdout.write(JSON.stringify([...refused, ...late, db.openReport.source]));
      await db.close();
    `,
  );
  assert.deepEqual([JSON.parse(output), code], [["ERR", "ERR", "ERR", "ERR", "ERR", "none"], 0]);
  assert.deepEqual(readdirSync(cwd), []);
});

const OPEN = (fsync: string): string =>
  `const db = await open({ dir: process.cwd(), fsync: "${fsync}", maxMemory: "20mb" });
   db.set("earlier", "1");
   await new Promise((resolve) => setTimeout(resolve, 20));`;

/** How programs end, and what of the data must be there then: each writes "k" last. */
const ENDS: [title: string, script: string, code: number | string, keys: Record<string, string>][] = [
  ["by having nothing more to do, without close", `db.set("k", "v");`, 0, { k: "v" }],
  [
    "by an error that nobody catches, in the turn of the write",
    `db.set("k", "v"); throw new Error("expected");`,
    1,
    { k: "v" },
  ],
  [
    "by an error in a later turn",
    `setTimeout(() => { db.set("k", "v"); throw new Error("expected"); }, 5);`,
    1,
    { k: "v" },
  ],
  ["by process.exit in the turn of the write", `db.set("k", "v"); process.exit(3);`, 3, { k: "v" }],
  [
    "by process.exit in a listener of exit",
    `process.on("exit", () => db.set("never", "asked")); db.set("k", "v");`,
    0,
    { k: "v" },
  ],
  [
    "by a rejection that nobody handles",
    `db.set("k", "v"); void Promise.reject(new Error("expected"));`,
    1,
    { k: "v" },
  ],
  [
    "by close, and process.exit when it has resolved",
    `db.set("k", "v"); await db.close(); process.exit(4);`,
    4,
    { k: "v" },
  ],
  [
    "while a rewrite is under way",
    `db.set("k", "v"); void db.rewrite(); db.append("k", "w"); process.exit(5);`,
    5,
    { k: "vw" },
  ],
];

describe("however the program ends, nothing is lost that was promised", { concurrency: 2 }, () => {
  for (const fsync of ["always", "everysec"]) {
    for (const [title, script, code, keys] of fsync === "always" ? ENDS : ENDS.filter((_, index) => index % 3 === 0)) {
      test(`${fsync}: ${title}`, async (t) => {
        const cwd = temporaryDirectory(t);
        const ended = await run(cwd, `${OPEN(fsync)}\n${script}`);
        assert.equal(ended.code, code, ended.errors);
        await check(t, cwd, keys);
      });
    }

    test(`${fsync}: by a signal, after the turn of the write`, async (t) => {
      const cwd = temporaryDirectory(t);
      const wait =
        fsync === "always" ? "await db.durable();" : "await new Promise((resolve) => setTimeout(resolve, 10));";
      const stay = `process.stdout.write("ready"); setInterval(() => undefined, 1000);`;
      const script = `${OPEN(fsync)}\ndb.set("k", "v"); ${wait} ${stay}`;
      const ended = await run(cwd, script, fsync === "always" ? "SIGKILL" : "SIGTERM");
      assert.match(String(ended.code), /^SIG/);
      await check(t, cwd, { k: "v" });
    });
  }
});

async function check(t: TestContext, dir: string, keys: Record<string, string>): Promise<void> {
  const db = await open({ dir, maxMemory: "20mb" });
  t.after(() => db.close());
  assert.equal(db.get("earlier"), "1");
  for (const [key, value] of Object.entries(keys)) assert.equal(db.get(key), value, key);
  assert.deepEqual(db.openReport.cutOff, []);
}
