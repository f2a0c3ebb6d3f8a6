/** What is held on this instance, counted. */
import type { Holding } from './holders.ts'

export type LocalHolders = ReturnType<typeof createLocalHolders>

/** The only member of a group, as whoever is online is: a map of its own would take several times as much. */
interface Lone {
  member: string
  count: number
}

export function createLocalHolders() {
  /** By group, how often each member is held. */
  const groups = new Map<string, Lone | Map<string, number>>()

  function countOf({ group, member }: Holding): number {
    const members = groups.get(group)
    if (members instanceof Map) return members.get(member) ?? 0
    return members?.member === member ? members.count : 0
  }

  function setCount({ group, member }: Holding, count: number): void {
    const members = groups.get(group)
    if (members instanceof Map) {
      if (count > 0) members.set(member, count)
      else if (members.delete(member) && members.size === 0) groups.delete(group)
    } else if (!members) groups.set(group, { member, count })
    else if (members.member !== member) groups.set(group, new Map([[members.member, members.count]]).set(member, count))
    else if (count > 0) members.count = count
    else groups.delete(group)
  }

  return {
    /** @returns whether it was not held before */
    add(holding: Holding): boolean {
      const count = countOf(holding)
      setCount(holding, count + 1)
      return count === 0
    },

    /** @returns whether it is not held any more; false for what was not held */
    remove(holding: Holding): boolean {
      const count = countOf(holding)
      if (count > 0) setCount(holding, count - 1)
      return count === 1
    },

    has: (holding: Holding): boolean => countOf(holding) > 0,
    members(group: string): string[] {
      const members = groups.get(group)
      if (!members) return []
      return members instanceof Map ? [...members.keys()] : [members.member]
    },
    groups: (): string[] => [...groups.keys()],
  }
}
