import { describe, expect, it } from 'bun:test'
import { createStrangers } from '../../src/realtime/strangers.ts'

const WITHIN_MS = 60

interface Visitor {
  name: string
  openedAt: number
}

/** A door, and who was sent away from it so far. */
function openDoor() {
  const sent: string[] = []
  const early: string[] = []
  const strangers = createStrangers<Visitor>(WITHIN_MS, ({ name, openedAt }) => {
    sent.push(name)
    if (performance.now() < openedAt + WITHIN_MS) early.push(name)
  })
  const come = (name: string): Visitor => {
    const visitor = { name, openedAt: performance.now() }
    strangers.add(visitor)
    return visitor
  }
  return { strangers, come, sent, early }
}

/** Timers fire in the order in which they are due: what was due before has happened, however busy the machine is. */
const timeIsOver = () => Bun.sleep(WITHIN_MS + 20)

describe('whoever shows no token', () => {
  it('is sent away once, when their own time is over and not before', async () => {
    const { come, sent, early } = openDoor()
    come('first')
    await Bun.sleep(WITHIN_MS / 2)
    come('second')
    come('third')
    await timeIsOver()
    await timeIsOver()
    expect(sent).toEqual(['first', 'second', 'third'])
    expect(early).toEqual([])
  })

  it('is not waited for beyond that, whoever else comes meanwhile', async () => {
    const { strangers, come, sent } = openDoor()
    come('first')
    const later = setInterval(() => come('later'), 5)
    await timeIsOver()
    expect(sent[0]).toBe('first')
    clearInterval(later)
    strangers.stop()
  })

  it('may stay once they are known; those behind them have the time they had', async () => {
    const { strangers, come, sent } = openDoor()
    const known = come('known')
    come('stranger')
    strangers.forget(known)
    await timeIsOver()
    expect(sent).toEqual(['stranger'])
    come('one who comes when nobody waits')
    await timeIsOver()
    expect(sent).toHaveLength(2)
  })

  it('is left alone when the server has stopped', async () => {
    const { strangers, come, sent } = openDoor()
    come('somebody')
    strangers.stop()
    await timeIsOver()
    expect(sent).toEqual([])
  })
})
