import { describe, expect, it } from 'bun:test'
import { Socket } from '../../src/realtime/socket.ts'

describe('a socket that is tidied', () => {
  it('keeps its queue while a frame is under way, so that the next one waits for it', async () => {
    const socket = new Socket()
    const done: string[] = []
    const first = Promise.withResolvers<void>()
    socket.queue.add(() => first.promise.then(() => done.push('first')))
    socket.tidy()
    const last = new Promise<void>((resolve) => {
      socket.queue.add(() => {
        done.push('second')
        resolve()
      })
    })
    first.resolve()
    await last
    expect(done).toEqual(['first', 'second'])
  })

  it('keeps it while a message is on its way', async () => {
    const socket = new Socket()
    const sent = Promise.withResolvers<void>()
    const { queue } = socket
    queue.addSend(() => sent.promise)
    socket.tidy()
    expect(socket.queue === queue).toBe(true)
    sent.resolve()
    await sent.promise.then(() => {})
    socket.tidy()
    expect(socket.queue === queue).toBe(false)
  })
})
