/** The place of a channel in the list of public ones, as text that means nothing to a client. */
import { validationFailed } from '../../errors.ts'
import { UUID_PATTERN } from '../../http/text.ts'

export interface Place {
  subscriberCount: number
  id: string
}

export const encodeCursor = ({ subscriberCount, id }: Place): string =>
  Buffer.from(`${subscriberCount} ${id}`).toString('base64url')

const UUID = new RegExp(UUID_PATTERN)
const COUNT = /^[0-9]{1,9}$/

/** @throws AppError 400 */
export function decodeCursor(cursor: string): Place {
  const [count = '', id = ''] = Buffer.from(cursor, 'base64url').toString().split(' ')
  if (!COUNT.test(count) || !UUID.test(id)) throw validationFailed({ cursor: 'is not one this server gave' })
  return { subscriberCount: Number(count), id }
}
