/** The life of a background thread: what it is posted, all the ways in which it ends, and what comes after. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  ARRIVED,
  BEFORE_TAKEN,
  type Echo,
  IN_HANDLER,
  type Orders,
  type Setting,
} from "../testing/background-orders.ts";
import {
  BackgroundThread,
  type ThreadFailure,
  type ThreadLimits,
  type ThreadOptions,
  type ThreadOutcome,
  type ThreadState,
} from "./background-thread.ts";

const SCRIPT = new URL("../testing/background-worker.js", import.meta.url);
const PATIENCE_MS = 20_000;
const JOIN_MS = 5000;

/** A thread, and a record of all that it said, in the order in which it did. */
class Recorded {
  readonly thread: BackgroundThread<Orders, Echo>;
  readonly states: ThreadState[] = [];
  readonly replies: Echo[] = [];
  readonly outcomes: ThreadOutcome[] = [];
  readonly failures: (ThreadFailure & { readonly at: number })[] = [];
  /** Replies that had come when the last worker ended. */
  repliesAtExit = -1;
  readonly #changed = new EventTarget();

  constructor(
    t: TestContext,
    setting: Setting = {},
    limits: Partial<ThreadLimits> = {},
    options: Partial<ThreadOptions<Echo>> = {},
  ) {
    this.thread = new BackgroundThread({
      name: "tested",
      script: SCRIPT,
      workerData: setting,
      inboxMax: 100,
      limits: { retryMinMs: 10, ...limits },
      ...options,
      onMessage: (reply) => this.#note(this.replies, reply),
      onState: (state) => this.#note(this.states, state),
      onExit: (outcome) => {
        this.repliesAtExit = this.replies.length;
        this.#note(this.outcomes, outcome);
      },
      onFailure: (failure) => this.#note(this.failures, { ...failure, at: performance.now() }),
    });
    t.after(() => this.thread.stop(0));
  }

  /** Waits until `isThere`, keeping the process alive: threads do not. */
  async until(isThere: () => boolean): Promise<void> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const alive = setInterval(() => undefined, 1000);
    while (!isThere()) await once(this.#changed, "change", { signal });
    clearInterval(alive);
  }

  untilRunning(): Promise<void> {
    return this.until(() => this.thread.state === "running");
  }

  #note<Item>(list: Item[], item: Item): void {
    list.push(item);
    this.#changed.dispatchEvent(new Event("change"));
  }
}

function newGates(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(12));
}

function open(gates: Int32Array, gate: number): void {
  Atomics.store(gates, gate, 1);
  Atomics.notify(gates, gate);
}

test("the first post starts it, and replies come in the order of the requests", async (t) => {
  const recorded = new Recorded(t, {}, {}, { inboxMax: 5000 });
  const { thread } = recorded;
  assert.equal(thread.state, "idle");
  for (let id = 0; id < 5000; id++) assert(thread.post({ kind: "echo", id }));
  assert.equal(thread.state, "starting");
  await recorded.until(() => recorded.replies.length === 5000);
  assert.deepEqual(
    recorded.replies.map(({ id }) => id),
    Array.from({ length: 5000 }, (_, id) => id),
  );
  assert.deepEqual([thread.inbox, thread.messages, thread.restarts, thread.lastError], [0, 5000, 0, ""]);
  await thread.stop(JOIN_MS);
  assert.deepEqual(recorded.states, ["starting", "running", "stopped"]);
  assert.deepEqual(recorded.outcomes, [{ wasStopped: true, error: "", untaken: 0 }]);
  assert.deepEqual(recorded.failures, []);
});

test("it can be started before there is anything to do, and then once", async (t) => {
  const recorded = new Recorded(t);
  const { thread } = recorded;
  thread.start();
  thread.start();
  await recorded.untilRunning();
  thread.post({ kind: "echo", id: 1 });
  await recorded.until(() => recorded.replies.length === 1);
  await thread.stop(JOIN_MS);
  thread.start();
  assert.deepEqual(recorded.states, ["starting", "running", "stopped"]);
});

test("buffers are handed over there and back", async (t) => {
  const recorded = new Recorded(t);
  const bytes = new Uint8Array([1, 2, 3]);
  recorded.thread.post({ kind: "echo", id: 7, bytes }, [bytes.buffer]);
  assert.equal(bytes.length, 0);
  await recorded.until(() => recorded.replies.length === 1);
  assert.deepEqual(recorded.replies[0]!.bytes, new Uint8Array([1, 2, 3]));
});

