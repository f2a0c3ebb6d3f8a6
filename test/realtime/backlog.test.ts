import { describe, expect, it } from 'bun:test'
import { createBacklog } from '../../src/realtime/backlog.ts'

/** What waits for each; those that were cut off hold nothing any more. */
function open(...waiting: number[]) {
  const cut: number[] = []
  const sockets = waiting.map((bytes, index) => ({
    waitingBytes: () => (cut.includes(index) ? 0 : bytes),
    cutOff: () => void cut.push(index),
  }))
  return { cut, sockets: new Set(sockets) }
}

describe('what waits for those who do not read', () => {
  it('is left alone while there is room for all of it', () => {
    const { cut, sockets } = open(40, 0, 60)
    createBacklog(sockets, { maxBytes: 100, lookEveryBytes: 10 }).relieve()
    expect(cut).toEqual([])
  })

  it('beyond that costs those with the most their sockets, until half of the room is free', () => {
    const { cut, sockets } = open(10, 45, 0, 30, 20)
    createBacklog(sockets, { maxBytes: 100, lookEveryBytes: 10 }).relieve()
    expect(cut).toEqual([1, 3])
  })

  it('is looked at each time that so much was sent', () => {
    const { cut, sockets } = open(200)
    const backlog = createBacklog(sockets, { maxBytes: 100, lookEveryBytes: 10 })
    backlog.noteSent(9)
    expect(cut).toEqual([])
    backlog.noteSent(1)
    expect(cut).toEqual([0])
  })
})
