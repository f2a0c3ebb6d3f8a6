/** Calls between the two of a direct chat: who rings whom, who answers, what passes between their devices. */
import type { Bus } from '../../bus/bus.ts'
import { deviceEvent } from '../../bus/control.ts'
import type { CallEvent } from '../../bus/events.ts'
import type { Limit } from '../../cache/limiter.ts'
import type { LocalLimiter } from '../../cache/memory-limiter.ts'
import type { Db, Tx } from '../../db/client.ts'
import { callNotFound, chatNotFound, tooManyRequests } from '../../errors.ts'
import type { Log } from '../../observability/log.ts'
import { accessChat } from '../chats/access.ts'
import type { BlockChange } from '../users/blocks.ts'
import { createLeases } from './leases.ts'
import {
  type Action,
  advance,
  begin,
  type Device,
  end,
  findObstacle,
  lapse,
  otherDevice,
  type Step,
} from './machine.ts'
import { type Call, type CallInvite, inviteEvent, toCallState } from './model.ts'
import { createRecords, type RecordsOptions } from './records.ts'
import * as store from './store.ts'

export interface CallsOptions extends RecordsOptions {
  db: Db
  bus: Bus
  log: Log
  limiter: LocalLimiter
  /** Invitations of one user on this instance; undefined for no limit. */
  inviteLimit: Limit | undefined
}

export type Calls = ReturnType<typeof createCalls>

/** What a device has for the one at the other end. */
export type Signal = Extract<CallEvent, { type: 'call_offer' | 'call_answer' | 'call_candidate' }>

const OVERDUE_BATCH = 200
/** Late frames are told for so long that their call has ended. */
const FORGET_AFTER_SECONDS = 24 * 3600