test("a full inbox refuses, and a pause before a request is said to be taken cannot overfill it", async (t) => {
  const gates = newGates();
  const recorded = new Recorded(t, { gates }, {}, { inboxMax: 3 });
  const { thread } = recorded;
  for (let id = 0; id < 3; id++) assert(thread.post({ kind: "echo", id }));
  assert(!thread.post({ kind: "echo", id: 99 }));
  await recorded.untilRunning();
  Atomics.wait(gates, ARRIVED, 0, PATIENCE_MS);
  assert.equal(Atomics.load(gates, ARRIVED), 1, "the worker has the first request, and has not yet said so");
  assert.equal(thread.inbox, 3);
  assert(!thread.post({ kind: "echo", id: 99 }));
  assert.equal(thread.messages, 3);
  open(gates, BEFORE_TAKEN);
  await recorded.until(() => recorded.replies.length === 3);
  assert.equal(thread.inbox, 0, "whoever has the reply finds the request taken");
  assert(thread.post({ kind: "echo", id: 3 }));
  await recorded.until(() => recorded.replies.length === 4);
});

test("how far the worker has come is seen even while the event loop is blocked", async (t) => {
  const recorded = new Recorded(t, {}, {}, { inboxMax: 4 });
  const { thread } = recorded;
  thread.post({ kind: "echo", id: 0 });
  await recorded.untilRunning();
  const end = performance.now() + PATIENCE_MS;
  for (let id = 1; id <= 50 && performance.now() < end; ) if (thread.post({ kind: "echo", id })) id += 1;
  assert.equal(thread.messages, 51);
});

test("time spent in handlers adds up, over restarts too", async (t) => {
  const recorded = new Recorded(t);
  const { thread } = recorded;
  thread.post({ kind: "work", ms: 30 });
  thread.post({ kind: "echo", id: 0 });
  thread.post({ kind: "burst", replies: 0, ending: "exit" });
  await recorded.until(() => thread.restarts === 1 && thread.state === "running");
  const { busyMs } = thread;
  assert(busyMs >= 29 && busyMs < PATIENCE_MS, `${busyMs} ms`);
  thread.post({ kind: "work", ms: 20 });
  await thread.stop(JOIN_MS);
  assert(thread.busyMs >= busyMs + 19, `${thread.busyMs} ms after ${busyMs}`);
});

for (const [ending, error] of [
  ["throw", /^thrown in a handler$/],
  ["exit", /^ended with exit code 3$/],
] as const) {
  test(`a handler that ends the worker by ${ending}: all its replies, then its end, then another worker`, async (t) => {
    const recorded = new Recorded(t);
    const { thread } = recorded;
    thread.post({ kind: "burst", replies: 3000, ending });
    thread.post({ kind: "echo", id: 1 });
    thread.post({ kind: "echo", id: 2 });
    await recorded.until(() => recorded.failures.length === 1);
    assert.equal(recorded.repliesAtExit, 3000);
    assert.equal(recorded.outcomes.length, 1);
    const [outcome] = recorded.outcomes;
    assert.deepEqual([outcome!.wasStopped, outcome!.untaken], [false, 2]);
    assert.match(outcome!.error, error);
    assert.equal(thread.lastError, outcome!.error);
    assert.equal(thread.state, "failed");
    assert(!thread.post({ kind: "echo", id: 3 }), "nobody is there to take it");
    await recorded.untilRunning();
    assert.equal(thread.restarts, 1);
    assert(thread.post({ kind: "echo", id: 4 }));
    await recorded.until(() => recorded.replies.length === 3001);
    assert.deepEqual(recorded.replies.at(-1), { id: 4, bytes: undefined });
  });
}

test("a worker that is killed at work: all it had posted comes before its end", async (t) => {
  for (const ending of ["hang", "wait"] as const) {
    const recorded = new Recorded(t, ending === "wait" ? { gates: openGate(BEFORE_TAKEN) } : {});
    const { thread } = recorded;
    thread.post({ kind: "burst", replies: 4000, ending });
    await recorded.until(() => recorded.replies.length > 0);
    // The worker posts the rest while this thread looks at nothing.
    for (const end = performance.now() + 200; performance.now() < end; );
    await thread.kill();
    await recorded.until(() => recorded.failures.length === 1);
    assert.equal(recorded.repliesAtExit, 4000, ending);
    assert.deepEqual(recorded.outcomes[0], { wasStopped: false, error: "ended with exit code 1", untaken: 0 });
    await recorded.untilRunning();
    assert.deepEqual(recorded.states, ["starting", "running", "failed", "starting", "running"]);
  }
});

