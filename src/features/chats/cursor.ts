/** The place of a chat in the chat list, as text that means nothing to a client. */
import { validationFailed } from '../../errors.ts'

export const encodeCursor = (chat: { last_message_at: string; id: string }): string =>
  Buffer.from(`${chat.last_message_at} ${chat.id}`).toString('base64url')

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** @throws AppError 400 */
export function decodeCursor(cursor: string): { at: Date; chatId: string } {
  const [instant = '', chatId = ''] = Buffer.from(cursor, 'base64url').toString().split(' ')
  const at = new Date(instant)
  if (Number.isNaN(at.getTime()) || !UUID.test(chatId))
    throw validationFailed({ cursor: 'is not one this server gave' })
  return { at, chatId }
}
