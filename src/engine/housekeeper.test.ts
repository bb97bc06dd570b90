import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Configuration } from "../config/configuration.ts";
import { until } from "../testing/sockets.ts";
import { type Chores, Housekeeper, type HousekeepingOptions } from "./housekeeper.ts";

/** Chores that note what is asked of them; work is counted in steps, each of which takes a while. */
class RecordedChores implements Chores {
  readonly calls: string[] = [];
  readonly budgets: number[] = [];
  steps = { expire: 0, release: 0, evict: 0, tidy: 0 };
  stepMs = 0;
  clients = 0;
  commands = 0;
  onFinish: () => void = () => undefined;

  clientCount(): number {
    return this.clients;
  }
  commandCount(): number {
    return this.commands;
  }
  refresh(): void {
    this.calls.push("refresh");
  }
  expire(budgetMs: number): boolean {
    return this.#work("expire", budgetMs);
  }
  release(budgetMs: number): boolean {
    return this.#work("release", budgetMs);
  }
  evict(budgetMs: number): boolean {
    return this.#work("evict", budgetMs);
  }
  tidy(budgetMs: number): boolean {
    return this.#work("tidy", budgetMs);
  }
  finish(): void {
    this.calls.push("finish");
    this.onFinish();
  }

  count(call: string): number {
    return this.calls.filter((each) => each === call).length;
  }

  #work(name: keyof typeof this.steps, budgetMs: number): boolean {
    this.calls.push(name);
    this.budgets.push(budgetMs);
    const end = performance.now() + budgetMs;
    while (this.steps[name] > 0 && performance.now() < end) {
      this.steps[name] -= 1;
      const stepEnd = performance.now() + this.stepMs;
      while (performance.now() < stepEnd);
    }
    return this.steps[name] > 0;
  }
}

function newHousekeeper(directives: Record<string, string> = {}, options: HousekeepingOptions = {}) {
  const configuration = new Configuration();
  for (const [name, value] of Object.entries(directives)) configuration.initialize(name, [value]);
  const chores = new RecordedChores();
  return { chores, configuration, housekeeper: new Housekeeper(chores, configuration, options) };
}

const ROUND = ["refresh", "expire", "release", "evict", "tidy", "finish"];

test("a tick does everything once, in order", () => {
  const { chores, housekeeper } = newHousekeeper({}, { mode: "manual" });
  assert.equal(housekeeper.tick(), false);
  assert.deepEqual(chores.calls, ROUND);
  assert.deepEqual(chores.budgets, [0.5, 0.5, 0.5, 0.5]);
  housekeeper.close();
});

test("a slice lengthens with active-expire-effort, from the next round on", () => {
  const { chores, configuration, housekeeper } = newHousekeeper({ "active-expire-effort": "3" }, { mode: "manual" });
  housekeeper.tick();
  assert.deepEqual(chores.budgets, [0.75, 0.75, 0.75, 0.75]);
  configuration.configSet([["active-expire-effort", "10"]]);
  assert.equal(housekeeper.sliceMs, 1.625);
  housekeeper.tick(0.4);
  assert.deepEqual(chores.budgets.slice(4), [0.4, 0.4, 0.4, 0.4]);
  housekeeper.close();
});

test("chores that are unfinished share the next slice", () => {
  const { chores, housekeeper } = newHousekeeper({}, { mode: "manual" });
  chores.stepMs = 0.2;
  chores.steps = { expire: 1000, release: 1000, evict: 0, tidy: 1 };
  assert.equal(housekeeper.tick(), true);
  assert(housekeeper.isBusy);
  assert.equal(housekeeper.tick(), true);
  assert.deepEqual(chores.budgets, [0.5, 0.5, 0.5, 0.25, 0.25, 0.25]);
  assert.equal(chores.count("tidy"), 0, "what is about to go is not put in order");
  chores.steps = { expire: 0, release: 0, evict: 0, tidy: 1 };
  assert.equal(housekeeper.tick(), false);
  assert.equal(chores.count("tidy"), 1);
  assert(!housekeeper.isBusy);
  housekeeper.close();
});

test("by itself: rounds from a timer, and what a slice leaves in the turns that follow", async () => {
  const { chores, housekeeper } = newHousekeeper({ hz: "100" });
  await until("there were rounds", () => chores.count("refresh") >= 3);
  chores.stepMs = 0.2;
  chores.steps.expire = 50;
  const rounds = chores.count("refresh");
  const slices = chores.count("expire");
  await until("everything is done", () => chores.steps.expire === 0);
  assert(chores.count("expire") - slices >= 5, "slices are short");
  assert(chores.count("expire") - slices > chores.count("refresh") - rounds, "slices do not wait for rounds");
  housekeeper.close();
  const { length } = chores.calls;
  await sleep(50);
  assert.equal(chores.calls.length, length, "nothing is done once it is closed");
});

test("closing in the middle of the work ends it, and may be done again", async () => {
  const { chores, housekeeper } = newHousekeeper();
  chores.stepMs = 0.2;
  chores.steps.release = 1_000_000;
  assert.equal(housekeeper.tick(), true);
  housekeeper.close();
  housekeeper.close();
  const { length } = chores.calls;
  await sleep(150);
  housekeeper.hurry();
  housekeeper.tick();
  await sleep(10);
  assert.equal(chores.calls.length, length);
});

