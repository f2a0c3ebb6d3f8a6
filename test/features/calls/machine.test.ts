/**
 * The state machine against every order of what both sides may do: each answers, declines, hangs up, drops, comes back or is
 * late, on several devices at once.
 */
import { describe, expect, it } from 'bun:test'
import fc from 'fast-check'
import {
  type Action,
  advance,
  begin,
  type Device,
  deadlineOf,
  findObstacle,
  LEASE_MS,
  lapse,
  type Notice,
  RESUME_MS,
  RING_MS,
  type Step,
} from '../../../src/features/calls/machine.ts'
import type { Call } from '../../../src/features/calls/model.ts'

const START = Date.parse('2026-01-15T10:00:00.000Z')
const at = (ms: number) => new Date(START + ms)
const device = (id: string, userId: string, sessionId = userId): Device => ({ id, userId, sessionId })

/** Two sessions of each, a stranger, and sockets that come back. */
const CALLER = device('a1', 'ann')
const DEVICES = [
  CALLER,
  device('a2', 'ann'),
  device('a3', 'ann', 'other session'),
  device('b1', 'ben'),
  device('b2', 'ben'),
  device('b3', 'ben', 'other session'),
  device('s1', 'sue'),
]
const ACTIONS: Action[] = ['ring', 'accept', 'decline', 'busy', 'signal', 'resume', 'end', 'drop']

const ring = (isBusy = false): Step =>
  begin(
    { id: 'call', chatId: 'chat', messageId: 'message', calleeId: 'ben', media: 'audio', caller: CALLER, isBusy },
    at(0),
  )

type Move = { action: Action; by: Device; afterMs: number }
const move = fc.record({
  action: fc.constantFrom(...ACTIONS),
  by: fc.constantFrom(...DEVICES),
  // Mostly close together, at times over a deadline.
  afterMs: fc.oneof(fc.nat(50), fc.nat(8000), fc.constantFrom(RESUME_MS, LEASE_MS, RING_MS)),
})

/** Instances say now and then which devices are there: of those in the call whose sockets have not dropped. */
function renew(call: Call, gone: ReadonlySet<string>, now: Date): Call {
  const lease = <S extends Call['caller'] | null>(seat: S): S =>
    seat && !gone.has(seat.device) ? { ...seat, until: new Date(now.getTime() + LEASE_MS) } : seat
  return call.state === 'ended' ? call : { ...call, caller: lease(call.caller), callee: lease(call.callee) }
}

/** Plays the moves; `see` is shown each step. @returns the call and when the last move was */
function play(moves: readonly Move[], see: (before: Call, one: Move, step: Step, now: Date) => void = () => {}) {
  let { call } = ring()
  let now = 0
  const gone = new Set<string>()
  for (const one of moves) {
    now += one.afterMs
    const step = advance(call, one.action, one.by, at(now))
    see(call, one, step, at(now))
    if (one.action === 'drop') gone.add(one.by.id)
    else gone.delete(one.by.id)
    call = one.afterMs < 50 ? renew(step.call, gone, at(now)) : step.call
  }
  return { call, now }
}

const isFor = ({ to }: Notice, { id, userId }: Device) =>
  to.userId === userId && to.except !== id && (to.only === undefined || to.only === id)

const forAll = (check: (moves: Move[]) => void) =>
  fc.assert(fc.property(fc.array(move, { maxLength: 25 }), check), { numRuns: 3000 })

describe('in any order of events', () => {
  it('one device of the callee wins at most, and stays the winner unless its own session comes back', () => {
    forAll((moves) => {
      let accepted = 0
      play(moves, (before, { action, by }, { call, refused, tell }) => {
        const isNew = before.callee === null && call.callee !== null
        if (isNew) {
          accepted++
          expect(action).toBe('accept')
          expect(by.userId).toBe('ben')
          expect(call.callee?.device).toBe(by.id)
          expect(tell.filter((notice) => isFor(notice, by))).toEqual([])
          expect(refused).toBeUndefined()
        }
        if (before.callee && call.callee?.device !== before.callee.device) {
          expect({ action, session: by.sessionId }).toEqual({ action: 'resume', session: before.callee.session })
        }
        if (call.caller.device !== before.caller.device) {
          expect({ action, session: by.sessionId }).toEqual({ action: 'resume', session: before.caller.session })
        }
      })
      expect(accepted).toBeLessThanOrEqual(1)
    })
  })

  it('it only goes forward: rings, is active, has ended; and what has ended never changes', () => {
    const order = ['ringing', 'active', 'ended']
    forAll((moves) => {
      play(moves, (before, _, { call, tell, refused }) => {
        expect(order.indexOf(call.state)).toBeGreaterThanOrEqual(order.indexOf(before.state))
        if (before.state !== 'ended') return
        expect(call).toBe(before)
        expect(tell).toEqual([])
        expect(refused).toBeDefined()
      })
    })
  })

  it('it never stays open: left alone, it ends at its deadline, which no clock can miss', () => {
    forAll((moves) => {
      const { call, now } = play(moves)
      const deadline = deadlineOf(call)
      const longest = Math.max(RING_MS, LEASE_MS, RESUME_MS)
      if (deadline) expect(deadline.at.getTime()).toBeLessThanOrEqual(START + now + longest)
      const { call: later } = lapse(call, at(now + longest))
      expect(later.state).toBe('ended')
      if (deadline) expect(later.endedAt).toEqual(deadline.at)
      expect(lapse(later, at(now + 10 * longest)).call).toBe(later)
    })
  })

  it('it ends with an outcome that fits: nobody talked who did not answer, and its end is told once to both', () => {
    forAll((moves) => {
      let ends = 0
      const { call, now } = play(moves, (before, _, { call, tell }) => {
        if (before.state === 'ended' || call.state !== 'ended') return
        ends++
        const told = tell.filter(({ event }) => event.type === 'call_end')
        expect(told).toHaveLength(2)
        expect(told.map(({ to }) => to.userId).sort()).toEqual(['ann', 'ben'])
        expect(told.map(({ to }) => to.only)).toEqual([before.caller.device, call.callee?.device])
      })
      expect(ends).toBe(call.state === 'ended' ? 1 : 0)
      const { outcome, answeredAt, endedAt } = lapse(call, at(now + 10 * RING_MS)).call
      const answered = ['completed', 'failed']
      expect(answered.includes(String(outcome))).toBe(answeredAt !== null)
      if (answeredAt) expect(endedAt?.getTime()).toBeGreaterThanOrEqual(answeredAt.getTime())
    })
  })

  it('strangers learn and change nothing, and only devices in the call pass anything on', () => {
    forAll((moves) => {
      play(moves, (before, { action, by }, { call, tell, refused }) => {
        for (const { to } of tell) expect(['ann', 'ben']).toContain(to.userId)
        if (by.userId === 'sue') {
          expect({ call, tell, status: refused?.status }).toEqual({ call: before, tell: [], status: 404 })
        }
        if (action !== 'signal' || refused) return
        expect(call.state).toBe('active')
        expect([before.caller.device, before.callee?.device]).toContain(by.id)
      })
    })
  })

  it('whatever is refused changes nothing, unless the call was over by then', () => {
    forAll((moves) => {
      play(moves, (before, _, { call, tell, refused }, now) => {
        if (!refused || call === before) return
        expect({ call, tell }).toEqual(lapse(before, now))
        expect(refused).toMatchObject({ status: 409, message: 'This call has ended' })
      })
    })
  })
})

