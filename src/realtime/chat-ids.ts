/** Which chats users follow, in as little memory as can be: thousands of users follow hundreds of chats each. */

/** The strings that many hold: of equal ones the first is kept, for as long as anybody holds it. */
export interface IdPool {
  /** @returns the one that all hold */
  take(id: string): string
  /** Once for each `take`. */
  release(id: string): void
}

export function createIdPool(): IdPool {
  const kept = new Map<string, { id: string; holders: number }>()
  return {
    take(id) {
      const known = kept.get(id)
      if (!known) kept.set(id, { id, holders: 1 })
      else known.holders++
      return known?.id ?? id
    },
    release(id) {
      const known = kept.get(id)
      if (known && --known.holders === 0) kept.delete(id)
    },
  }
}

/** A set of ids in ascending order, which takes 8 bytes for each beside what its pool shares. */
export class ChatIds {
  private ids: string[] = []

  constructor(private readonly pool: IdPool) {}

  has(id: string): boolean {
    return this.ids[this.placeOf(id)] === id
  }

  /** Each of `ids` once. */
  add(ids: readonly string[]): void {
    const added = ids.filter((id) => !this.has(id)).map(this.pool.take)
    // A new one of the right length: those that grow have room to spare.
    if (added.length > 0) this.ids = [...this.ids, ...added].sort()
  }

  /** @returns whether it was there */
  delete(id: string): boolean {
    const place = this.placeOf(id)
    if (this.ids[place] !== id) return false
    this.ids.splice(place, 1)
    this.pool.release(id)
    return true
  }

  /** The last first, which is the cheapest order to delete them in. */
  list(): string[] {
    return this.ids.toReversed()
  }

  [Symbol.iterator](): Iterator<string> {
    return this.ids[Symbol.iterator]()
  }

  /** Where it is or would be. */
  private placeOf(id: string): number {
    let from = 0
    let to = this.ids.length
    while (from < to) {
      const middle = (from + to) >> 1
      if ((this.ids[middle] ?? '') < id) from = middle + 1
      else to = middle
    }
    return from
  }
}
