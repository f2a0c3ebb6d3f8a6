import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { Json, TestUser } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { bytesOf, leavesNothing, listFiles, type Part, readAll, upload } from './support.ts'

let server: TestServer
let ann: TestUser
let chatId: string
beforeAll(async () => {
  server = await startServer({}, { instances: 2 })
  ann = await server.addUser()
  chatId = await server.addGroup(ann)
})
afterAll(() => server.stop())

const chat = (): Part => ['chat_id', chatId]
const fileOf = (text: string): Part => ['file', bytesOf(text), `${text}.txt`]
const seqOf = async () => (await ann.get(`/chats/${chatId}`)).body.last_seq

describe('a repeated client_id', () => {
  it('answers the first message, whatever it brings and wherever the key stands, and keeps no second file', async () => {
    const key: Part = ['client_id', 'one']
    const first = await upload(ann, chat(), key, fileOf('first'))
    expect(first.status).toBe(201)
    expect(first.body.message.client_id).toBe('one')
    await leavesNothing(server, async () => {
      for (const again of [
        [chat(), key, fileOf('first')],
        [chat(), fileOf('second'), key],
        [key, fileOf('third'), chat(), ['content', 'x']],
      ] as Part[][]) {
        const { status, body } = await upload(ann, ...again)
        expect(status).toBe(201)
        expect(body).toEqual(first.body)
      }
    })
  })

  it('is another message in another chat', async () => {
    const other: Part = ['chat_id', await server.addGroup(ann)]
    const key: Part = ['client_id', 'elsewhere']
    const [one, two] = [await upload(ann, chat(), key, fileOf('a')), await upload(ann, other, key, fileOf('a'))]
    expect(two.body.message.id).not.toBe(one.body.message.id)
  })

  it('answers the message as it is now: deleted', async () => {
    const key: Part = ['client_id', 'deleted']
    const { body } = await upload(ann, chat(), key, fileOf('a'))
    await ann.delete(`/chats/${chatId}/messages/${body.message.id}`)
    const again = await upload(ann, chat(), key, fileOf('a'))
    expect(again.status).toBe(201)
    expect(again.body).toMatchObject({ message: { id: body.message.id, media: null }, media: null })
  })

  it('answers the text that it was', async () => {
    const { body: text } = await ann.post('/messages', { chat_id: chatId, content: 'hello', client_id: 'a text' })
    await leavesNothing(server, async () => {
      const { body } = await upload(ann, chat(), fileOf('a'), ['client_id', 'a text'])
      expect(body).toEqual({ message: text, media: null, messages: [text] })
    })
  })

  it('makes one message and one file of four that come at once, on two instances', async () => {
    const before = await readAll(server)
    const answers = await Promise.all(
      [0, 1].flatMap((instance) =>
        [0, 1].map(() =>
          upload(ann.at(String(server.instanceUrls[instance])), chat(), fileOf('race'), ['client_id', 'race']),
        ),
      ),
    )
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201])
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1)
    const after = await readAll(server)
    expect(after.files).toHaveLength(before.files.length + 1)
    expect(after.media).toHaveLength(before.media.length + 1)
    expect(after.messages).toHaveLength(before.messages.length + 1)
    expect(after.files).toContain(answers[0]?.body.media.file_path)
  })
})

describe('a repeated album', () => {
  const album = (count: number) => Array.from({ length: count }, (_, n) => fileOf(`picture ${n + 1}`))

  it('answers its messages, each by a key of its own', async () => {
    const key: Part = ['client_id', 'album']
    const first = await upload(ann, chat(), key, ...album(3))
    expect(first.body.messages.map((one: Json) => one.client_id)).toEqual(['album', 'album#2', 'album#3'])
    await leavesNothing(server, async () => {
      expect((await upload(ann, chat(), key, ...album(3))).body).toEqual(first.body)
      expect((await upload(ann, chat(), ...album(3), key)).body).toEqual(first.body)
    })
  })

  it('brings what is missing of it, when not all of it was stored', async () => {
    const key: Part = ['client_id', 'half']
    const half = await upload(ann, chat(), key, ...album(2))
    const [files, seq] = [await listFiles(server), await seqOf()]
    const whole = await upload(ann, chat(), key, ...album(4))
    expect(whole.body.messages.slice(0, 2)).toEqual(half.body.messages)
    expect(whole.body.messages.map((one: Json) => one.client_id)).toEqual(['half', 'half#2', 'half#3', 'half#4'])
    expect(await seqOf()).toBe(seq + 2)
    expect(await listFiles(server)).toHaveLength(files.length + 2)
  })
})