function openGate(gate: number): Int32Array<SharedArrayBuffer> {
  const gates = newGates();
  open(gates, gate);
  return gates;
}

test("a worker that fills its heap ends alone", async (t) => {
  const recorded = new Recorded(t, {}, { heapMb: 16 });
  recorded.thread.post({ kind: "hoard" });
  await recorded.until(() => recorded.failures.length === 1);
  assert.match(recorded.thread.lastError, /memory limit/);
  await recorded.untilRunning();
});

test("what cannot be posted is thrown, and counts for nothing", async (t) => {
  const recorded = new Recorded(t);
  const { thread } = recorded;
  const impossible = { kind: "echo", id: () => 1 } as unknown as Orders;
  assert.throws(() => thread.post(impossible), { name: "DataCloneError" });
  assert.deepEqual([thread.inbox, thread.messages], [0, 0]);
  thread.post({ kind: "echo", id: 1 });
  await recorded.until(() => recorded.replies.length === 1);
});

const DEFECTIVE: [title: string, setting: Setting, script: URL, error: RegExp][] = [
  ["throws at its start", { start: "throw" }, SCRIPT, /^thrown at start$/],
  ["does not exist", {}, new URL("./no-such-worker.js", import.meta.url), /Cannot find module|no-such-worker/],
  ["hangs at its start", { start: "hang" }, SCRIPT, /^was not ready within 250 ms$/],
  ["never says that it is ready", { start: "silent" }, SCRIPT, /^was not ready within 250 ms$/],
];

for (const [title, setting, script, error] of DEFECTIVE) {
  test(`a worker that ${title} fails, and is tried again ever more seldom`, async (t) => {
    const isSlow = /hangs|never/.test(title);
    const limits = { startMs: isSlow ? 250 : PATIENCE_MS };
    const recorded = new Recorded(t, setting, { ...limits, retryMinMs: 20, retryMaxMs: 60 }, { script });
    const { thread } = recorded;
    assert(thread.post({ kind: "echo", id: 1 }));
    await recorded.until(() => recorded.failures.length === 4);
    assert.deepEqual(
      recorded.failures.map(({ retryMs }) => retryMs),
      [20, 40, 60, 60],
    );
    for (const failure of recorded.failures) assert.match(failure.error, error);
    for (let index = 1; index < 4; index++) {
      const waited = recorded.failures[index]!.at - recorded.failures[index - 1]!.at;
      assert(waited >= recorded.failures[index - 1]!.retryMs - 2, `tried again after ${waited} ms`);
    }
    assert.equal(thread.state, "failed");
    assert.equal(thread.restarts, 3);
    assert.deepEqual(
      recorded.outcomes.map(({ untaken }) => untaken),
      [1, 0, 0, 0],
    );
    await thread.stop(JOIN_MS);
    await sleep(100);
    assert.deepEqual([thread.state, thread.restarts], ["stopped", 3], "no attempt comes after the end");
  });
}

test("a worker that has run a while is restarted as soon as the first time", async (t) => {
  const recorded = new Recorded(t, {}, { retryMinMs: 10, steadyMs: 100 });
  const { thread } = recorded;
  for (const worked of [0, 0, 150]) {
    const before = recorded.failures.length;
    thread.post({ kind: "echo", id: 1 });
    await recorded.untilRunning();
    await sleep(worked);
    await thread.kill();
    await recorded.until(() => recorded.failures.length === before + 1);
    await recorded.untilRunning();
  }
  assert.deepEqual(
    recorded.failures.map(({ retryMs }) => retryMs),
    [10, 20, 10],
  );
});

test("a process that was blocked while a worker started does not take it for one that failed", async (t) => {
  const recorded = new Recorded(t, {}, { startMs: 1000 });
  recorded.thread.post({ kind: "echo", id: 1 });
  const end = performance.now() + 1500;
  while (performance.now() < end || recorded.thread.inbox > 0) assert(performance.now() < end + PATIENCE_MS);
  await recorded.until(() => recorded.replies.length === 1);
  await sleep(100);
  assert.deepEqual([recorded.states, recorded.failures], [["starting", "running"], []]);
});

