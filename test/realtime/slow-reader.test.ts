/** Back-pressure: one who does not read costs the server neither memory nor the others anything. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { chatTopic, userTopic } from '../../src/bus/topics.ts'
import type { TestSocket, TestUser } from '../support/client.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { type AppServer, startAppServer } from './app-server.ts'
import { opcodes, openRaw, type RawClient } from './raw-client.ts'

let server: TestServer
let inside: AppServer
beforeAll(async () => {
  server = await startServer()
  inside = await startAppServer(server)
})
afterAll(async () => {
  await inside.stop()
  await server.stop()
})

const MEBIBYTE = 1024 * 1024
const FRAME_BYTES = 8192
/** What the kernel buffers between two sockets of one machine, at the very most. */
const KERNEL_BYTES = 12 * MEBIBYTE

const event = (n: number) => {
  const start = `{"type":"new_message","n":${n},"pad":"`
  return `${start}${'x'.repeat(FRAME_BYTES - start.length - 2)}"}`
}

/** Publishes events of 8 KiB to a topic until the server has cut a socket. @returns how many */
async function publishUntilCut(topic: ReturnType<typeof chatTopic>, others: number): Promise<number> {
  let published = 0
  while (inside.app.gateway.count() > others) {
    if (published * FRAME_BYTES > KERNEL_BYTES + 4 * MEBIBYTE) throw new Error('The slow reader was not cut')
    inside.bus.publish([{ topic, kind: 'event', payload: event(published) }])
    published++
    // The others read meanwhile.
    if (published % 20 === 0) await Bun.sleep(1)
  }
  return published
}

/** A socket of `user` that has read `user_chats` and reads no more. */
async function openDeaf(user: TestUser): Promise<RawClient> {
  const raw = await openRaw(inside.here(user).serverUrl, user.token)
  while (raw.frames.length === 0) await Bun.sleep(5)
  raw.pause()
  await Bun.sleep(50)
  return raw
}

/** Whatever is in the kernel's buffers still arrives. */
async function drain(raw: RawClient): Promise<void> {
  raw.resume()
  await raw.closed
}

describe('a client that never reads', () => {
  let writer: TestUser
  let slow: TestUser
  let chatId: string
  let reader: TestSocket
  beforeAll(async () => {
    writer = await server.addUser()
    slow = await server.addUser()
    const quick = await server.addUser()
    chatId = await server.addGroup(writer, slow, quick)
    reader = await inside.here(quick).socket()
  })
  afterAll(() => reader.close())

  it('is cut without a close frame before 2 MiB wait for it, and the others lose nothing', async () => {
    const raw = await openDeaf(slow)
    const published = await publishUntilCut(chatTopic(chatId), 1)
    await drain(raw)
    const received = raw.frames.filter(({ opcode }) => opcode === opcodes.text).length
    // What it never got is what waited in this process when it was cut.
    expect((published - received) * FRAME_BYTES).toBeLessThan(2 * MEBIBYTE)
    expect(raw.frames.some(({ opcode }) => opcode === opcodes.close)).toBe(false)

    await reader.settle()
    const numbers = reader.all('new_message').map((frame) => Number(frame.n))
    expect(numbers).toEqual(Array.from({ length: published }, (_, n) => n))
  })

  it('is cut as well when the events are its own alone', async () => {
    const raw = await openDeaf(slow)
    await publishUntilCut(userTopic(slow.id), 1)
    await drain(raw)
  })

  it('is cut when it does not read its answers either', async () => {
    const raw = await openDeaf(slow)
    // Each is answered by an ack that carries the message.
    const frame = { type: 'message', chat_id: chatId, content: 'x'.repeat(4000), ref: 1 }
    for (let sent = 0; inside.app.gateway.count() > 1 && sent < 4000; sent += 20) {
      for (let i = 0; i < 20; i++) raw.send(frame)
      await Bun.sleep(2)
    }
    expect(inside.app.gateway.count()).toBe(1)
    raw.destroy()
  })

  it('loses nothing: its next socket and sync bring it to where all are', async () => {
    const raw = await openDeaf(slow)
    const here = inside.here(writer)
    const first = await here.post('/messages', { chat_id: chatId, content: 'while it is deaf' })
    expect(first.status).toBe(201)
    await publishUntilCut(chatTopic(chatId), 1)
    const second = await here.post('/messages', { chat_id: chatId, content: 'while it is gone' })
    expect(second.status).toBe(201)
    await drain(raw)

    const again = await inside.here(slow).socket()
    const held = { seq: first.body.seq - 1, rev: 0 }
    const { body } = await inside.here(slow).post('/sync', { chats: { [chatId]: held } })
    expect(body.chats[0].messages.map((m: { content: string }) => m.content)).toEqual([
      'while it is deaf',
      'while it is gone',
    ])
    await again.close()
  })
})
