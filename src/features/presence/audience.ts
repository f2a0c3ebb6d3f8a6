/** Who sees a sign of somebody's presence: everybody in the chat, but nobody whom they have blocked. */
import { chatTopic, type Topic, userTopic } from '../../bus/topics.ts'
import type { Db } from '../../db/client.ts'
import { listOthersThan } from './store.ts'

export interface AudienceOptions {
  db: Db
  /** The ids of all whom the user has blocked. */
  listBlockedBy(userId: string): Promise<readonly string[]>
}

export type Audience = ReturnType<typeof createAudience>

export function createAudience({ db, listBlockedBy }: AudienceOptions) {
  return {
    /**
     * The topics to tell of `userId` in these chats, each once: the chat's own; where somebody is whom the user has
     * blocked, those of all its other members.
     */
    async of(userId: string, chatIds: readonly string[]): Promise<Topic[]> {
      const blocked = chatIds.length > 0 ? await listBlockedBy(userId) : []
      if (blocked.length === 0) return chatIds.map(chatTopic)
      const guarded = await listOthersThan(db, blocked, chatIds)
      return [...new Set(chatIds.flatMap((id) => guarded.get(id)?.map(userTopic) ?? [chatTopic(id)]))]
    },

    /** Whether the user is in any of the chats. */
    isAnyOf: async (chatIds: readonly string[], userId: string): Promise<boolean> =>
      chatIds.length > 0 && (await listOthersThan(db, [userId], chatIds)).size > 0,
  }
}
