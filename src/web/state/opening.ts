/** Going to a conversation, whichever way one came. */

import { signal } from '@preact/signals'
import { client } from './client.ts'
import { attempt } from './failures.ts'
import { go } from './route.ts'

/** The message that somebody was led to: it is brought into sight and shines up. */
export const target = signal<{ chatId: string; seq: number } | undefined>(undefined)

export function openChat(chatId: string): void {
  go({ chat: chatId, page: [] })
}

export function openAt(chatId: string, seq: number): void {
  client.openAt(chatId, seq)
  target.value = { chatId, seq }
  go({ chat: chatId })
}

/** @returns whether there is one */
export const openDm = (userId: string): Promise<boolean> =>
  attempt(async () => openChat((await client.api.openDm(userId)).id))
