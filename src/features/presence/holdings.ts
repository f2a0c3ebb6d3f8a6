/** How presence is held: being online is a group of one; those who look at a chat are one group. */
import type { Holding } from '../../cache/holders.ts'

export const beingOnline = (userId: string): Holding => ({ group: `online:${userId}`, member: userId })

export const chatGroup = (chatId: string): string => `chat:${chatId}`

export const lookingAt = (chatId: string, userId: string): Holding => ({ group: chatGroup(chatId), member: userId })

/** Whose or which chat's group it is. */
export function readHolding(group: string): { kind: 'online' | 'chat'; id: string } {
  const [kind, id = ''] = group.split(':')
  return { kind: kind === 'online' ? 'online' : 'chat', id }
}
