import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { TestUser } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import {
  BOUNDARY,
  bytesOf,
  END,
  FORM_TYPE,
  formOf,
  leavesNothing,
  type Part,
  partOf,
  sendForm,
  upload,
} from './support.ts'

let server: TestServer
let ann: TestUser
let chatId: string
beforeAll(async () => {
  server = await startServer()
  ann = await server.addUser()
  chatId = await server.addGroup(ann)
})
afterAll(() => server.stop())

const chat = (): Part => ['chat_id', chatId]
const file: Part = ['file', bytesOf('x'.repeat(200_000)), 'a.txt']
const whole = () => formOf(chat(), file)

const form = 'Malformed multipart form'
const cases: [
  string,
  () => Uint8Array,
  expected: { status?: number; type?: string; error?: string; details?: object },
][] = [
  ['ends within a file', () => whole().subarray(0, 100_000), { error: form }],
  ['ends within a header', () => Buffer.concat([partOf(chat()), partOf(file).subarray(0, 40)]), { error: form }],
  ['ends within a field', () => partOf(chat()).subarray(0, -10), { error: form }],
  ['lacks its last line', () => whole().subarray(0, -END.byteLength), { error: form }],
  ['has another boundary than it says', whole, { type: 'multipart/form-data; boundary=another', error: form }],
  ['says no boundary', whole, { type: 'multipart/form-data', error: form }],
  ['says an empty boundary', whole, { type: 'multipart/form-data; boundary=""', error: form }],
  ['says a boundary that is too long', whole, { type: `multipart/form-data; boundary=${'b'.repeat(71)}`, error: form }],
  ['is empty', () => new Uint8Array(0), { error: form }],
  ['is noise', () => new Uint8Array(100_000).map((_, n) => (n * 7919) % 251), { error: form }],
  ['has no part', () => END, { details: { file: 'is missing' } }],
  ['has no file', () => formOf(chat()), { details: { file: 'is missing' } }],
  [
    'has a file by another name',
    () => formOf(chat(), ['photo', bytesOf('x'), 'a.txt']),
    { details: { file: 'is missing' } },
  ],
  [
    'has an empty file',
    () => formOf(chat(), ['file', bytesOf(''), 'a.txt']),
    { details: { file: 'must not be empty' } },
  ],
  ['has no chat', () => formOf(file), { details: { chat_id: 'must be a UUID in lower case' } }],
  [
    'has a chat that is none',
    () => formOf(['chat_id', 'x'], file),
    { details: { chat_id: 'must be a UUID in lower case' } },
  ],
  ['has two chats', () => formOf(chat(), chat(), file), { details: { chat_id: 'may be sent once' } }],
  [
    'has a reply to what is no id',
    () => formOf(chat(), file, ['reply_to_id', 'x']),
    { details: { reply_to_id: 'must be a UUID in lower case' } },
  ],
  [
    'has a caption that is too long',
    () => formOf(chat(), file, ['content', 'x'.repeat(4097)]),
    { details: { content: expect.stringContaining('0 to 4096') } },
  ],
  [
    'has a caption that is far too long',
    () => formOf(chat(), file, ['content', 'x'.repeat(100_000)]),
    { details: { content: 'must be at most 16384 bytes' } },
  ],
  [
    'has U+0000 in its caption',
    () => formOf(chat(), file, ['content', 'a\0b']),
    { details: { content: expect.any(String) } },
  ],
  [
    'has a key that is too long',
    () => formOf(chat(), file, ['client_id', 'x'.repeat(65)]),
    { details: { client_id: expect.any(String) } },
  ],
  [
    'has a key that is too long for an album',
    () => formOf(chat(), file, file, ['client_id', 'x'.repeat(62)]),
    { details: { client_id: 'must be at most 61 characters for several files' } },
  ],
  [
    'has 11 files',
    () => formOf(chat(), ...Array.from({ length: 11 }, () => file)),
    { details: { file: 'at most 10 may be sent' } },
  ],
  [
    'has 1,000 fields',
    () => formOf(chat(), ...Array.from({ length: 1000 }, (_, n): Part => [`f${n}`, 'x']), file),
    { details: { fields: 'at most 16 may be sent' } },
  ],
  [
    'has 1,000 files',
    () => formOf(chat(), ...Array.from({ length: 1000 }, (): Part => ['file', bytesOf('x'), 'a'])),
    { details: { file: 'at most 10 may be sent' } },
  ],
  [
    'has a header without an end',
    () => Buffer.from(`--${BOUNDARY}\r\ncontent-disposition: form-data; x="${'x'.repeat(300_000)}`),
    { error: form },
  ],
  ['is JSON', () => bytesOf('{}'), { type: 'application/json', status: 415, error: 'Send multipart/form-data' }],
  ['is of no type', () => bytesOf('{}'), { type: '', status: 415, error: 'Send multipart/form-data' }],
  [
    'is of a type that begins like one',
    whole,
    { type: FORM_TYPE.replace('form-data', 'form-data-x'), status: 415, error: 'Send multipart/form-data' },
  ],
]

describe('a form is refused, and leaves nothing, when it', () => {
  it.each(cases)('%s', async (_, body, { status = 400, type, error = 'Validation failed', details }) => {
    await leavesNothing(server, async () => {
      const answer = await sendForm(ann, body(), type)
      expect(answer.body).toEqual({ error, details: details ?? {} })
      expect(answer.status).toBe(status)
    })
  })

  it('and the next one is taken', async () => {
    expect((await upload(ann, chat(), file)).status).toBe(201)
  })
})
