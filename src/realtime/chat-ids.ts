/** Which chats a user follows. */
import type { ChatPlaces } from './chat-places.ts'

/** A set of chats, which takes 4 bytes for each beside what all who follow it share. */
export class ChatIds {
  /** Places in the table that all share, ascending. Never changed but replaced. */
  private held = NONE

  constructor(private readonly shared: ChatPlaces) {}

  has(id: string): boolean {
    return this.hasPlace(this.shared.find(id))
  }

  /** @param ids each once. @returns the places of those that were not there */
  add(ids: readonly string[]): readonly number[] {
    const added = ids.filter((id) => !this.has(id)).map((id) => this.shared.take(id))
    const held = new Uint32Array(this.held.length + added.length)
    held.set(this.held)
    held.set(added, this.held.length)
    this.held = held.sort()
    return added
  }

  /** @returns whether it was there */
  delete(id: string): boolean {
    const place = this.shared.find(id)
    if (!this.hasPlace(place)) return false
    this.held = this.held.filter((one) => one !== place)
    this.shared.release(place)
    return true
  }

  /** All of them; they are not there any more. */
  clear(): string[] {
    const ids = this.list()
    for (const place of this.places()) this.shared.release(place)
    this.held = NONE
    return ids
  }

  list(): string[] {
    return this.places().map((place) => this.shared.idOf(place))
  }

  /** As a list to go through: going through what is kept would leave an object behind at each step. */
  places(): number[] {
    const { held } = this
    const places: number[] = []
    for (let n = 0; n < held.length; n++) places.push(held[n] ?? 0)
    return places
  }

  private hasPlace(place: number): boolean {
    let from = 0
    let to = this.held.length
    while (from < to) {
      const middle = (from + to) >> 1
      if ((this.held[middle] ?? 0) < place) from = middle + 1
      else to = middle
    }
    return this.held[from] === place
  }
}

const NONE = new Uint32Array(0)
