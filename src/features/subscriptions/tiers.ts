/** What premium changes: the one place that says it, and who has which. */
import type { Bus } from '../../bus/bus.ts'
import { readControl, tierChanged } from '../../bus/control.ts'
import type { Config } from '../../config.ts'
import type { Db } from '../../db/client.ts'
import type { Profiles } from '../users/profiles.ts'
import { utcDay } from './days.ts'
import { findOpen } from './store.ts'

export interface Tier {
  isPremium: boolean
  /** Requests a minute, uploads an hour. */
  apiPerMinute: number
  uploadsPerHour: number
  uploadMaxBytes: number
  /** Members of a group of theirs; Infinity for as many as there are. */
  groupMembers: number
  /** Pixels. */
  imageMaxWidth: number
  videoMaxHeight: number
}

export interface TiersOptions {
  db: Db
  bus: Bus
  profiles: Pick<Profiles, 'forget'>
  settings: Pick<
    Config,
    | 'RATE_LIMIT_API_FREE'
    | 'RATE_LIMIT_API_PREMIUM'
    | 'RATE_LIMIT_UPLOAD_FREE'
    | 'RATE_LIMIT_UPLOAD_PREMIUM'
    | 'MEDIA_MAX_BYTES_FREE'
    | 'MEDIA_MAX_BYTES_PREMIUM'
    | 'IMAGE_MAX_WIDTH'
    | 'IMAGE_MAX_WIDTH_PREMIUM'
  >
  now?: () => Date
}

interface Remembered {
  lastDay: Promise<string | undefined>
  /** What `lastDay` has resolved to. */
  read?: { lastDay: string | undefined }
  until: number
}

export type Tiers = ReturnType<typeof createTiers>

/** Every request asks. What another instance changed is known so late at most, should its message be lost. */
const REMEMBER_MS = 30_000
const MAX_REMEMBERED = 50_000

export function createTiers({ db, bus, profiles, settings, now = () => new Date() }: TiersOptions) {
  const { free, premium } = describeTiers(settings)
  /**
   * By user the last day of premium, as it is being read or was: so those who ask at once share one query, and an answer
   * that was forgotten while on its way stays so.
   */
  const remembered = new Map<string, Remembered>()

  bus.onMessage((message) => {
    if (message.kind !== 'control') return
    const control = readControl(message)
    if (control.type === 'tier_changed') remembered.delete(control.user_id)
  })

  const readLastDay = (userId: string): Promise<string | undefined> => {
    const lastDay = findOpen(db, userId).then((period) => period?.endDate)
    const entry: Remembered = { lastDay, until: now().getTime() + REMEMBER_MS }
    remembered.delete(userId)
    if (remembered.size >= MAX_REMEMBERED) for (const oldest of remembered.keys().take(1)) remembered.delete(oldest)
    remembered.set(userId, entry)
    lastDay.then(
      (day) => {
        entry.read = { lastDay: day }
      },
      // Whoever waits is told of the failure; the next one asks again.
      () => remembered.get(userId) === entry && remembered.delete(userId),
    )
    return lastDay
  }

  const find = (userId: string): Remembered | undefined => {
    const known = remembered.get(userId)
    return known && known.until > now().getTime() ? known : undefined
  }
  // The day is compared at each question: a period ends at midnight, remembered or not.
  const tierUntil = (lastDay: string | undefined): Tier =>
    lastDay !== undefined && lastDay >= utcDay(now()) ? premium : free

  return {
    /** By the period, whatever its status and the copy on the account say. */
    async tierOf(userId: string): Promise<Tier> {
      return tierUntil(await (find(userId)?.lastDay ?? readLastDay(userId)))
    },

    /** What `tierOf` answers without a question to the database; undefined where it would ask. */
    recall(userId: string): Tier | undefined {
      const read = find(userId)?.read
      return read && tierUntil(read.lastDay)
    },

    /** After the commit: this instance forgets at once, whatever way its messages take; when it resolves, profiles show it. */
    async announceChanged(userIds: readonly string[]): Promise<void> {
      for (const userId of userIds) remembered.delete(userId)
      bus.publish(userIds.map(tierChanged))
      await profiles.forget(userIds)
    },
  }
}

function describeTiers(settings: TiersOptions['settings']): Record<'free' | 'premium', Readonly<Tier>> {
  return {
    free: Object.freeze({
      isPremium: false,
      apiPerMinute: settings.RATE_LIMIT_API_FREE,
      uploadsPerHour: settings.RATE_LIMIT_UPLOAD_FREE,
      uploadMaxBytes: settings.MEDIA_MAX_BYTES_FREE,
      groupMembers: 200,
      imageMaxWidth: settings.IMAGE_MAX_WIDTH,
      videoMaxHeight: 720,
    }),
    premium: Object.freeze({
      isPremium: true,
      apiPerMinute: settings.RATE_LIMIT_API_PREMIUM,
      uploadsPerHour: settings.RATE_LIMIT_UPLOAD_PREMIUM,
      uploadMaxBytes: settings.MEDIA_MAX_BYTES_PREMIUM,
      groupMembers: Number.POSITIVE_INFINITY,
      imageMaxWidth: settings.IMAGE_MAX_WIDTH_PREMIUM,
      videoMaxHeight: 1080,
    }),
  }
}
