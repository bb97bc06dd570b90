/** Freezes of a large store: what the freeze and its release take, and what writes cost before and during it. */
import type { Job } from "./child.ts";
import { type FrozenView, openContender } from "./contenders.ts";
import type { Pace } from "./paced.ts";
import { Population } from "./population.ts";

export interface FreezeFigures {
  /** Microseconds. */
  readonly freeze: number;
  readonly release: number;
  readonly before: Pace;
  readonly during: Pace;
  readonly after: Pace;
}

const WRITES = 200_000;

function microseconds(action: () => void): number {
  const start = performance.now();
  action();
  return (performance.now() - start) * 1_000;
}

export async function measureFreeze(job: Extract<Job, { kind: "freeze" }>): Promise<FreezeFigures[]> {
  const store = await openContender("stillwater", job.keys);
  const population = new Population(store, job.keys, job.seed);
  population.insert();
  population.overwrite(WRITES);
  const figures: FreezeFigures[] = [];
  for (let round = 0; round < job.rounds; round += 1) {
    const before = population.overwrite(WRITES);
    let view: FrozenView | undefined;
    const freeze = microseconds(() => {
      view = store.freeze?.();
    });
    const during = population.overwrite(WRITES);
    const release = microseconds(() => view?.release());
    const after = population.overwrite(WRITES);
    figures.push({ freeze, release, before, during, after });
  }
  population.verify();
  await store.close();
  return figures;
}
