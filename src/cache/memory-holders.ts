/** The holders of a single instance: nobody else is to be asked, and nobody dies alone. */
import type { Holders } from './holders.ts'
import { createLocalHolders } from './local-holders.ts'

export function createMemoryHolders(): Holders {
  const local = createLocalHolders()
  return {
    hold: (holding) => Promise.resolve(local.add(holding)),
    release: (holding) => Promise.resolve(local.remove(holding)),
    list: (group, limit) => Promise.resolve(local.members(group).slice(0, limit)),
    areHeld: (holdings) => Promise.resolve(holdings.map(local.has)),
    sweepDead: () => Promise.resolve([]),
    onLate: () => {},
    close: () => Promise.resolve(),
  }
}
