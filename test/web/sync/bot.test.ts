/** The README's bot, as it stands there. */
import { afterAll, beforeAll, expect, it } from 'bun:test'
import { join } from 'node:path'
import { PASSWORD, startServer, type TestServer } from '../../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

it('answers whoever writes to it', async () => {
  const readme = await Bun.file(join(import.meta.dir, '../../../README.md')).text()
  const code = /```ts\n(import \{ createClient \}[\s\S]*?)```/.exec(readme)?.[1]
  if (!code) throw new Error('The README has no bot')
  const bot = await server.addUser('bot')
  const ann = await server.addUser('ann')
  const [row] = await server.database.sql`select phone from users where id = ${bot.id}`
  const script = code
    .replace('http://localhost:8080', server.url)
    .replace('+12025550101', row?.phone)
    .replace('SecurePass123', PASSWORD)
  const child = Bun.spawn([process.execPath, '-e', script], { cwd: join(import.meta.dir, '../../..') })
  try {
    const socket = await ann.socket()
    const chatId = await server.addDm(ann, bot)
    await ann.post('/messages', { chat_id: chatId, content: 'Anybody there?' })
    const echo = await socket.next('new_message', ({ message }) => message.sender_id === bot.id, 20_000)
    expect(echo.message.content).toBe('You said: Anybody there?')
    await socket.close()
  } finally {
    child.kill()
    await child.exited
  }
})