test("time in which the process was blocked counts for little, while a worker is still starting", async (t) => {
  const gates = newGates();
  const recorded = new Recorded(t, { gates, start: "late" }, { startMs: 2000 });
  recorded.thread.post({ kind: "echo", id: 1 });
  // As if the process had been stopped, and the worker with it.
  for (const end = performance.now() + 2200; performance.now() < end; );
  await sleep(50);
  for (const gate of [IN_HANDLER, BEFORE_TAKEN]) open(gates, gate);
  await recorded.until(() => recorded.replies.length === 1);
  assert.deepEqual([recorded.states, recorded.failures], [["starting", "running"], []]);
});

test("a process that may have no workers is told so, and goes on", async (t) => {
  const script = new URL("https://example.org/worker.js");
  const recorded = new Recorded(t, {}, { retryMinMs: 5, retryMaxMs: 5 }, { script });
  assert(!recorded.thread.post({ kind: "echo", id: 1 }));
  assert.equal(recorded.thread.state, "failed");
  await recorded.until(() => recorded.failures.length === 3);
  assert.deepEqual(recorded.outcomes, []);
  assert.match(recorded.thread.lastError, /must be of scheme file|URL/i);
});

test("stop waits for what was posted, ends a thread in any state, and once for all", async (t) => {
  const busy = new Recorded(t);
  for (let id = 0; id < 10; id++) busy.thread.post({ kind: "echo", id });
  const end = busy.thread.stop(JOIN_MS);
  assert.equal(busy.thread.state, "stopped", "during its start");
  assert(!busy.thread.post({ kind: "echo", id: 10 }));
  assert.equal(busy.thread.stop(0), end);
  await end;
  assert.equal(busy.replies.length, 10);
  assert.deepEqual(busy.outcomes, [{ wasStopped: true, error: "", untaken: 0 }]);
  await busy.thread.stop(JOIN_MS);
  assert.deepEqual(busy.states, ["starting", "stopped"]);

  const idle = new Recorded(t);
  await idle.thread.stop(JOIN_MS);
  assert(!idle.thread.post({ kind: "echo", id: 1 }));
  assert.deepEqual(idle.states, ["stopped"]);

  const failed = new Recorded(t, { start: "throw" }, { retryMinMs: 50 });
  failed.thread.post({ kind: "echo", id: 1 });
  await failed.until(() => failed.failures.length === 1);
  await failed.thread.stop(JOIN_MS);
  await sleep(100);
  assert.deepEqual([failed.thread.state, failed.thread.restarts], ["stopped", 0]);
});

test("stop ends a worker that hangs, at work or at its start, in a bounded time", async (t) => {
  for (const setting of [{}, { start: "hang" }, { gates: openGate(BEFORE_TAKEN) }] as const) {
    const recorded = new Recorded(t, setting);
    const { thread } = recorded;
    thread.post({ kind: "burst", replies: 1, ending: "gates" in setting ? "wait" : "hang" });
    thread.post({ kind: "echo", id: 1 });
    if (!("start" in setting)) await recorded.until(() => recorded.replies.length === 1);
    const begin = performance.now();
    await thread.stop(100);
    const took = performance.now() - begin;
    assert(took >= 98 && took < 1500, `${took} ms`);
    assert.equal(thread.lastError, "did not stop within 100 ms");
    assert.equal(recorded.outcomes.length, 1);
    const { wasStopped, untaken } = recorded.outcomes[0]!;
    assert.deepEqual([wasStopped, untaken], [true, "start" in setting ? 2 : 1]);
    assert.deepEqual(recorded.failures, []);
  }
});

test("a worker that nothing was asked of is not waited for", async (t) => {
  const recorded = new Recorded(t, { start: "hang" });
  recorded.thread.start();
  const begin = performance.now();
  await recorded.thread.stop(PATIENCE_MS);
  assert(performance.now() - begin < PATIENCE_MS / 2);
  assert.deepEqual([recorded.states, recorded.thread.lastError], [["starting", "stopped"], ""]);
  assert.deepEqual(recorded.outcomes, [{ wasStopped: true, error: "", untaken: 0 }]);
});

test("what a worker waits for comes to it while it is being stopped", async (t) => {
  const gates = openGate(BEFORE_TAKEN);
  const recorded = new Recorded(t, { gates });
  recorded.thread.post({ kind: "burst", replies: 2, ending: "wait" });
  await recorded.untilRunning();
  const end = recorded.thread.stop(JOIN_MS);
  open(gates, IN_HANDLER);
  await end;
  assert.equal(recorded.repliesAtExit, 2);
  assert.equal(recorded.thread.lastError, "");
});
