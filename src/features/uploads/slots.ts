/** How many uploads are under way at once, on this instance. */
import { tooManyRequests, unavailable } from '../../errors.ts'

export interface Slots {
  /** @returns what gives it back. @throws AppError 429 for a user who has too many, 503 when the server has */
  take(userId: string): () => void
}

const TRY_AGAIN_SECONDS = 5

export function createSlots({ perUser, total }: { perUser: number; total: number }): Slots {
  const held = new Map<string, number>()
  let all = 0
  return {
    take(userId) {
      const own = held.get(userId) ?? 0
      if (own >= perUser) throw tooManyRequests(TRY_AGAIN_SECONDS)
      if (all >= total) throw unavailable('Too many uploads are under way', TRY_AGAIN_SECONDS)
      held.set(userId, own + 1)
      all++
      return () => {
        const left = (held.get(userId) ?? 1) - 1
        if (left > 0) held.set(userId, left)
        else held.delete(userId)
        all--
      }
    },
  }
}
