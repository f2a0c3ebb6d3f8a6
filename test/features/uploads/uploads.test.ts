import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import type { Json, TestUser } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { bytesOf, listFiles, type Part, upload } from './support.ts'

let server: TestServer
let ann: TestUser
let ben: TestUser
let chatId: string
let photo: Buffer
const text = bytesOf('just a text')
beforeAll(async () => {
  server = await startServer()
  ann = await server.addUser()
  ben = await server.addUser()
  chatId = await server.addGroup(ann, ben)
  photo = await sharp({ create: { width: 1200, height: 900, channels: 3, background: 'teal' } })
    .jpeg()
    .toBuffer()
})
afterAll(() => server.stop())

const readFile = (path: string) => Bun.file(join(server.config.DATA_DIR, 'media', path))
const rowOf = async (messageId: string) =>
  (await server.database.sql`select * from media where message_id = ${messageId}`)[0]

describe('a photo', () => {
  it('is sent as the documentation shows it, by curl', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'messenger-photo-'))
    await Bun.write(join(folder, 'file.jpg'), photo)
    const parts = [`chat_id=${chatId}`, `file=@${folder}/file.jpg`, 'content=optional caption'].flatMap((part) => [
      '-F',
      part,
    ])
    const url = `${server.url}/api/v1/messages/upload`
    const curl = Bun.spawn(
      ['curl', '-sS', '-w', '\n%{http_code}', url, '-H', `Authorization: Bearer ${ann.token}`, ...parts],
      { stdout: 'pipe' },
    )
    const [body = '', status] = (await new Response(curl.stdout).text()).split('\n')
    expect(status).toBe('201')
    const { message, media, messages } = JSON.parse(body) as Json
    expect(message).toMatchObject({
      sender_id: ann.id,
      chat_id: chatId,
      content: 'optional caption',
      message_type: 'image',
      media_url: media.file_path,
      client_id: null,
    })
    expect(media).toEqual({
      file_path: expect.stringMatching(/^uploads\/\d{4}\/\d{2}\/\d{2}\/[\w-]{22}\.webp$/),
      thumbnail: media.file_path.replace('.webp', '_thumb.jpg'),
      file_name: 'file.jpg',
      file_size: readFile(media.file_path).size,
      mime_type: 'image/webp',
      width: 500,
      height: 375,
      duration: null,
      preview: expect.stringMatching(/^data:image\//),
      waveform: null,
      compressed: true,
      status: 'ready',
    })
    expect(message.media).toEqual(media)
    expect(messages).toEqual([message])
    expect(media.file_path).toStartWith(`uploads/${message.created_at.slice(0, 10).replaceAll('-', '/')}/`)
    expect(await sharp(await readFile(media.file_path).bytes()).metadata()).toMatchObject({
      format: 'webp',
      width: 500,
    })
    expect(await sharp(await readFile(media.thumbnail).bytes()).metadata()).toMatchObject({ width: 200, height: 200 })
    expect(await rowOf(message.id)).toMatchObject({
      owner_id: ann.id,
      chat_id: chatId,
      file_path: media.file_path,
      sha256: createHash('sha256').update(photo).digest('hex'),
    })
    await rm(folder, { recursive: true })
  })

  it('is told to the chat as any message is, and is in the history', async () => {
    const socket = await ben.socket()
    const { body } = await upload(ann, ['chat_id', chatId], ['file', photo, 'a.jpg'])
    const { message } = await socket.next('new_message')
    expect(message).toEqual(body.message)
    expect((await ben.get(`/chats/${chatId}/messages?limit=1`)).body.messages).toEqual([body.message])
    await socket.close()
  })
})

