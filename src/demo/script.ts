/** The shape of what is told: who says what to whom, and when. */
import type { CallJson } from '../db/schema/index.ts'
import type { FileName } from './files.ts'
import type { Name } from './people.ts'
import type { Picture } from './pictures/svg.ts'

interface Extras {
  /** What others answer it by. */
  key?: string
  replyTo?: string
  /** What it said first: it was edited. */
  before?: string
  /** It was deleted a little later. */
  isDeleted?: true
  photo?: () => Picture
  file?: FileName
  call?: CallJson
}

export interface Line extends Extras {
  by: Name
  text: string
  /** The time of day, or on the last day how many minutes ago. */
  at: { hour: number; minute: number } | { minutesAgo: number }
}

export interface Day {
  /** 0 is today; the others as if today were a Sunday. */
  daysAgo: number
  lines: Line[]
}

interface Story {
  days: Day[]
  /** How many of the newest messages they have not read; everybody else has read all. */
  unread?: Partial<Record<Name, number>>
}
export interface DmStory extends Story {
  type: 'dm'
  members: readonly [Name, Name]
}
export interface GroupStory extends Story {
  type: 'group'
  name: string
  avatar?: () => Picture
  /** The first owns it. */
  members: readonly [Name, ...Name[]]
  admins?: readonly Name[]
}
export interface ChannelStory extends Story {
  type: 'channel'
  name: string
  description: string
  avatar?: () => Picture
  /** The first owns it and speaks. */
  members: readonly [Name, ...Name[]]
}
export type ChatStory = DmStory | GroupStory | ChannelStory

/** `18:05`, or minutes ago on the last day: by 110 at most, or a story seeded just after midnight would run backwards. */
export function say(at: string | number, by: Name, text: string, extras: Extras = {}): Line {
  if (typeof at === 'number') return { at: { minutesAgo: at }, by, text, ...extras }
  const [hour, minute] = at.split(':').map(Number)
  return { at: { hour: Number(hour), minute: Number(minute) }, by, text, ...extras }
}

/** Before today nothing is said after 22:00: see `say`. */
export const day = (daysAgo: number, ...lines: Line[]): Day => ({ daysAgo, lines })
export const today = (...lines: Line[]): Day => ({ daysAgo: 0, lines })

const LEAST_PAUSE_MS = 9000
const MINUTE_MS = 60_000

/**
 * When each line of a story was said, the one after the other whatever the clock says now; local time. Yesterday was a
 * Saturday: on other days than Sunday it was the last one, so that whoever walks on Saturdays did.
 */
export function instantsOf({ days }: Pick<Story, 'days'>, now: Date): Date[] {
  const instants: Date[] = []
  const sinceSunday = now.getDay()
  for (const { daysAgo, lines } of days) {
    for (const { at } of lines) {
      const wanted =
        'minutesAgo' in at
          ? now.getTime() - at.minutesAgo * MINUTE_MS
          : new Date(
              now.getFullYear(),
              now.getMonth(),
              now.getDate() - daysAgo - sinceSunday,
              at.hour,
              at.minute,
              17,
            ).getTime()
      const earliest = (instants.at(-1)?.getTime() ?? 0) + LEAST_PAUSE_MS
      instants.push(new Date(Math.max(wanted, earliest)))
    }
  }
  return instants
}
