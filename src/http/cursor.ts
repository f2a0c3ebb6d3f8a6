/** Pages of a list in the order of an instant and an id: where one ends, as text that means nothing to a client. */
import { t } from 'elysia'
import { validationFailed } from '../errors.ts'
import { PageLimit, UUID_PATTERN } from './text.ts'

/** The place of a row in its list. */
export interface Place {
  at: Date
  id: string
}

export const CursorPage = t.Object({
  limit: t.Optional(PageLimit),
  cursor: t.Optional(t.String({ maxLength: 200, error: 'must be a next_cursor' })),
})
export interface CursorPage {
  limit?: number
  cursor?: string
}

/** What every answer that is a page says beside its rows. */
export const pageFields = {
  has_more: t.Boolean(),
  next_cursor: t.Nullable(t.String({ description: 'For the next page' })),
}

const UUID = new RegExp(UUID_PATTERN)
// Years that JavaScript and PostgreSQL write alike.
const INSTANT = /^[12]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

const encode = ({ at, id }: Place): string => Buffer.from(`${at.toISOString()} ${id}`).toString('base64url')

/** The place that a page's `next_cursor` names. @throws AppError 400 */
export function decodeCursor(cursor: string): Place {
  const [instant = '', id = ''] = Buffer.from(cursor, 'base64url').toString().split(' ')
  const at = new Date(instant)
  const isOurs = INSTANT.test(instant) && !Number.isNaN(at.getTime()) && UUID.test(id)
  if (!isOurs) throw validationFailed({ cursor: 'is not one this server gave' })
  return { at, id }
}

/** Cuts a page off rows of which one more than `limit` was asked for. */
export function cutPage<Row>(rows: readonly Row[], limit: number, placeOf: (row: Row) => Place) {
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  const has_more = rows.length > limit
  return { page, has_more, next_cursor: has_more && last ? encode(placeOf(last)) : null }
}
