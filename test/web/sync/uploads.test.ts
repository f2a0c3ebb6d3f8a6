/** Files on their way through the outbox to a real server. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'bun:test'
import sharp from 'sharp'
import { plainPorts } from '../../../src/web/sync/plain-ports.ts'
import type { Upload } from '../../../src/web/sync/ports.ts'
import { conversationOf, rowsOf } from '../../../src/web/sync/rows.ts'
import type { OutboxFile } from '../../../src/web/sync/state.ts'
import type { TestUser } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { type Browser, isSynced, openTab, signedIn, type Tab, until } from './world.ts'

let server: TestServer
const open: Tab[] = []
beforeAll(async () => {
  server = await startServer()
})
afterEach(async () => {
  await Promise.all(open.splice(0).map(({ client }) => client.stop()))
})
afterAll(() => server.stop())

async function start(user: TestUser, upload?: Upload, browser?: Browser): Promise<Tab> {
  const tab = openTab(server.url, browser ?? (await signedIn(user)), { upload, haste: 4 })
  open.push(tab)
  await tab.client.start()
  await until(() => isSynced(tab), 'the first sync')
  return tab
}

async function pair() {
  const [ann, ben] = [await server.addUser(), await server.addUser()]
  return { ann, ben, chatId: await server.addDm(ann, ben) }
}

const note = (text: string) => {
  const file = new Blob([text], { type: 'text/plain' })
  const about: OutboxFile = {
    ...{ name: `${text}.txt`, bytes: file.size, mimeType: file.type, kind: 'file' },
    ...{ width: null, height: null, duration: null },
  }
  return { file, about, content: text }
}
const rows = ({ client: { state } }: Tab, chatId: string) => {
  const { first, last } = conversationOf(state, chatId)
  return rowsOf(state, chatId, first, last)
}
const captions = (tab: Tab, chatId: string) => rows(tab, chatId).map(({ message }) => message?.content)

describe('a file', () => {
  it('becomes a message under the key it had, for both', async () => {
    const { ann, ben, chatId } = await pair()
    const [a, b] = [await start(ann), await start(ben)]
    for (const { client } of [a, b]) client.open(chatId)
    const png = await sharp({ create: { width: 40, height: 30, channels: 3, background: '#0b6b5d' } })
      .png()
      .toBuffer()
    const file = new Blob([new Uint8Array(png)], { type: 'image/png' })
    const about = { name: 'green.png', bytes: file.size, mimeType: 'image/png', kind: 'image' as const }
    const key = a.client.upload(chatId, { file, about: { ...about, width: 40, height: 30, duration: null } })
    await until(() => rows(a, chatId).length === 1 && rows(b, chatId).length === 1, 'the photo')
    expect(rows(a, chatId)).toMatchObject([
      { key, tick: 'sent', message: { message_type: 'image', media: { width: 40, height: 30 } } },
    ])
    expect(a.client.state.outbox.size).toBe(0)
    expect(await a.client.fileOf(key)).toBeUndefined()
  })

  it('goes in its order, and after a reload too', async () => {
    const { ann, chatId } = await pair()
    const browser = await signedIn(ann)
    const a = await start(ann, undefined, browser)
    a.cut()
    const keys = ['one', 'two', 'three'].map((text) => a.client.upload(chatId, note(text)))
    await until(() => keys.every((key) => a.client.state.outbox.get(key)?.status === 'queued'), 'being kept')
    await a.client.stop()
    const again = await start(ann, undefined, browser)
    again.client.open(chatId)
    await until(() => again.client.state.outbox.size === 0, 'being sent')
    expect(rows(again, chatId).map(({ key }) => key)).toEqual(keys)
    expect(captions(again, chatId)).toEqual(['one', 'two', 'three'])
  })

  it('whose answer is lost is sent again and is there once', async () => {
    const { ann, chatId } = await pair()
    const real = plainPorts(server.url).upload
    let tries = 0
    const losing: Upload = (request) => {
      const sent = real(request)
      if (++tries > 1) return sent
      return { ...sent, done: sent.done.then(() => Promise.reject(new Error('lost'))) }
    }
    const a = await start(ann, losing)
    a.client.open(chatId)
    // Nor does the socket tell of it.
    a.troubles.loses = () => true
    a.client.upload(chatId, note('once'))
    await until(() => a.client.state.outbox.size === 0, 'being sent')
    expect(tries).toBe(2)
    const { body } = await ann.get(`/chats/${chatId}/messages`)
    expect(body.messages.map(({ content }: { content: string }) => content)).toEqual(['once'])
  })

  it('that is taken back on its way leaves nothing', async () => {
    const { ann, chatId } = await pair()
    let isAborted = false
    const slow: Upload = ({ onProgress }) => {
      const { promise, reject } = Promise.withResolvers<never>()
      onProgress(1)
      const abort = () => {
        isAborted = true
        reject(new Error('aborted'))
      }
      return { done: promise, abort }
    }
    const a = await start(ann, slow)
    const key = a.client.upload(chatId, note('never'))
    await until(() => a.client.state.outbox.get(key)?.sentBytes === 1, 'progress')
    a.client.discard(key)
    expect(isAborted).toBe(true)
    expect(a.client.state.outbox.size).toBe(0)
    await a.client.stop()
    expect((await ann.get(`/chats/${chatId}/messages`)).body.messages).toEqual([])
  })

  it('that the server refuses says why', async () => {
    const { ann, ben, chatId } = await pair()
    const a = await start(ann)
    await ben.post(`/users/${ann.id}/block`)
    const key = a.client.upload(chatId, note('no'))
    await until(() => a.client.state.outbox.get(key)?.status === 'failed', 'the refusal')
    expect(a.client.state.outbox.get(key)?.error).toMatchObject({
      status: 403,
      error: 'This user does not take messages from you',
    })
  })
})
