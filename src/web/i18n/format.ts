/** Instants and sizes in words. Making a formatter costs far more than using it, so each is made once. */
import { language, locale, t } from './language.ts'

interface Format {
  of: Intl.DateTimeFormat
  /** What it said last, and of which minute: of a list many are of the same. None says more than minutes. */
  minute: number
  text: string
}
const formats = new Map<string, Format>()

function format(name: string, options: Intl.DateTimeFormatOptions, at: Date): string {
  const key = `${locale.value} ${name}`
  let found = formats.get(key)
  if (!found) {
    found = { of: new Intl.DateTimeFormat(locale.value, options), minute: Number.NaN, text: '' }
    formats.set(key, found)
  }
  const minute = Math.floor(at.getTime() / 60_000)
  if (minute !== found.minute) {
    found.minute = minute
    found.text = found.of.format(at)
  }
  return found.text
}

const DAY_MS = 86_400_000

/** Midnight of its day here. */
export const startOfDay = (at: Date) => new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime()
// A day has 23 or 25 hours where the clock was changed.
const daysAgo = (at: Date) => Math.round((startOfDay(new Date()) - startOfDay(at)) / DAY_MS)

export const clock = (at: Date) => format('clock', { hour: '2-digit', minute: '2-digit' }, at)
export const date = (at: Date) => format('date', { day: 'numeric', month: 'long', year: 'numeric' }, at)
export const full = (at: Date) => format('full', { dateStyle: 'full', timeStyle: 'short' }, at)

/** For a separator: "Today", "Monday", "3 March", "3 March 2024". */
export function day(at: Date): string {
  const ago = daysAgo(at)
  if (ago === 0) return t().today
  if (ago === 1) return t().yesterday
  if (ago > 0 && ago < 7) return format('weekday', { weekday: 'long' }, at)
  if (at.getFullYear() === new Date().getFullYear()) return format('month', { day: 'numeric', month: 'long' }, at)
  return date(at)
}

/** For a list: the time today, then the day. */
export function brief(at: Date): string {
  const ago = daysAgo(at)
  if (ago <= 0) return clock(at)
  if (ago === 1) return t().yesterday
  if (ago < 7) return format('brief-weekday', { weekday: 'short' }, at)
  if (at.getFullYear() === new Date().getFullYear()) return format('brief', { day: 'numeric', month: 'short' }, at)
  return format('brief-year', { day: '2-digit', month: '2-digit', year: '2-digit' }, at)
}

const ago = (value: number, unit: Intl.RelativeTimeFormatUnit) =>
  new Intl.RelativeTimeFormat(language.value, { numeric: 'auto' }).format(-value, unit)

/** "5 minutes ago", "yesterday". */
export function since(at: Date): string {
  const minutes = Math.floor((Date.now() - at.getTime()) / 60_000)
  if (minutes < 1) return t().justNow
  if (minutes < 60) return ago(minutes, 'minute')
  if (minutes < 12 * 60) return ago(Math.floor(minutes / 60), 'hour')
  const days = daysAgo(at)
  if (days < 1) return ago(Math.floor(minutes / 60), 'hour')
  if (days < 14) return ago(days, 'day')
  return date(at)
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const

/** "1.4 MB": thousands, as files are sold by. */
export function size(bytes: number): string {
  const step = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), UNITS.length - 1)
  const value = bytes / 1000 ** step
  const maximumFractionDigits = step > 0 && value < 10 ? 1 : 0
  return value.toLocaleString(locale.value, { style: 'unit', unit: UNITS[step] ?? 'byte', maximumFractionDigits })
}

/** "1:05", "1:02:03". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const two = (n: number) => String(n).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}
