/** Replies that come later, and the passwords that an embedded program need not give. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Configuration } from "../config/configuration.ts";
import { Store } from "../engine/store.ts";
import { Core } from "./core.ts";

test("a reply that comes later is waited for by executeAsync, and refused by execute", async () => {
  const directory = mkdtempSync(join(tmpdir(), "stillwater-core-"));
  const configuration = new Configuration(directory);
  const core = new Core(new Store(configuration, Date.now, { shards: 1, regionSize: 2 ** 20 }));
  const context = core.newContext(0);
  configuration.file = join(directory, "redis.conf");
  core.execute(context, "CONFIG", ["SET", "slowlog-max-len", "77"], false);
  const rewritten = core.executeAsync(context, "CONFIG", ["REWRITE"]);
  assert.equal(core.execute(context, "ECHO", ["meanwhile"], false), "meanwhile");
  assert.equal(await rewritten, "OK");
  assert.match(readFileSync(configuration.file, "utf8"), /slowlog-max-len 77/);
  assert.throws(
    () => core.execute(context, "CONFIG", ["REWRITE"], false),
    /'config\|rewrite' comes later: use callAsync/,
  );
  assert.equal(await core.executeAsync(context, "CONFIG", ["REWRITE"]), "OK");
  configuration.file = join(directory, "none", "redis.conf");
  await assert.rejects(core.executeAsync(context, "CONFIG", ["REWRITE"]), { code: "ERR" });
  await core.store.close();
  rmSync(directory, { recursive: true });
});

test("passwords do not lock the program out", async () => {
  const core = new Core(new Store(new Configuration(), Date.now, { shards: 1, regionSize: 2 ** 20 }));
  const context = core.newContext(0);
  core.execute(context, "CONFIG", ["SET", "requirepass", "secret"], false);
  assert.throws(() => core.execute(context, "AUTH", ["wrong"], false), { code: "WRONGPASS" });
  assert.equal(core.execute(context, "RESET", [], false), "RESET");
  assert.equal(core.execute(context, "GET", ["k"], false), null);
  await core.store.close();
});