describe('a call', () => {
  const answer = (ms = 1000) => advance(ring().call, 'accept', device('b1', 'ben'), at(ms)).call

  it('is missed when nobody answers for 45 s, and can be answered until then', () => {
    const { call } = ring()
    // Its caller is there all the time.
    const kept = { ...call, caller: { ...call.caller, until: at(60_000) } }
    expect(lapse(kept, at(RING_MS - 1)).call.state).toBe('ringing')
    expect(advance(kept, 'accept', device('b1', 'ben'), at(RING_MS - 1)).call.state).toBe('active')
    const late = advance(kept, 'accept', device('b1', 'ben'), at(RING_MS))
    expect(late.call).toMatchObject({ state: 'ended', outcome: 'missed', endedAt: at(RING_MS) })
    expect(late.refused).toMatchObject({ status: 409, details: { outcome: 'missed' } })
    expect(late.tell.map(({ event }) => event.type)).toEqual(['call_end', 'call_end'])
  })

  it('waits 15 s for a device that dropped, and fails then', () => {
    const dropped = advance(answer(), 'drop', device('b1', 'ben'), at(5000)).call
    expect(lapse(dropped, at(5000 + RESUME_MS - 1)).call.state).toBe('active')
    const { call } = lapse(dropped, at(90_000))
    expect(call).toMatchObject({ state: 'ended', outcome: 'failed', endedAt: at(5000 + RESUME_MS) })
  })

  it('goes on when the same session comes back, and tells both ends', () => {
    const dropped = advance(answer(), 'drop', device('b1', 'ben'), at(5000)).call
    const foreign = advance(dropped, 'resume', device('b3', 'ben', 'another'), at(6000))
    expect(foreign.refused).toMatchObject({ message: 'This call is on another device' })
    const { call, tell } = advance(dropped, 'resume', device('b2', 'ben'), at(6000))
    expect(call.callee).toEqual({ device: 'b2', session: 'ben', until: at(6000 + LEASE_MS) })
    expect(tell).toEqual([
      { to: { userId: 'ann', only: 'a1' }, event: { type: 'call_resume', call_id: 'call' } },
      { to: { userId: 'ben', only: 'b1' }, event: { type: 'call_answered_elsewhere', call_id: 'call' } },
    ])
    // Only now is the old socket known to be gone.
    expect(advance(call, 'drop', device('b1', 'ben'), at(7000)).call).toBe(call)
  })

  it('rings on for a caller who comes back', () => {
    const dropped = advance(ring().call, 'drop', CALLER, at(1000)).call
    expect(deadlineOf(dropped)).toEqual({ at: at(1000 + RESUME_MS), outcome: 'missed' })
    const { call, tell } = advance(dropped, 'resume', device('a2', 'ann'), at(2000))
    expect(call).toMatchObject({ state: 'ringing', caller: { device: 'a2' } })
    expect(tell.map(({ to }) => to)).toEqual([{ userId: 'ann', only: 'a1' }])
  })

  it('ends when the instance of a party dies, which extends nothing any more', () => {
    const call = answer(1000)
    expect(deadlineOf(call)).toEqual({ at: at(LEASE_MS), outcome: 'failed' })
  })

  it('of somebody busy is over at once, and told to the caller alone', () => {
    const { call, tell } = ring(true)
    expect(call).toMatchObject({ state: 'ended', outcome: 'busy', answeredAt: null })
    expect(tell.map(({ to }) => to)).toEqual([{ userId: 'ann', only: 'a1' }])
  })
})

describe('an invitation', () => {
  const open = ring().call
  it.each([
    ['into nothing', [], 'cid', undefined],
    ['to somebody in a call', [open], 'cid', 'busy'],
    ['by the caller of another', [open], 'ann', 'You are in a call already'],
    ['by the one who is rung', [open], 'ben', 'You are in a call already'],
  ])('%s', (_, calls, callerId, expected) => {
    const obstacle = findObstacle(calls, callerId)
    expect(typeof obstacle === 'object' ? obstacle.message : obstacle).toBe(expected)
  })
})
