/** Background threads and the process they are in: how it ends, how and where it was started, what was installed. */
import assert from "node:assert/strict";
import { type ExecFileException, execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startStillwater } from "../testing/servers.ts";

const OWNER = new URL("./background-thread.js", import.meta.url).href;
const SCRIPT = new URL("../testing/background-worker.js", import.meta.url).href;
const PACKAGE = fileURLToPath(new URL("../..", import.meta.url));
const TIMEOUT_MS = 60_000;

interface Ended {
  readonly code: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

function execute(file: string, args: readonly string[], cwd: string): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(file, args, { cwd, timeout: TIMEOUT_MS }, (error: ExecFileException | null, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (error.code ?? error.signal ?? null), stdout, stderr });
    });
  });
}

function newFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "stillwater-threads-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A program with `thread`, whose replies come to `onMessage`. */
function program(body: string): string {
  return `
    import { BackgroundThread } from ${JSON.stringify(OWNER)};
    let onMessage = () => undefined;
    const thread = new BackgroundThread({
      name: "tested",
      script: new URL(${JSON.stringify(SCRIPT)}),
      inboxMax: 10,
      onMessage: (reply) => onMessage(reply),
    });
    const write = (text) => process.stdout.write(text + "\\n");
    const nextReply = () => new Promise((resolve) => {
      const alive = setInterval(() => undefined, 1000);
      onMessage = (reply) => {
        clearInterval(alive);
        resolve(reply);
      };
    });
    ${body}
  `;
}

const ENDINGS: [title: string, body: string, printed: string][] = [
  ["while a thread starts", 'thread.post({ kind: "echo", id: 1 });', ""],
  ["while a thread waits for work", 'thread.post({ kind: "echo", id: 1 }); write((await nextReply()).id);', "1\n"],
  [
    "while a thread works",
    'thread.post({ kind: "burst", replies: 1, ending: "hang" }); await nextReply(); write("working");',
    "working\n",
  ],
  [
    "while a thread that failed waits for its next attempt",
    'thread.post({ kind: "burst", replies: 1, ending: "throw" }); await nextReply(); await thread.kill();',
    "",
  ],
  [
    "once a thread has been joined, which is waited for",
    'thread.post({ kind: "echo", id: 1 }); await thread.stop(20_000); write(thread.state);',
    "stopped\n",
  ],
  [
    "once a thread that hangs has been joined",
    'thread.post({ kind: "burst", replies: 0, ending: "hang" }); await thread.stop(50); write(thread.lastError);',
    "did not stop within 50 ms\n",
  ],
];

for (const [title, body, printed] of ENDINGS) {
  test(`a process ends ${title}`, async (t) => {
    const ended = await execute(process.execPath, ["--input-type=module", "-e", program(body)], newFolder(t));
    assert.deepEqual(ended, { code: 0, stdout: printed, stderr: "" });
  });
}

test("a thread runs whatever options the process was started with", async (t) => {
  const body = 'thread.post({ kind: "echo", id: 5 }); write((await nextReply()).id); write(thread.restarts);';
  const options = ["--frozen-intrinsics", "--no-addons", "--disallow-code-generation-from-strings", "--no-warnings"];
  const folder = newFolder(t);
  for (const option of [[], ["--conditions=nothing"], ["--stack-size=900"], options]) {
    const args = [...option, "--input-type=module", "-e", program(body)];
    const { code, stdout, stderr } = await execute(process.execPath, args, folder);
    assert.deepEqual({ code, stdout }, { code: 0, stdout: "5\n0\n" }, `${option.join(" ")}: ${stderr}`);
  }
});

/** A program that has the package: something large is freed by the thread of its store. */
const EMBEDDING = `
  import { open } from "stillwater";
  const db = await open();
  for (let index = 0; index < 50_000; index++) db.sadd("s", "member " + index);
  db.unlink("s");
  const deadline = performance.now() + 20_000;
  while (!/lazyfreed_objects:1/.test(db.info("memory")) && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const thread = /thread_lazyfree:.*/.exec(db.info("threads"))[0];
  if (!/state=running,restarts=0,messages=1/.test(thread)) throw new Error(thread);
  await db.close();
  process.stdout.write("freed\\n");
`;

/** As `npm install` would have put it there. */
async function install(folder: string): Promise<string> {
  const target = join(folder, "node_modules", "stillwater");
  mkdirSync(target, { recursive: true });
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const packed = await execute(npm, ["pack", "--ignore-scripts", "--json", "--pack-destination", folder], PACKAGE);
  assert.equal(packed.code, 0, packed.stderr);
  const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }];
  const extracted = await execute("tar", ["-xzf", filename, "-C", target, "--strip-components=1"], folder);
  assert.equal(extracted.code, 0, extracted.stderr);
  return target;
}

/** The other export, beside the first: what both throw is the same class. */
const SERVING = `
  import { CommandError } from "stillwater";
  import { Configuration, Server, Store } from "stillwater/server";
  const store = new Store(new Configuration());
  const server = new Server(store);
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  try {
    store.files;
  } catch (error) {
    process.stdout.write((error instanceof CommandError) + " " + (port > 0) + "\\n");
  }
  server.unref();
`;

test("the package works as it is installed, threads included, from any working directory", async (t) => {
  const folder = newFolder(t);
  const target = await install(folder);
  for (const [name, text, printed] of [
    ["embedding.mjs", EMBEDDING, "freed\n"],
    ["serving.mjs", SERVING, "true true\n"],
  ] as const) {
    const file = join(folder, name);
    writeFileSync(file, text);
    assert.deepEqual(await execute(process.execPath, [file], tmpdir()), { code: 0, stdout: printed, stderr: "" });
  }
  const { bin } = JSON.parse(readFileSync(join(target, "package.json"), "utf8")) as { bin: { stillwater: string } };
  const version = await execute(process.execPath, [join(target, bin.stillwater), "--version"], tmpdir());
  assert.match(version.stdout, /^Stillwater server v=/, version.stderr);
});

test("a server has its threads from the start, and SHUTDOWN joins them while they work", async (t) => {
  const server = await startStillwater();
  t.after(() => server.stop());
  const client = await server.client();
  assert.match(String(await client.command("INFO", "threads")), /thread_lazyfree:state=(starting|running),/);
  const fields = Array.from({ length: 2000 }, (_, index) => [`field ${index}`, "value"]).flat();
  for (let key = 0; key < 20; key++) await client.command("HSET", `h${key}`, ...fields);
  for (let key = 0; key < 20; key++) await client.command("UNLINK", `h${key}`);
  assert.match(String(await client.command("INFO", "threads")), /thread_lazyfree:.*messages=[1-9]/);
  const begin = performance.now();
  const client2 = await server.client();
  await Promise.allSettled([client2.command("SHUTDOWN", "NOSAVE")]);
  while (server.ended() === undefined && performance.now() - begin < TIMEOUT_MS) await sleep(10);
  assert.equal(server.ended(), "exit code 0", server.output());
  assert.match(server.output(), /Bye\./);
  assert(performance.now() - begin < 5000);
});
