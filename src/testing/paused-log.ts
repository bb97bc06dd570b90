/**
 * PausedLog: a log on one thread whose writer does nothing before the test lets it: for tests of what happens in
 * between.
 */
import { AppendLog, type SyncPolicy } from "../durability/append-log.ts";
import { EffectLog } from "../durability/effect-log.ts";
import type { Files } from "../durability/files.ts";
import { ASLEEP, LogChannel, STATE } from "../durability/log-channel.ts";
import { LogFileWriter, type LogProgress } from "../durability/log-file-writer.ts";
import { FIRST_SEQUENCE } from "../durability/log-lines.ts";

export class PausedLog {
  readonly effects: EffectLog;
  readonly log: AppendLog;
  readonly channel: LogChannel;
  readonly writer: LogFileWriter;
  /** What the writer has told. */
  readonly told: LogProgress[] = [];
  /** Milliseconds, of the writer's clock. */
  now = 0;
  wakes = 0;
  /** What is done at each wake, where the writer is to go on by itself. */
  onWake: (() => void) | undefined;

  /** @param path of a file that is made if it is missing; @param effects those of a store, or others */
  constructor(
    files: Files,
    path: string,
    policy: SyncPolicy,
    effects = new EffectLog(),
    channel = new LogChannel(undefined, 1024),
  ) {
    this.effects = effects;
    this.channel = channel;
    this.log = new AppendLog(effects);
    this.log.policy = policy;
    // A test that is kept waiting for a processor is no busy disk.
    this.log.slowMs = Number.POSITIVE_INFINITY;
    this.writer = new LogFileWriter(
      files,
      channel,
      path,
      (progress) => this.told.push(progress),
      () => this.now,
    );
    const port = {
      wake: (): void => {
        this.wakes += 1;
        this.onWake?.();
      },
    };
    this.log.begin(channel, files.open(path, "append"), port, FIRST_SEQUENCE);
  }

  /** An effect of so many bytes, its words included. */
  gather(value: string): void {
    this.effects.beginUnit(0);
    this.effects.add("SET", "k", value);
    this.effects.endUnit();
  }

  /** Lets the writer do what is due. @returns when something is due again */
  round(): number {
    const due = this.writer.round();
    this.channel.store(STATE, ASLEEP);
    this.log.poll();
    return due;
  }
}
