/** The place of a chat in the chat list, as text that means nothing to a client. */
import { validationFailed } from '../../errors.ts'
import { UUID_PATTERN } from '../../http/text.ts'

export const encodeCursor = (chat: { last_message_at: string; id: string }): string =>
  Buffer.from(`${chat.last_message_at} ${chat.id}`).toString('base64url')

const UUID = new RegExp(UUID_PATTERN)

/** @throws AppError 400 */
export function decodeCursor(cursor: string): { at: Date; chatId: string } {
  const [instant = '', chatId = ''] = Buffer.from(cursor, 'base64url').toString().split(' ')
  const at = new Date(instant)
  if (Number.isNaN(at.getTime()) || !UUID.test(chatId))
    throw validationFailed({ cursor: 'is not one this server gave' })
  return { at, chatId }
}
