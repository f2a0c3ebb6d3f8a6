/** All parts, in the order in which they run. */

import { growth } from './growth/growth.ts'
import type { Part } from './part.ts'
import { dm } from './parts/dm.ts'
import { fanout } from './parts/fanout.ts'
import { http } from './parts/http.ts'
import { idle } from './parts/idle.ts'
import { instances } from './parts/instances.ts'
import { latency } from './parts/latency.ts'
import { logins } from './parts/logins.ts'
import { pools } from './parts/pools.ts'
import { reads } from './parts/reads.ts'
import { uploads } from './parts/uploads.ts'

export const parts: readonly Part[] = [
  dm,
  latency,
  fanout,
  idle,
  instances,
  reads,
  logins,
  uploads,
  http,
  growth,
  pools,
]
