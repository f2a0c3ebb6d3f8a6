/** Which chats a user follows. */
import type { ChatPlaces } from './chat-places.ts'

/** A set of chats, which takes 4 bytes for each beside what all who follow it share. */
export class ChatIds {
  /** Places, ascending. Never changed but replaced. */
  private places = NONE

  constructor(private readonly shared: ChatPlaces) {}

  has(id: string): boolean {
    return this.hasPlace(this.shared.find(id))
  }

  /** @param ids each once. @returns the places of those that were not there */
  add(ids: readonly string[]): Uint32Array {
    const added = Uint32Array.from(
      ids.filter((id) => !this.has(id)),
      (id) => this.shared.take(id),
    )
    const places = new Uint32Array(this.places.length + added.length)
    places.set(this.places)
    places.set(added, this.places.length)
    this.places = places.sort()
    return added
  }

  /** @returns whether it was there */
  delete(id: string): boolean {
    const place = this.shared.find(id)
    if (!this.hasPlace(place)) return false
    this.places = this.places.filter((one) => one !== place)
    this.shared.release(place)
    return true
  }

  /** All of them; they are not there any more. */
  clear(): string[] {
    const ids = this.list()
    for (const place of this.places) this.shared.release(place)
    this.places = NONE
    return ids
  }

  list(): string[] {
    return Array.from(this.places, (place) => this.shared.idOf(place))
  }

  /** Their places. */
  [Symbol.iterator](): Iterator<number> {
    return this.places[Symbol.iterator]()
  }

  private hasPlace(place: number): boolean {
    let from = 0
    let to = this.places.length
    while (from < to) {
      const middle = (from + to) >> 1
      if ((this.places[middle] ?? 0) < place) from = middle + 1
      else to = middle
    }
    return this.places[from] === place
  }
}

const NONE = new Uint32Array(0)
