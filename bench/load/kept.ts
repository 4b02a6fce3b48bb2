// What the service has kept of a load, read from its store when it has stopped: every question that was acknowledged, with its end.
import { openStore } from '../../src/service/store/store.ts'
import { systemClock } from '../../src/shared/kit/clock.ts'

export interface Kept {
  readonly turns: number
  readonly ended: number
}

export async function lookAtStore(dataDir: string): Promise<Kept> {
  const store = await openStore({ dataDir, clock: systemClock })
  try {
    const [row] = store.database.prepare<[], Kept>('SELECT count(*) AS turns, count(ended_at) AS ended FROM turn').all()
    return row ?? { turns: 0, ended: 0 }
  } finally {
    store.stop()
  }
}
