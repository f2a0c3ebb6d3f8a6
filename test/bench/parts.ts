/** All parts, in the order in which they run. */
import type { Part } from './part.ts'
import { dm } from './parts/dm.ts'
import { fanout } from './parts/fanout.ts'
import { latency } from './parts/latency.ts'

export const parts: readonly Part[] = [dm, latency, fanout]
