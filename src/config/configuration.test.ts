import assert from "node:assert/strict";
import { test } from "node:test";
import { Configuration, ConfigurationError } from "./configuration.ts";
import { Refusal } from "./directive.ts";
import { keyspaceEvents } from "./keyspace-events.ts";

function failure(action: () => void): string {
  try {
    action();
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return `${error.code} ${error.message}`;
  }
  return "OK";
}

test("values are typed", () => {
  const configuration = new Configuration("/data");
  const port: number = configuration.get("port");
  const level: "debug" | "verbose" | "notice" | "warning" | "nothing" = configuration.get("loglevel");
  const addresses: readonly string[] = configuration.get("bind");
  const protectedMode: boolean = configuration.get("protected-mode");
  assert.deepEqual([port, level, addresses, protectedMode], [6379, "notice", ["*", "-::*"], true]);
  assert.deepEqual(configuration.get("client-output-buffer-limit").pubsub, {
    hardBytes: 33554432,
    softBytes: 8388608,
    softSeconds: 60,
  });
  assert.deepEqual(configuration.get("maxmemory-clients"), { amount: 0, unit: "bytes" });
  assert.deepEqual(configuration.get("save")[0], { seconds: 3600, changes: 1 });
  assert.equal(configuration.get("replicaof"), undefined);
  assert.equal(configuration.get("dir"), "/data");
  assert.equal(configuration.get("unixsocket"), "");
  assert.deepEqual(configuration.get("requirepass"), new Uint8Array());
});

test("special values are read into what the program needs", () => {
  const configuration = new Configuration("/data");
  configuration.configSet([
    ["requirepass", "p\xff"],
    ["notify-keyspace-events", "Kx"],
    ["maxmemory-clients", "7%"],
    ["shutdown-on-sigterm", "force nosave"],
    ["client-output-buffer-limit", "replica 1kb 1k 5"],
    ["maxmemory", "18446744073709551615"],
  ]);
  assert.deepEqual(configuration.get("requirepass"), Uint8Array.of(0x70, 0xff));
  assert.equal(configuration.get("notify-keyspace-events"), keyspaceEvents.keyspace | keyspaceEvents.expired);
  assert.deepEqual(configuration.get("maxmemory-clients"), { amount: 7, unit: "percent" });
  assert.deepEqual([...configuration.get("shutdown-on-sigterm")], ["nosave", "force"]);
  const { replica, normal } = configuration.get("client-output-buffer-limit");
  assert.deepEqual(replica, { hardBytes: 1024, softBytes: 1000, softSeconds: 5 });
  assert.deepEqual(normal, { hardBytes: 0, softBytes: 0, softSeconds: 0 });
  assert.equal(configuration.get("maxmemory"), 2 ** 64);
  assert.deepEqual(configuration.configGet(["maxmemory"]), [["maxmemory", "18446744073709551615"]]);
  configuration.configSet([["notify-keyspace-events", "AnKE"]]);
  assert.deepEqual(configuration.configGet(["notify-keyspace-events"]), [["notify-keyspace-events", "AnKE"]]);
});

test("CONFIG GET matches names and aliases, in any case, each once", () => {
  const configuration = new Configuration();
  const names = (...patterns: string[]) => configuration.configGet(patterns).map(([name]) => name);
  assert.deepEqual(names("MaxMemory"), ["MaxMemory"]);
  assert.deepEqual(names("maxmemory", "MAXMEMORY"), ["maxmemory"]);
  assert.deepEqual(names("MAXMEMORY", "maxmemory-S*", "maxmemor?"), ["MAXMEMORY", "maxmemory-samples"]);
  assert.deepEqual(names("slave-prio*"), ["slave-priority"]);
  assert.deepEqual(names("*-priority"), ["replica-priority", "slave-priority"]);
  assert.deepEqual(names("nosuch", "nosuch*", "maxmemor\\y"), []);
  assert.deepEqual(names("use-exit*"), []);
  assert.deepEqual(names("use-exit-on-panic"), ["use-exit-on-panic"]);
});

test("CONFIG SET sets all or nothing", () => {
  const configuration = new Configuration("/data");
  const before = configuration.configGet(["*"]);
  const set = (...pairs: Array<[string, string]>) => failure(() => configuration.configSet(pairs));
  const related = (name: string) => `ERR CONFIG SET failed (possibly related to argument '${name}') -`;
  assert.equal(set(["timeout", "7"], ["Maxmemory", "x"]), `${related("maxmemory")} argument must be a memory value`);
  assert.equal(
    set(["timeout", "7"], ["nosuch", "1"], ["databases", "5"]),
    "ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'",
  );
  assert.equal(set(["timeout", "7"], ["DATABASES", "5"]), `${related("DATABASES")} can't set immutable config`);
  assert.equal(set(["timeout", "7"], ["TIMEOUT", "8"]), `${related("TIMEOUT")} duplicate parameter`);
  assert.equal(set(["dir", "/"]), `${related("dir")} can't set protected config`);
  assert.deepEqual(configuration.configGet(["*"]), before);
  assert.equal(set(["timeout", "7"], ["hash-max-ziplist-value", "5"], ["hash-max-listpack-value", "6"]), "OK");
  assert.equal(configuration.get("timeout"), 7);
  assert.equal(configuration.get("hash-max-listpack-value"), 6);
});

