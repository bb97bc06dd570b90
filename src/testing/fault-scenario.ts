/**
 * One scenario (start, write, rewrite, save, write, end, start again, write) on a disk of which a call fails, once or
 * from then on, or that loses power at some call. Afterwards the store starts on what is left: what was acknowledged is
 * there, in its order, once, or the error had been seen before.
 *
 * The store is a list of consecutive numbers: what is found must be 1, 2, 3 ... up to some number, at least the last
 * that was acknowledged, at most the last that was executed.
 */
import assert from "node:assert/strict";
import { DamagedFileError } from "../durability/damaged-file-error.ts";
import { cutOff } from "../durability/log-repair.ts";
import { type Fault, FaultyFiles } from "./faulty-files.ts";
import { LogMachine, MACHINE_DIRECTORY } from "./log-machine.ts";
import type { Random } from "./random.ts";

export const FAULTS: readonly Fault[] = ["EIO", "ENOSPC", "short"];
export const POLICIES = ["always", "everysec"] as const;
export type Policy = (typeof POLICIES)[number];

/** What fails: that call of the scenario, counted from 1, or all from that one on. */
export interface Failing {
  readonly n: number;
  readonly fault: Fault;
  readonly lasts: boolean;
}

/** What is known of the writes: numbers of the last of each kind. */
export interface Promises {
  executed: number;
  /** The most there ever was: a snapshot may hold what the log then did not take. */
  most: number;
  /** Its reply was sent: it survives the end of the process. */
  acknowledged: number;
  /** It was promised to be on the disk: it survives the loss of power. */
  durable: number;
  /** Its number is in the snapshot. */
  saved: number;
  refused: number;
  held: number;
}

/** Under `always`, the file's last ones are written over padding (durability/padded-file.ts). */
const WRITES_UNTIL_PADDED = 6;

const nothing = (): Promises => ({ executed: 0, most: 0, acknowledged: 0, durable: 0, saved: 0, refused: 0, held: 0 });
const directives = (policy: Policy) => ({ appendonly: "yes", appendfsync: policy });

/** A copy of what is promised at some moment, and the disk as a power cut leaves it then. */
interface Cut {
  readonly disk: FaultyFiles;
  readonly promises: Promises;
}

class FaultScenario {
  readonly disk: FaultyFiles;
  readonly policy: Policy;
  readonly promises = nothing();
  /** Errors that a start has ended with. */
  startsFailed = 0;

  constructor(disk: FaultyFiles, policy: Policy) {
    this.disk = disk;
    this.policy = policy;
  }

  async run(): Promise<void> {
    await this.#life(async (machine) => {
      this.#write(machine, WRITES_UNTIL_PADDED);
      await this.#rewrite(machine);
      this.#write(machine, 1);
      this.#writeUnderOther(machine);
      this.#write(machine, 1);
      this.#save(machine);
      this.#write(machine, 2);
      if (await machine.durable()) this.promises.durable = this.promises.executed;
      this.#write(machine, 1);
    });
    await this.#life(async (machine) => {
      this.#write(machine, 2);
      await this.#rewrite(machine);
      this.#write(machine, 1);
      machine.execute("CONFIG", "SET", "aof-use-rdb-preamble", "no");
      await this.#rewrite(machine);
      this.#save(machine);
      this.#write(machine, 1);
    });
  }

  async #life(work: (machine: LogMachine) => Promise<void>): Promise<void> {
    const { promises } = this;
    const machine = await LogMachine.start(this.disk, directives(this.policy)).catch(systemErrorOnly);
    if (machine === undefined) {
      this.startsFailed += 1;
      return;
    }
    promises.executed = assertPromised(machine, promises, "acknowledged");
    await work(machine);
    if (await machine.close()) promises.durable = promises.executed;
  }

  /** In the same file, the owner appends under one policy, and the log's writer under the other. */
  #writeUnderOther(machine: LogMachine): void {
    const other = POLICIES.find((policy) => policy !== this.policy)!;
    machine.execute("CONFIG", "SET", "appendfsync", other);
    this.#write(machine, 1, other);
    machine.execute("CONFIG", "SET", "appendfsync", this.policy);
  }

  #write(machine: LogMachine, count: number, policy = this.policy): void {
    const { promises } = this;
    for (let written = 0; written < count; written += 1) {
      const outcome = machine.execute("RPUSH", "numbers", String(promises.executed + 1));
      if (outcome === "refused") promises.refused += 1;
      else promises.executed += 1;
      promises.most = Math.max(promises.most, promises.executed);
      if (outcome === "held") promises.held += 1;
      if (outcome === "acknowledged") {
        promises.acknowledged = promises.executed;
        if (policy === "always") promises.durable = promises.executed;
      }
    }
  }

  /** A log that has failed is healed by it. */
  async #rewrite(machine: LogMachine): Promise<void> {
    const { promises } = this;
    if (!(await machine.rewrite())) return;
    assert.equal(machine.keeper.writeRefusal, undefined);
    promises.acknowledged = promises.executed;
    promises.durable = promises.executed;
  }

  #save(machine: LogMachine): void {
    const { executed } = this.promises;
    if (machine.save()) this.promises.saved = executed;
  }
}

/** A start may end with the system's error, but never find damage in what was written here. */
function systemErrorOnly(error: NodeJS.ErrnoException): undefined {
  if (/^(EIO\b|ENOSPC\b|Input\/output error$|No space left on device$)/.test(error.message)) return undefined;
  throw error;
}

