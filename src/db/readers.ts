/** Values that come often, read from the bytes that PostgreSQL sends: as text first they would cost twice as much. */

/** Reads the value that stands from `start` to `end`, exclusive, of what came. */
export type ReadValue = (bytes: Buffer, start: number, end: number) => unknown

/** What Bun gives its buffers, and no type knows of. */
type Sliced = Buffer & Record<'latin1Slice' | 'utf8Slice', (start: number, end: number) => string>

const OID = { bool: 16, int8: 20, int4: 23, float8: 701, timestamptz: 1184, uuid: 2950 }

/** By the OID of the type. Each gives what the driver would: a Date of a timestamptz, text of a uuid and an int8. */
export const readers: Record<number, ReadValue> = {
  [OID.bool]: (bytes, start) => bytes[start] === TRUE,
  [OID.int4]: readWhole,
  [OID.float8]: (bytes, start, end) => Number(readAscii(bytes, start, end)),
  [OID.int8]: readInt8,
  [OID.timestamptz]: readInstant,
  [OID.uuid]: readAscii,
}

function readAscii(bytes: Buffer, start: number, end: number): string {
  return (bytes as Sliced).latin1Slice(start, end)
}

/** Most are seq, rev and the like of a chat that is not long: of one or two digits. */
function readInt8(bytes: Buffer, start: number, end: number): string {
  const length = end - start
  if (length === 1) return String.fromCharCode(bytes[start] ?? 0)
  if (length === 2) return String.fromCharCode(bytes[start] ?? 0, bytes[start + 1] ?? 0)
  return readAscii(bytes, start, end)
}

/** A whole number that JavaScript has: of a column whose mode is `number`, or an int4. */
export function readWhole(bytes: Buffer, start: number, end: number): number {
  if (bytes[start] === DASH || end - start > MAX_DIGITS) return Number(readAscii(bytes, start, end))
  let whole = 0
  for (let at = start; at < end; at++) whole = whole * 10 + digit(bytes, at)
  return whole
}

/** Text of any script. */
export function readText(bytes: Buffer, start: number, end: number): string {
  return (bytes as Sliced).utf8Slice(start, end)
}

/** Of the text YYYY-MM-DD HH:MM:SS.fff+00, whose fraction may be shorter or not there. */
const PLACES = { month: 5, day: 8, hours: 11, minutes: 14, seconds: 17, fraction: 20 }
const [ZERO, DASH, SPACE, PLUS, TRUE] = [48, 45, 32, 43, 116]
/** Of those that a number holds exactly, whichever they are. */
const MAX_DIGITS = 15
const SHORTEST = '2026-01-15 10:00:00+00'.length
const LONGEST = '2026-01-15 10:00:00.123+00'.length

/** Other years, fractions, zones and infinity are left to Date. */
function readInstant(bytes: Buffer, start: number, end: number): Date {
  const length = end - start
  const isUsual =
    length >= SHORTEST &&
    length <= LONGEST &&
    bytes[end - 3] === PLUS &&
    bytes[end - 2] === ZERO &&
    bytes[end - 1] === ZERO &&
    // Of years up to 99 Date.UTC makes others.
    bytes[start] !== ZERO &&
    bytes[start + 4] === DASH &&
    bytes[start + 10] === SPACE
  if (!isUsual) return new Date(readAscii(bytes, start, end))
  const fraction = start + PLACES.fraction
  const digitsEnd = end - 3
  const milliseconds =
    (fraction < digitsEnd ? digit(bytes, fraction) * 100 : 0) +
    (fraction + 1 < digitsEnd ? digit(bytes, fraction + 1) * 10 : 0) +
    (fraction + 2 < digitsEnd ? digit(bytes, fraction + 2) : 0)
  return new Date(
    Date.UTC(
      twoDigits(bytes, start) * 100 + twoDigits(bytes, start + 2),
      twoDigits(bytes, start + PLACES.month) - 1,
      twoDigits(bytes, start + PLACES.day),
      twoDigits(bytes, start + PLACES.hours),
      twoDigits(bytes, start + PLACES.minutes),
      twoDigits(bytes, start + PLACES.seconds),
      milliseconds,
    ),
  )
}

const digit = (bytes: Buffer, at: number): number => (bytes[at] ?? 0) - ZERO
const twoDigits = (bytes: Buffer, at: number): number => digit(bytes, at) * 10 + digit(bytes, at + 1)
