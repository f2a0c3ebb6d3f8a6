/** Who is connected, and who looks at which chat, on this instance. */

/** Counts things that have several holders: a user with two sockets, a chat open on two devices. */
export interface HolderCount {
  /** @returns whether it was the first holder */
  add(key: string): boolean
  /** @returns whether it was the last holder */
  remove(key: string): boolean
  has(key: string): boolean
  keys(): IterableIterator<string>
  readonly size: number
}

export function createHolderCount(): HolderCount {
  const counts = new Map<string, number>()
  return {
    add(key) {
      const count = counts.get(key) ?? 0
      counts.set(key, count + 1)
      return count === 0
    },
    remove(key) {
      const count = counts.get(key)
      if (count === undefined) return false
      if (count > 1) counts.set(key, count - 1)
      else counts.delete(key)
      return count === 1
    },
    has: (key) => counts.has(key),
    keys: () => counts.keys(),
    get size() {
      return counts.size
    },
  }
}