test("manual: nothing ever happens by itself", async () => {
  const { chores, housekeeper } = newHousekeeper({ hz: "500" }, { mode: "manual", intervalMs: 1 });
  chores.steps.expire = 1000;
  chores.stepMs = 0.2;
  housekeeper.hurry();
  await sleep(50);
  assert.deepEqual(chores.calls, []);
  housekeeper.tick();
  const unfinished = ROUND.filter((call) => call !== "tidy");
  assert.deepEqual(chores.calls, unfinished);
  await sleep(50);
  assert.deepEqual(chores.calls, unfinished);
  housekeeper.close();
});

test("hurry brings one slice, at once", async () => {
  const { chores, housekeeper } = newHousekeeper({ hz: "1" });
  housekeeper.hurry();
  housekeeper.hurry();
  assert.deepEqual(chores.calls, []);
  await sleep(10);
  assert.deepEqual(chores.calls, ROUND.slice(1));
  housekeeper.close();
});

test("answers that are ready go out before a slice, but not where a program ticks", async () => {
  const { chores, housekeeper } = newHousekeeper({ hz: "1" });
  const send = (): void => void chores.calls.push("send");
  housekeeper.beforeSlices.add(send);
  housekeeper.hurry();
  await sleep(10);
  assert.deepEqual(chores.calls, ["send", ...ROUND.slice(1)]);
  housekeeper.tick();
  assert.equal(chores.count("send"), 1);
  housekeeper.beforeSlices.delete(send);
  housekeeper.hurry();
  await sleep(10);
  assert.equal(chores.count("send"), 1);
  housekeeper.close();
});

test("while somebody asks, expiry pauses between slices, and only expiry", async () => {
  const slicesIn20Ms = async (name: "expire" | "release", asks: boolean): Promise<number> => {
    const { chores, housekeeper } = newHousekeeper({ hz: "1" });
    chores.stepMs = 0.05;
    chores.steps[name] = 1_000_000;
    const { finish } = chores;
    chores.finish = () => {
      finish.call(chores);
      if (asks) chores.commands += 1;
    };
    housekeeper.hurry();
    await sleep(1);
    const before = chores.count("finish");
    const begin = performance.now();
    await sleep(20);
    const slices = (chores.count("finish") - before) / ((performance.now() - begin) / 20);
    housekeeper.close();
    return slices;
  };
  // A slice is 0.5 ms: without pauses there are nearly forty; with one of at least 1 ms each, no more than thirteen.
  assert((await slicesIn20Ms("expire", true)) < 16);
  for (let attempt = 1; ; attempt++) {
    // Another program may have had the processor: that there are many must be seen only once.
    const [alone, releases] = [await slicesIn20Ms("expire", false), await slicesIn20Ms("release", true)];
    if (alone > 20 && releases > 20) break;
    assert(attempt < 50, "slices follow one another");
  }
});

test("an interval of its own for expiry", async () => {
  const { chores, housekeeper } = newHousekeeper({ hz: "100" }, { intervalMs: 100_000 });
  await until("there were rounds", () => chores.count("release") >= 5);
  assert.equal(chores.count("expire"), 1, "the first round looks");
  housekeeper.tick();
  assert.equal(chores.count("expire"), 2, "a tick asked for always looks");
  housekeeper.close();
  const often = newHousekeeper({ hz: "1" }, { intervalMs: 5 });
  await until("it is looked often", () => often.chores.count("expire") >= 5, 2000);
  often.housekeeper.close();
});

test("hz, and dynamic-hz by the number of clients", () => {
  const { chores, configuration, housekeeper } = newHousekeeper({ hz: "10" }, { mode: "manual" });
  const of = (clients: number): number => {
    chores.clients = clients;
    return housekeeper.hz;
  };
  assert.deepEqual([0, 2000, 2001, 4001, 100_000, 1_000_000].map(of), [10, 10, 20, 40, 500, 500]);
  configuration.configSet([["dynamic-hz", "no"]]);
  assert.equal(of(100_000), 10);
  configuration.configSet([["hz", "100"]]);
  assert.equal(of(0), 100);
  housekeeper.close();
});

test("hz at run time is followed", async () => {
  const { chores, configuration, housekeeper } = newHousekeeper({ hz: "20" });
  configuration.configSet([["hz", "500"]]);
  await sleep(60);
  const before = chores.count("refresh");
  await sleep(300);
  assert(chores.count("refresh") - before > 20, `${chores.count("refresh") - before} rounds`);
  housekeeper.close();
});

test("who is told may tick, close, or throw", () => {
  const { chores, housekeeper } = newHousekeeper({}, { mode: "manual" });
  chores.onFinish = () => assert.equal(housekeeper.tick(), false);
  housekeeper.tick();
  assert.deepEqual(chores.calls, ROUND, "no slice within a slice");
  chores.onFinish = () => {
    throw new Error("a listener");
  };
  assert.throws(() => housekeeper.tick(), /a listener/);
  chores.onFinish = () => housekeeper.close();
  housekeeper.tick();
  assert.equal(chores.count("finish"), 3);
});

test("no slice is longer than its budget and a step of each chore", () => {
  const { chores, housekeeper } = newHousekeeper({}, { mode: "manual" });
  chores.stepMs = 0.1;
  chores.steps = { expire: 300, release: 300, evict: 300, tidy: 100 };
  let slices = 0;
  while (housekeeper.tick()) slices += 1;
  // The processor may be taken from us at any moment, for longer than one slice that ignored its budget would take:
  // so what is judged is how many there were.
  assert(slices > 50, `${slices} slices`);
  housekeeper.close();
});