describe('a form', () => {
  const parts: Part[] = [
    ['chat_id', ''],
    ['file', text, 'notes.txt'],
    ['content', 'A caption\nin two lines'],
    ['client_id', 'key'],
  ]
  const orders = (of: Part[]): Part[][] =>
    of.length < 2
      ? [of]
      : of.flatMap((one) => orders(of.filter((other) => other !== one)).map((rest) => [one, ...rest]))

  it('is taken in every order of its parts', async () => {
    const all = orders(parts)
    expect(all).toHaveLength(24)
    for (const [n, order] of all.entries()) {
      const { status, body } = await upload(
        ann,
        ...order.map((part): Part => {
          if (part[0] === 'chat_id') return ['chat_id', chatId]
          return part[0] === 'client_id' ? ['client_id', `order ${n}`] : part
        }),
      )
      expect(status).toBe(201)
      expect(body.message).toMatchObject({
        content: 'A caption\nin two lines',
        client_id: `order ${n}`,
        message_type: 'file',
      })
      expect(body.media).toMatchObject({ file_name: 'notes.txt', file_size: text.byteLength, compressed: false })
      expect(await readFile(body.media.file_path).text()).toBe('just a text')
    }
  })

  it('may have fields that nobody filled in, and others that nobody knows', async () => {
    const { status, body } = await upload(
      ann,
      ['content', ''],
      ['client_id', ''],
      ['reply_to_id', ''],
      ['chat_id', chatId],
      ['whatever', 'x'],
      ['file', text, 'notes.txt'],
    )
    expect(status).toBe(201)
    expect(body.message).toMatchObject({ content: '', client_id: null, reply_to_id: null })
  })

  it('names a file safely', async () => {
    const { body } = await upload(ann, ['chat_id', chatId], ['file', text, '..\\..\\etc/passwd\u202egpj.exe'])
    expect(body.media.file_name).toBe('passwdgpj.exe')
    expect(body.media.file_path).toMatch(/\.bin$/)
    const nameless = await upload(ann, ['chat_id', chatId], ['file', text, ''])
    expect(nameless.body.media.file_name).toBe('file')
  })

  it('replies to a message of the chat, and to no other', async () => {
    const { body: first } = await ben.post('/messages', { chat_id: chatId, content: 'Send me the file' })
    const { body } = await upload(ann, ['chat_id', chatId], ['reply_to_id', first.id], ['file', text, 'a.txt'])
    expect(body.message.reply_to_id).toBe(first.id)
    const before = await listFiles(server)
    const nowhere: Part = ['reply_to_id', Bun.randomUUIDv7()]
    const refused = await upload(ann, ['chat_id', chatId], nowhere, ['file', text, 'a.txt'])
    expect(refused).toMatchObject({ status: 400, body: { details: { reply_to_id: 'is no message of this chat' } } })
    expect(await listFiles(server)).toEqual(before)
  })
})

describe('an album', () => {
  it('becomes one message for each file, in their order; the caption and the reply are of the first', async () => {
    const { body: first } = await ben.post('/messages', { chat_id: chatId, content: 'Show me' })
    const files = Array.from({ length: 9 }, (_, n): Part => ['file', bytesOf(`file ${n}`), `${n}.txt`])
    const socket = await ben.socket()
    const { status, body } = await upload(
      ann,
      ['chat_id', chatId],
      ['file', photo, 'first.jpg'],
      ...files,
      ['content', 'Ten'],
      ['reply_to_id', first.id],
    )
    expect(status).toBe(201)
    const messages: Json[] = body.messages
    expect(messages.map(({ media }) => media.file_name)).toEqual(['first.jpg', ...files.map((part) => part[2] ?? '')])
    expect(messages.map(({ seq }) => seq)).toEqual(messages.map((_, n) => first.seq + 1 + n))
    expect(messages.map(({ content }) => content)).toEqual(['Ten', ...files.map(() => '')])
    expect(messages.map(({ reply_to_id }) => reply_to_id)).toEqual([first.id, ...files.map(() => null)])
    expect(body.message).toEqual(messages[0])
    expect(body.media).toEqual(messages[0].media)
    await socket.next('new_message', ({ message }) => message.id === messages[9].id)
    expect(socket.all('new_message').map(({ message }) => message)).toEqual(messages)
    await socket.close()
  })

  it('is none of its files when one cannot be made', async () => {
    const before = await listFiles(server)
    const { seq } = (await ann.get(`/chats/${chatId}`)).body
    const broken = photo.subarray(0, 400)
    const { status, body } = await upload(ann, ['chat_id', chatId], ['file', text, 'a'], ['file', broken, 'b.jpg'])
    expect(status).toBe(400)
    expect(Object.keys(body.details)).toEqual(['file'])
    expect(await listFiles(server)).toEqual(before)
    expect((await ann.get(`/chats/${chatId}`)).body.seq).toBe(seq)
  })
})