test("circumstances decide about protected directives and about loading", () => {
  const configuration = new Configuration("/data");
  configuration.initialize("enable-protected-configs", ["local"]);
  const set = (name: string, value: string, loading: boolean, local: boolean) =>
    failure(() => configuration.configSet([[name, value]], { loading, local }));
  assert.match(set("dbfilename", "x.rdb", false, false), /can't set protected config$/);
  assert.equal(set("dbfilename", "x.rdb", false, true), "OK");
  assert.equal(set("appendonly", "yes", true, true), "LOADING Redis is loading the dataset in memory");
  assert.equal(set("appendonly", "yes", false, true), "OK");
  assert.match(set("dir", "/nonexistent", false, true), /- No such file or directory$/);
  assert.match(set("dir", process.execPath, false, true), /- Not a directory$/);
});

test("listeners see changes when all values are set, and may refuse them", () => {
  const configuration = new Configuration();
  const calls: string[] = [];
  configuration.onChange("timeout", (value, previous) => {
    calls.push(`timeout ${previous} -> ${value}, port ${configuration.get("port")}`);
    return undefined;
  });
  const end = configuration.onChange("port", (value) => (value === 1 ? "Unable to listen on this port." : undefined));
  configuration.configSet([
    ["timeout", "5"],
    ["port", "7000"],
  ]);
  configuration.configSet([["timeout", "5"]]);
  const refused = failure(() =>
    configuration.configSet([
      ["timeout", "6"],
      ["port", "1"],
    ]),
  );
  assert.equal(refused, "ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port.");
  assert.deepEqual([configuration.get("timeout"), configuration.get("port")], [5, 7000]);
  assert.deepEqual(calls, ["timeout 0 -> 5, port 7000", "timeout 5 -> 6, port 1", "timeout 6 -> 5, port 7000"]);
  end();
  configuration.configSet([["port", "1"]]);
  assert.equal(configuration.get("port"), 1);
});

test("a listener that fails, or refuses to go back, is not swallowed", () => {
  const configuration = new Configuration();
  configuration.onChange("timeout", (value) => (value === 0 ? "stuck" : undefined));
  configuration.onChange("port", (value) => {
    if (value === 1) throw new Error("broken");
    return value === 2 ? "taken" : undefined;
  });
  const pairs = (port: string) =>
    [
      ["timeout", "5"],
      ["port", port],
    ] as const;
  assert.match(
    failure(() => configuration.configSet(pairs("2"))),
    /- taken\. Restoring failed: stuck$/,
  );
  assert.throws(() => configuration.configSet(pairs("1")), /broken/);
  assert.deepEqual([configuration.get("timeout"), configuration.get("port")], [0, 6379]);
});

test("start-up sets what CONFIG SET cannot, and remembers what was given", () => {
  const configuration = new Configuration("/data");
  configuration.initialize("DATABASES", ["4"]);
  configuration.initialize("slaveof", ["host 7000"]);
  configuration.initialize("dir", ["sub"]);
  configuration.initialize("dir", ["deeper"]);
  assert.equal(configuration.get("databases"), 4);
  assert.deepEqual(configuration.get("replicaof"), { host: "host", port: 7000 });
  assert.equal(configuration.get("dir"), "/data/sub/deeper");
  assert.ok(configuration.wasGiven("replicaof") && !configuration.wasGiven("port"));
  assert.throws(() => configuration.initialize("nosuch", ["1"]), Refusal);
  assert.throws(() => configuration.initialize("port", []), /wrong number of arguments/);
  assert.throws(() => configuration.initialize("region-size", ["3gb"]), /between 0 and 2147483648 inclusive/);
});

test("the lines of save add up at start-up, and replace the list later", () => {
  const configuration = new Configuration();
  const shown = () => configuration.configGet(["save"])[0]![1];
  configuration.initialize("save", ["900", "1"]);
  configuration.initialize("save", ["300", "10", "60", "100"]);
  assert.equal(shown(), "900 1 300 10 60 100");
  configuration.initialize("save", [""]);
  assert.equal(shown(), "");
  configuration.initialize("save", ["5 6"]);
  assert.equal(shown(), "5 6");
  configuration.configSet([["save", "7 8"]]);
  assert.equal(shown(), "7 8");
});
