/** Group commit under `always`: whom a sync waits for, for how long, and who is woken meanwhile; on one thread. */
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { FaultyFiles } from "../testing/faulty-files.ts";
import { PausedLog } from "../testing/paused-log.ts";
import { ASLEEP, AWAITED, AWAKE, GATHERING, STATE, SYNCING, WAITERS } from "./log-channel.ts";

const PATH = "/d/log";
/** Milliseconds that each reading of the writer's clock takes. */
const TICK_MS = 0.1;
const KNOWN_AFTER = 50;

/** A log whose writer reads a clock that goes on by itself, and lets the owner do something at each reading. */
class TickingLog extends PausedLog {
  onTick: (() => void) | undefined;

  constructor() {
    const files = new FaultyFiles(["/d"]);
    super(files, PATH, "always");
    let ticks = 0;
    Object.defineProperty(this, "now", {
      get: () => {
        this.onTick?.();
        ticks += 1;
        return ticks * TICK_MS;
      },
    });
    // Until it knows how long a sync takes: a tick.
    for (let round = 0; round < KNOWN_AFTER; round++) {
      this.ask(1);
      this.round();
    }
    this.told.length = 0;
  }

  get syncs(): number {
    return this.told.filter(({ kind }) => kind === "synced").length;
  }

  /** So many clients ask for something that is logged, and wait. */
  ask(clients: number): void {
    this.gather("x");
    this.log.flush(clients);
  }
}

test("a sync waits for those whom the last one released, and for nobody more than once", () => {
  const one = new TickingLog();
  one.ask(3);
  one.onTick = () => {
    // While the first sync is under way, two others ask.
    if (one.channel.load(SYNCING) === 1) one.ask(2);
  };
  one.round();
  assert.equal(one.syncs, 1);
  assert(one.log.durable < one.log.appended, "the two are in the next sync");
  const back = one.channel.load(WAITERS) + 3;
  let comeBack = 0;
  one.onTick = () => {
    if (one.channel.load(STATE) !== GATHERING || comeBack === 3) return;
    assert.equal(one.channel.load(AWAITED), back);
    assert.equal(one.syncs, 1, "it does not begin before they are back");
    comeBack += 1;
    one.ask(1);
  };
  one.round();
  assert.equal(comeBack, 3);
  assert.equal(one.syncs, 2);
  assert.equal(one.log.durable, one.log.appended, "all five are in one sync");
});

test("who does not come back is waited for no longer than some syncs' time", () => {
  const one = new TickingLog();
  one.ask(3);
  one.round();
  one.ask(1);
  let ticks = 0;
  one.onTick = () => {
    if (one.channel.load(STATE) === GATHERING) ticks += 1;
  };
  one.round();
  assert.equal(one.syncs, 2);
  assert(ticks > 0, "it did wait");
  assert(ticks <= 6, `${ticks} readings of the clock, of a sync's time each`);
  assert.notEqual(one.channel.load(STATE), GATHERING);
  assert.equal(one.log.durable, one.log.appended);
});

test("one client alone is never waited for", () => {
  const one = new TickingLog();
  one.ask(1);
  one.round();
  one.ask(1);
  one.onTick = () => assert.notEqual(one.channel.load(STATE), GATHERING);
  one.round();
  assert.equal(one.syncs, 2);
});

test("a writer that waits for more replies is woken by the last of them, and by whatever else there is", () => {
  const one = new TickingLog();
  const notify = mock.method(Atomics, "notify");
  try {
    const wokenBy = (act: () => void): boolean => {
      const before = notify.mock.callCount();
      act();
      return notify.mock.callCount() > before;
    };
    one.channel.store(AWAITED, one.channel.load(WAITERS) + 3);
    one.channel.store(STATE, GATHERING);
    assert.equal(
      wokenBy(() => one.ask(1)),
      false,
    );
    assert.equal(
      wokenBy(() => one.ask(1)),
      false,
    );
    assert.equal(
      wokenBy(() => one.ask(1)),
      true,
    );
    one.channel.store(AWAITED, one.channel.load(WAITERS) + 100);
    assert.equal(
      wokenBy(() => void one.log.sync()),
      true,
      "somebody wants a sync",
    );
    assert.equal(
      wokenBy(() => one.ask(0)),
      true,
      "effects that nobody waits for have no part in the count",
    );
    one.channel.store(STATE, AWAKE);
    assert.equal(
      wokenBy(() => one.ask(1)),
      true,
    );
  } finally {
    notify.mock.restore();
  }
});

test("the writer goes back to its event loop now and then, however much there is to do", () => {
  const one = new TickingLog();
  let asked = 0;
  one.onTick = () => {
    asked += 1;
    if (asked > 10_000) throw new Error("it never does");
    one.ask(1);
  };
  one.ask(1);
  assert.equal(one.writer.work(), 0, "it is to be called again at once");
  assert.equal(one.channel.load(STATE), ASLEEP, "or it is woken");
  one.onTick = undefined;
  one.writer.work();
  one.log.poll();
  assert.equal(one.log.durable, one.log.appended);
});
