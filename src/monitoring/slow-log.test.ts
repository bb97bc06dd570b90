import assert from "node:assert/strict";
import { test } from "node:test";
import { Arguments } from "../base/arguments.ts";
import { Configuration } from "../config/configuration.ts";
import { formatMonitorLine } from "./monitor-feed.ts";
import { SlowLog } from "./slow-log.ts";

const client = { address: "127.0.0.1:1", name: "me" };

function argumentsOf(...words: (string | Buffer)[]): Arguments {
  const parts = words.map((word) => Buffer.from(word as string));
  const args = new Arguments();
  args.reset(Buffer.concat(parts));
  let at = 0;
  for (const { length } of parts) {
    args.push(at, length);
    at += length;
  }
  return args;
}

test("only what took as long as configured is logged, and only so many", () => {
  const configuration = new Configuration();
  configuration.initialize("slowlog-log-slower-than", ["100"]);
  configuration.initialize("slowlog-max-len", ["3"]);
  const log = new SlowLog(configuration);
  for (const microseconds of [99.9, 100, 500.7, 20, 600, 700]) {
    log.consider(argumentsOf("X"), microseconds, client, 5999);
  }
  const logged = log.latest(9).map(({ id, time, microseconds }) => `${id} ${time} ${microseconds}`);
  assert.deepEqual(logged, ["3 5 700", "2 5 600", "1 5 500"]);
  configuration.configSet([["slowlog-max-len", "1"]]);
  log.consider(argumentsOf("X"), 1, client, 0);
  assert.equal(log.length, 1);
  log.reset();
  configuration.configSet([["slowlog-log-slower-than", "-1"]]);
  log.consider(argumentsOf("X"), 1e9, client, 0);
  assert.equal(log.length, 0);
  configuration.configSet([
    ["slowlog-log-slower-than", "0"],
    ["slowlog-max-len", "5"],
  ]);
  log.consider(argumentsOf("X"), 0, client, 0);
  assert.equal(log.latest(1)[0]!.id, 4);
});

test("long commands are cut, and secrets are not kept", () => {
  const configuration = new Configuration();
  configuration.initialize("slowlog-log-slower-than", ["0"]);
  const log = new SlowLog(configuration);
  const logged = (args: Arguments, secrets?: number[]): string[] => {
    log.consider(args, 1, client, 0, secrets);
    return log.latest(1)[0]!.args.map(String);
  };
  assert.deepEqual(logged(argumentsOf("X", "a".repeat(128))), ["X", "a".repeat(128)]);
  assert.deepEqual(logged(argumentsOf("X", "a".repeat(130))), ["X", `${"a".repeat(128)}... (2 more bytes)`]);
  assert.deepEqual(logged(argumentsOf("AUTH", "secret"), [1]), ["AUTH", "(redacted)"]);
  const words = Array.from({ length: 32 }, (_, index) => `${index}`);
  assert.deepEqual(logged(argumentsOf(...words)), words);
  assert.deepEqual(logged(argumentsOf(...words, "32")), [...words.slice(0, 31), "... (2 more arguments)"]);
});

test("MONITOR's lines quote every byte", () => {
  const args = argumentsOf("set", 'a"b\\', Buffer.from([0, 0x0a, 0xff]), "");
  assert.equal(
    formatMonitorLine(1_339_518_083_000_412, 3, "127.0.0.1:60866", args),
    '+1339518083.000412 [3 127.0.0.1:60866] "set" "a\\"b\\\\" "\\x00\\n\\xff" ""\r\n',
  );
  assert.equal(
    formatMonitorLine(1e6, 0, "/tmp/socket:0", argumentsOf("AUTH", "secret"), [1]),
    '+1.000000 [0 unix:/tmp/socket] "AUTH" "(redacted)"\r\n',
  );
});
