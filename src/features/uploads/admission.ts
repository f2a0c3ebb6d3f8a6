/** Who may upload, how much, and how often: asked before any byte of a file is taken, and again before it is kept. */
import type { RateLimiter } from '../../cache/limiter.ts'
import type { Db } from '../../db/client.ts'
import { AppError, tooManyRequests } from '../../errors.ts'
import { accessChat } from '../chats/access.ts'
import type { Message } from '../messages/model.ts'
import type { Tier } from '../subscriptions/tiers.ts'

export interface AdmissionDeps {
  db: Db
  limiter: RateLimiter
  isLimited: boolean
  tierOf(userId: string): Tier | Promise<Tier>
  findSent(senderId: string, chatId: string, clientId: string): Promise<Message | undefined>
}

export type Admission = ReturnType<typeof createAdmission>

const HOUR_SECONDS = 3600

export function createAdmission({ db, limiter, isLimited, tierOf, findSent }: AdmissionDeps) {
  return {
    tierOf,

    /** Counts one upload. @throws AppError 429 */
    async count(userId: string, { uploadsPerHour }: Pick<Tier, 'uploadsPerHour'>): Promise<void> {
      if (!isLimited) return
      // By limit, as requests are: a higher one is whole whatever was used of the lower.
      const key = `upload:${uploadsPerHour}:${userId}`
      const retryAfterSeconds = await limiter.hit(key, { count: uploadsPerHour, periodSeconds: HOUR_SECONDS })
      if (retryAfterSeconds > 0) throw tooManyRequests(retryAfterSeconds)
    },

    /**
     * May the user post there? Whoever may not any more, but is in the chat, still learns what became of an earlier upload.
     * @throws AppError 404, 403
     */
    async require(userId: string, chatId: string, clientId: string | undefined): Promise<void> {
      try {
        await accessChat(db, userId, chatId, 'write')
      } catch (error) {
        const isMember = error instanceof AppError && error.status === 403
        const isRepeat = isMember && clientId !== undefined && (await findSent(userId, chatId, clientId))
        if (!isRepeat) throw error
      }
    },
  }
}