/** What is there is all up to some number, which is as high as was promised. @returns the number */
function assertPromised(
  machine: LogMachine,
  promises: Promises,
  promise: "acknowledged" | "durable" | "saved",
): number {
  const found = (machine.runner.ask("LRANGE", "numbers", "0", "-1") as readonly string[]).map(Number);
  const last = found.length;
  const wanted = Array.from({ length: last }, (_, index) => index + 1);
  assert.deepEqual(found, wanted, "something is missing, or there twice, or in another order");
  assert(last >= promises[promise], `${last} of ${promises[promise]} that were ${promise}`);
  assert(last <= promises.executed, `${last}, and only ${promises.executed} were executed`);
  machine.runner.verify();
  return last;
}

/**
 * A power cut while several batches are not synced may leave a later one and lose an earlier one. What is there then is
 * refused, at its place, and a person cuts the log off there: what was promised to be on the disk is before it.
 */
async function startRepairing(disk: FaultyFiles): Promise<LogMachine> {
  try {
    return await LogMachine.start(disk, directives("always"));
  } catch (error) {
    if (!(error instanceof DamagedFileError && error.file.endsWith(".incr.aof"))) throw error;
    cutOff(disk, error.file, error.offset, 1);
    return await LogMachine.start(disk, directives("always"));
  }
}

/**
 * Starts on what is left, writes, ends, and starts again: nothing may be lost at the second start either.
 * @param cut whether the power was cut, and under which policy
 */
async function assertRecovers(disk: FaultyFiles, promises: Promises, cut: Policy | undefined): Promise<void> {
  const promise = cut === undefined ? "acknowledged" : "durable";
  const machine = await (cut === "everysec" ? startRepairing(disk) : LogMachine.start(disk, directives("always")));
  const found = assertPromised(machine, promises, promise);
  assert.equal(machine.execute("RPUSH", "numbers", String(found + 1)), "acknowledged");
  assert(await machine.close());
  const again = await LogMachine.start(disk, directives("always"));
  const after = { ...promises, executed: found + 1, [promise]: found + 1 };
  assert.equal(assertPromised(again, after, promise), found + 1);
  assert(await again.close());
  const names = disk.list(`${MACHINE_DIRECTORY}/appendonlydir`).filter((name) => name.includes("temp"));
  assert.deepEqual(names, [], "temporaries are left over");
  if (promises.saved === 0) return;
  const snapshot = await LogMachine.start(disk, { appendonly: "no" });
  assertPromised(snapshot, { ...promises, executed: promises.most }, "saved");
}

/**
 * Runs the scenario with one fault, and then starts on the disk after each of `crashes` power cuts, and, if `endsToo`,
 * on the disk as it is.
 * @returns undefined if nothing failed
 * @throws AssertionError where something that was promised is missing
 */
export async function runWithFault(
  policy: Policy,
  { n, fault, lasts }: Failing,
  random: Random,
  crashes: number,
  endsToo: boolean,
): Promise<FaultScenario | undefined> {
  const disk = new FaultyFiles([MACHINE_DIRECTORY]);
  const scenario = new FaultScenario(disk, policy);
  if (lasts) disk.failFrom(n, fault);
  else disk.failAt(n, fault);
  await scenario.run();
  disk.heal();
  for (let crash = 0; crash < crashes; crash += 1) {
    await assertRecovers(disk.crash(random), { ...scenario.promises, saved: 0 }, policy);
  }
  if (endsToo) await assertRecovers(disk, scenario.promises, undefined);
  return disk.faults > 0 ? scenario : undefined;
}

/** Calls of the scenario when nothing fails. */
export async function callsOf(policy: Policy): Promise<number> {
  const disk = new FaultyFiles([MACHINE_DIRECTORY]);
  const scenario = new FaultScenario(disk, policy);
  await scenario.run();
  assert.deepEqual(scenario.promises, {
    ...nothing(),
    executed: WRITES_UNTIL_PADDED + 10,
    most: WRITES_UNTIL_PADDED + 10,
    acknowledged: WRITES_UNTIL_PADDED + 10,
    durable: WRITES_UNTIL_PADDED + 10,
    saved: WRITES_UNTIL_PADDED + 9,
  });
  assert.equal(disk.openFiles, 0, "files are left open");
  return disk.calls;
}

/**
 * Cuts the power `crashes` times at each call of the scenario, and starts on what is left.
 * @returns how many cuts there were, and the highest promise that was checked
 */
export async function cutPowerAtEachCall(policy: Policy, random: Random, crashes: number): Promise<[number, number]> {
  const disk = new FaultyFiles([MACHINE_DIRECTORY]);
  const scenario = new FaultScenario(disk, policy);
  const cuts: Cut[] = [];
  disk.onCall = () => {
    for (let crash = 0; crash < crashes; crash += 1) {
      cuts.push({ disk: disk.crash(random), promises: { ...scenario.promises, saved: 0 } });
    }
  };
  await scenario.run();
  for (const [index, cut] of cuts.entries()) {
    // The write that is under way may have been executed.
    const promises = { ...cut.promises, executed: cut.promises.executed + 1, most: cut.promises.most + 1 };
    await assertRecovers(cut.disk, promises, policy).catch((error: Error) => {
      throw new Error(`power lost before call ${Math.floor(index / crashes) + 1}: ${error.message}`, { cause: error });
    });
  }
  return [cuts.length, Math.max(...cuts.map(({ promises }) => promises.durable))];
}
