/** What is held on this instance, counted. */
import type { Holding } from './holders.ts'

export type LocalHolders = ReturnType<typeof createLocalHolders>

export function createLocalHolders() {
  /** By group, how often each member is held. */
  const groups = new Map<string, Map<string, number>>()

  return {
    /** @returns whether it was not held before */
    add({ group, member }: Holding): boolean {
      const members = groups.get(group) ?? new Map<string, number>()
      const count = members.get(member) ?? 0
      if (members.size === 0) groups.set(group, members)
      members.set(member, count + 1)
      return count === 0
    },

    /** @returns whether it is not held any more; false for what was not held */
    remove({ group, member }: Holding): boolean {
      const members = groups.get(group)
      const count = members?.get(member)
      if (!members || count === undefined) return false
      if (count > 1) members.set(member, count - 1)
      else members.delete(member)
      if (members.size === 0) groups.delete(group)
      return count === 1
    },

    has: ({ group, member }: Holding): boolean => groups.get(group)?.has(member) ?? false,
    members: (group: string): string[] => [...(groups.get(group)?.keys() ?? [])],
    groups: (): string[] => [...groups.keys()],
  }
}
