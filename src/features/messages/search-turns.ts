/** Searches of one user one after the other: what a slow one costs falls on whoever asked for it. */
import { tooManyRequests } from '../../errors.ts'

/** Those of a user that wait or run. */
const MAX_AT_ONCE = 20

/**
 * However many one account asks for, they hold one connection of the pool at a time.
 * @throws tooManyRequests for one who has asked for 20 that are not answered yet
 */
export function createTurns() {
  const users = new Map<string, { count: number; last: Promise<unknown> }>()

  return async <Found>(userId: string, work: () => Promise<Found>): Promise<Found> => {
    const user = users.get(userId) ?? { count: 0, last: Promise.resolve() }
    if (user.count >= MAX_AT_ONCE) throw tooManyRequests(1)
    const turn = user.last.then(work, work)
    users.set(userId, user)
    user.count++
    user.last = turn
    try {
      return await turn
    } finally {
      user.count--
      if (user.count === 0) users.delete(userId)
    }
  }
}
