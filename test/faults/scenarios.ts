/** All that befalls a server without anybody meaning it harm. */
import type { Scenario } from '../support/scenario.ts'
import { gapFill, snapshotRace } from './catching-up.ts'
import { clockSkew } from './clock.ts'
import { diskFull } from './disk.ts'
import { slowReader } from './limits.ts'
import { drain, kill9Send, pgDrop, pgRestart } from './processes.ts'
import { reconnectStorm, redisFlush, redisKill, redisZombie } from './redis.ts'
import { migrationScenario } from './schemas.ts'
import { soak } from './soak.ts'

export const scenarios: readonly Scenario[] = [
  kill9Send,
  pgRestart,
  pgDrop,
  redisKill,
  redisZombie,
  redisFlush,
  gapFill,
  snapshotRace,
  reconnectStorm,
  slowReader,
  drain,
  diskFull,
  clockSkew,
  migrationScenario,
  soak,
]
