/** What is held on this instance, counted. */
import type { Holding } from './holders.ts'

export type LocalHolders = ReturnType<typeof createLocalHolders>

/** The only member of a group, as whoever is online is: a map of its own would take several times as much. */
interface Lone {
  member: string
  count: number
}

export function createLocalHolders() {
  /** By what goes before the member in the name of its own group, as in that of being online, how often each is held. */
  const own = new Map<string, Map<string, number>>()
  /** By group, how often each member is held in all other groups. */
  const groups = new Map<string, Lone | Map<string, number>>()

  function countOf({ group, member }: Holding): number {
    if (group.endsWith(member)) return own.get(group.slice(0, -member.length))?.get(member) ?? 0
    const members = groups.get(group)
    if (members instanceof Map) return members.get(member) ?? 0
    return members?.member === member ? members.count : 0
  }

  function setCount({ group, member }: Holding, count: number): void {
    if (group.endsWith(member)) {
      const prefix = group.slice(0, -member.length)
      const counts = own.get(prefix) ?? new Map<string, number>()
      own.set(prefix, counts)
      if (count > 0) counts.set(member, count)
      else counts.delete(member)
      return
    }
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
      const others = members instanceof Map ? [...members.keys()] : members ? [members.member] : []
      const isOwn = ([prefix, counts]: [string, ReadonlyMap<string, number>]) =>
        group.startsWith(prefix) && counts.has(group.slice(prefix.length))
      return [...others, ...[...own].filter(isOwn).map(([prefix]) => group.slice(prefix.length))]
    },
    groups: (): string[] => [
      ...groups.keys(),
      ...[...own].flatMap(([prefix, counts]) => [...counts.keys()].map((member) => prefix + member)),
    ],
  }
}
