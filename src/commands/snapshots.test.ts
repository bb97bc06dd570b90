/** SAVE, BGSAVE and LASTSAVE hand on what they are asked, and say what they are told. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandRunner } from "../testing/commands.ts";
import { allCommands } from "./all-commands.ts";
import { CommandError } from "./errors.ts";
import { NO_FILES, NoPersistence } from "./no-persistence.ts";

class RecordedPersistence extends NoPersistence {
  readonly asked: string[] = [];
  refusal: string | undefined;

  constructor() {
    super(1234, () => 0);
  }

  override save(): void {
    this.#note("save");
  }

  override saveInBackground(schedule = false): string {
    this.#note(schedule ? "schedule" : "background");
    return "Background saving started";
  }

  override beforeFlushAll(): void {
    this.asked.push("before");
  }

  override afterFlushAll(): void {
    this.asked.push("after");
  }

  #note(what: string): void {
    if (this.refusal !== undefined) throw new CommandError(this.refusal);
    this.asked.push(what);
  }
}

test("what is asked and what is replied", () => {
  const runner = new CommandRunner(allCommands);
  const persistence = new RecordedPersistence();
  runner.services.persistence = persistence;
  assert.equal(runner.run("SAVE"), "+OK\r\n");
  assert.equal(runner.run("BGSAVE"), "+Background saving started\r\n");
  assert.equal(runner.run("BGSAVE", "schedule"), "+Background saving started\r\n");
  assert.equal(runner.run("LASTSAVE"), ":1234\r\n");
  assert.deepEqual(persistence.asked, ["save", "background", "schedule"]);
  assert.equal(runner.run("SAVE", "x"), "-ERR wrong number of arguments for 'save' command\r\n");
  assert.equal(runner.run("BGSAVE", "x"), "-ERR syntax error\r\n");
  assert.equal(runner.run("BGSAVE", "SCHEDULE", "x"), "-ERR syntax error\r\n");
  persistence.refusal = "ERR Background save already in progress";
  for (const command of ["SAVE", "BGSAVE"]) assert.equal(runner.run(command), `-${persistence.refusal}\r\n`);
});

test("FLUSHALL says so before and after, FLUSHDB does not", () => {
  const runner = new CommandRunner(allCommands);
  const persistence = new RecordedPersistence();
  runner.services.persistence = persistence;
  runner.run("SET", "k", "v");
  runner.run("FLUSHDB");
  assert.deepEqual(persistence.asked, []);
  runner.run("FLUSHALL");
  assert.deepEqual(persistence.asked, ["before", "after"]);
});

test("a store without files refuses to save, and says what to do", async () => {
  assert.match(NO_FILES, /^ERR .*the option dir$/);
  const runner = new CommandRunner(allCommands);
  for (const command of ["SAVE", "BGSAVE"]) {
    assert.equal(runner.run(command), `-${NO_FILES}\r\n`);
  }
  await assert.rejects(runner.services.persistence.durable(), { message: NO_FILES });
  assert.match(runner.run("INFO", "persistence"), /rdb_bgsave_in_progress:0\r\nrdb_last_save_time:\d{10}\r\n/);
});
