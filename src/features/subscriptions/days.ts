/** Days as text, `YYYY-MM-DD` in UTC: they compare as they are, and no clock change moves them. */

/** A year beyond has no four digits. */
const LAST_DAY = '9999-12-31'

export const utcDay = (instant: Date): string => instant.toISOString().slice(0, 10)

/** The same day some months later, or the last of that month if it is shorter: a month after Jan 31 is Feb 28 or 29. */
export function addMonths(day: string, months: number): string {
  const from = new Date(`${day}T00:00:00Z`)
  const year = from.getUTCFullYear()
  const month = from.getUTCMonth() + months
  const lastOfMonth = new Date(Date.UTC(year, month + 1, 0))
  if (lastOfMonth.getUTCFullYear() > 9999) return LAST_DAY
  return utcDay(new Date(Date.UTC(year, month, Math.min(from.getUTCDate(), lastOfMonth.getUTCDate()))))
}
