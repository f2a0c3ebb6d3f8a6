/** What to do when messages of other instances may have been missed: follow the right chats, and let the clients sync. */
import type { Bus } from '../bus/bus.ts'
import type { Log } from '../observability/log.ts'
import type { Fanout } from './fanout.ts'
import type { Followed } from './local-user.ts'

export interface GapOptions {
  bus: Bus
  fanout: Pick<Fanout, 'listUserIds' | 'listFollowed' | 'correct' | 'tell'>
  /** The ids of the chats of each of these users, from the database. */
  listChatIds(userIds: readonly string[]): Promise<ReadonlyMap<string, ReadonlySet<string>>>
  /** What rings for these users at the moment. */
  listInvites(userIds: readonly string[]): Promise<readonly { userId: string; event: Record<string, unknown> }[]>
  log: Log
}

/** Users at a time: the clients of a full instance must not all sync in the same moment. */
const BATCH = 500
const PAUSE_MS = 100
/** How often the chats of a user are read anew because they changed in that moment. */
const MAX_TRIES = 3

/** At each gap of the bus, all users of this instance are put right; another gap meanwhile is made up for afterwards. */
export function mendGaps({ bus, fanout, listChatIds, listInvites, log }: GapOptions): void {
  let isMending = false
  let isAnotherDue = false

  bus.onGap(() => {
    isAnotherDue = true
    if (!isMending) mendAll()
  })

  async function mendAll(): Promise<void> {
    isMending = true
    while (isAnotherDue) {
      isAnotherDue = false
      const userIds = fanout.listUserIds()
      for (let at = 0; at < userIds.length; at += BATCH) {
        if (at > 0) await Bun.sleep(PAUSE_MS)
        await mend(userIds.slice(at, at + BATCH))
      }
    }
    isMending = false
  }

  /** First the memberships, so that what a client syncs is followed already. */
  async function mend(userIds: readonly string[]): Promise<void> {
    try {
      await correct(userIds)
    } catch (error) {
      log.warn('Could not look for memberships that changed unheard; the next gap does', {
        users: userIds.length,
        error,
      })
    }
    for (const userId of userIds) fanout.tell(userId, { type: 'resync' })
    await ring(userIds)
  }

  /** Whoever is being called may not have heard it. */
  async function ring(userIds: readonly string[]): Promise<void> {
    try {
      for (const { userId, event } of await listInvites(userIds)) fanout.tell(userId, event)
    } catch (error) {
      log.warn('Could not look for calls that rang unheard; the next gap does', { users: userIds.length, error })
    }
  }

  async function correct(userIds: readonly string[], tries = 1): Promise<void> {
    const followed = fanout.listFollowed(userIds)
    const lists = await listChatIds(followed.map(({ userId }) => userId))
    const isChanged = (one: Followed) => !fanout.correct(one, lists.get(one.userId) ?? new Set())
    const changed = followed.filter(isChanged)
    if (changed.length > 0 && tries < MAX_TRIES) {
      await Bun.sleep(PAUSE_MS)
      await correct(
        changed.map(({ userId }) => userId),
        tries + 1,
      )
    }
  }
}