export function createCalls(options: CallsOptions) {
  const { db, bus, log, limiter, inviteLimit } = options
  const leases = createLeases({ db, log })
  const records = createRecords(options)
  /** Messages being stored, and devices being reported gone. */
  const underWay = new Set<Promise<void>>()

  function follow(work: Promise<void>): void {
    underWay.add(work)
    work.finally(() => underWay.delete(work))
  }

  /** After the commit. */
  function announce(steps: readonly Step[]): void {
    const notices = steps.flatMap(({ tell }) => tell)
    // After the microtasks of this turn, in which the device that did it is answered.
    if (notices.length > 0) setImmediate(() => bus.publish(notices.map(({ to, event }) => deviceEvent(to, event))))
    for (const { call, tell } of steps) if (call.state === 'ended' && tell.length > 0) conclude(call)
  }

  function conclude(call: Call): void {
    leases.release(call.caller.device)
    if (call.callee) leases.release(call.callee.device)
    follow(records.tryRecord(call))
  }

  /** One step of a call, under the lock of its row. @throws AppError 404, and whatever the step is refused with */
  async function change(callId: string, take: (call: Call, now: Date) => Step): Promise<Call> {
    const step = await db.transaction(async (tx) => {
      const call = await store.lockCall(tx, callId)
      if (!call) throw callNotFound()
      const taken = take(call, await store.readClock(tx))
      if (taken.call !== call) await store.updateCall(tx, taken.call)
      return taken
    })
    announce([step])
    if (step.refused) throw step.refused
    return step.call
  }

  /** Ends what is overdue among the open calls of these users. @returns what is left of them, and those that ended */
  async function lockOpen(tx: Tx, userIds: readonly string[], now: Date) {
    const steps = (await store.lockOpenCallsOf(tx, userIds)).map((call) => lapse(call, now))
    const ended = steps.filter(({ call }) => call.state === 'ended')
    for (const { call } of ended) await store.updateCall(tx, call)
    return { open: steps.filter(({ call }) => call.state !== 'ended').map(({ call }) => call), ended }
  }

  /** Ends the open calls of the user (with the other one), because they may not go on. @returns what has to be announced */
  async function breakOff(tx: Tx, userId: string, otherId?: string): Promise<Step[]> {
    const now = await store.readClock(tx)
    const { open, ended } = await lockOpen(tx, [userId], now)
    const isOfBoth = (call: Call) => !otherId || call.callerId === otherId || call.calleeId === otherId
    const broken = open.filter(isOfBoth).map((call) => end(call, call.state === 'active' ? 'failed' : 'missed', now))
    for (const { call } of broken) await store.updateCall(tx, call)
    return [...ended, ...broken]
  }

  async function act(device: Device, callId: string, action: Exclude<Action, 'signal' | 'drop'>) {
    const call = await change(callId, (before, now) => advance(before, action, device, now))
    const isInIt = call.state !== 'ended' && (action === 'accept' || action === 'resume')
    if (isInIt) leases.hold(device.id, callId)
    return toCallState(call)
  }

  return {
    /**
     * Rings every device of the other one. Somebody who is in another call is busy: the call is over then, and told of.
     * @throws AppError 404, 403 when blocked or the other one is gone, 400 outside of direct chats, 409 for whoever is in
     *   a call or being called by the other one, 429
     */
    async invite(device: Device, { chat_id: chatId, media }: CallInvite) {
      const { userId } = device
      const retryAfterSeconds = inviteLimit ? limiter.hit(`call:${userId}`, inviteLimit) : 0
      if (retryAfterSeconds > 0) throw tooManyRequests(retryAfterSeconds)
      await accessChat(db, userId, chatId, 'call')
      const steps: Step[] = []
      const refused = await db.transaction(async (tx) => {
        const calleeId = await store.findPeerId(tx, chatId, userId)
        if (!calleeId) throw chatNotFound()
        await store.lockUsers(tx, [userId, calleeId])
        // Again: a block or a deletion may have been faster.
        await accessChat(tx, userId, chatId, 'call')
        const now = await store.readClock(tx)
        const { open, ended } = await lockOpen(tx, [userId, calleeId], now)
        steps.push(...ended)
        const obstacle = findObstacle(open, userId)
        if (obstacle && obstacle !== 'busy') return obstacle
        const ids = { id: Bun.randomUUIDv7(), messageId: Bun.randomUUIDv7() }
        const what = { ...ids, chatId, calleeId, media, caller: device, isBusy: obstacle === 'busy' }
        const begun = begin(what, now)
        await store.insertCall(tx, begun.call)
        steps.push(begun)
        return undefined
      })
      announce(steps)
      if (refused) throw refused
      const call = steps.at(-1)?.call
      if (!call) throw callNotFound()
      if (call.state !== 'ended') leases.hold(device.id, call.id)
      return toCallState(call)
    },

    act,

    /** Passes an offer, an answer or a candidate on to the one device at the other end. @throws AppError 404, 409 */
    async signal(device: Device, signal: Signal): Promise<void> {
      const call = await store.findCall(db, signal.call_id)
      if (!call) throw callNotFound()
      // Whether it is overdue is for whoever changes it to say.
      const { refused } = advance(call, 'signal', device, call.createdAt)
      if (refused) throw refused
      const other = otherDevice(call, device.userId)
      if (other) bus.publish([deviceEvent(other, signal)])
    },

    /** The socket has closed: if it was in a call, it may come back for 15 s. */
    dropped(device: Device): void {
      const callId = leases.release(device.id)
      if (callId === undefined) return
      const dropping = change(callId, (call, now) => advance(call, 'drop', device, now)).then(
        () => {},
        (error) => log.debug('A device left a call that ends by itself', { call_id: callId, error }),
      )
      follow(dropping)
    },

    /** What rings for these users at the moment: for a socket that has just opened, or may have missed it. */
    listInvites: async (userIds: readonly string[]): Promise<{ userId: string; event: CallEvent }[]> =>
      (await store.listRinging(db, userIds)).map((call) => ({ userId: call.calleeId, event: inviteEvent(call) })),

    /** Whoever is blocked does not go on ringing or talking. Never rejects: the call ends by itself at the latest. */
    async followBlock({ blockerId, blockedId, isBlocked }: BlockChange): Promise<void> {
      if (!isBlocked) return
      try {
        announce(await db.transaction((tx) => breakOff(tx, blockerId, blockedId)))
      } catch (error) {
        log.warn('Could not end the call of somebody who was blocked', { error })
      }
    },

    /** A deleted account is in no call. @returns what to publish after the commit */
    releaseAccount: async (tx: Tx, userId: string) =>
      (await breakOff(tx, userId)).flatMap(({ tell }) => tell.map(({ to, event }) => deviceEvent(to, event))),

    /** Ends what is overdue: unanswered, or with a party that is lost. A job. */
    async endOverdue(): Promise<void> {
      for (const id of await store.listOverdueIds(db, OVERDUE_BATCH)) {
        await change(id, lapse).catch((error) => log.warn('Could not end a call', { call_id: id, error }))
      }
    },

    /** Stores the messages that somebody was kept from storing, and forgets old calls. A job. */
    async tidy(): Promise<void> {
      await records.catchUp()
      await store.deleteRecorded(db, FORGET_AFTER_SECONDS)
    },

    /** Resolves when what is under way is stored. */
    async settle(): Promise<void> {
      while (underWay.size > 0) await Promise.all(underWay)
    },

    stop: leases.stop,
  }
}
