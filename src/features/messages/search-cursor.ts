/** Where a page of found messages ends: the place in the list, and whether it was a list of resembling words. */
import { validationFailed } from '../../errors.ts'
import { decodeCursor, type Place } from '../../http/cursor.ts'

export interface FoundPlace extends Place {
  isFuzzy: boolean
}

const EXACT = 'e'
const FUZZY = 'f'

/** @param cursor the place alone */
export const markCursor = (cursor: string, isFuzzy: boolean): string => (isFuzzy ? FUZZY : EXACT) + cursor

/** @throws AppError 400 */
export function decodeMarkedCursor(cursor: string): FoundPlace {
  const mark = cursor.slice(0, 1)
  if (mark !== EXACT && mark !== FUZZY) throw validationFailed({ cursor: 'is not one this server gave' })
  return { ...decodeCursor(cursor.slice(1)), isFuzzy: mark === FUZZY }
}
