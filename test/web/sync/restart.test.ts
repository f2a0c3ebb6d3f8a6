/** The server is killed and started again, as a process of its own: its clients come back by themselves. */
import { afterAll, describe, expect, it } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { conversationOf, rowsOf } from '../../../src/web/sync/rows.ts'
import { type ServerProcess, startProcess } from '../../faults/server-process.ts'
import { freePort } from '../../support/redis.ts'
import { isSynced, openBrowser, openTab, type Tab, until } from './world.ts'

let server: ServerProcess | undefined
let directory: string | undefined
afterAll(async () => {
  await server?.killAll()
  if (directory) await rm(directory, { recursive: true, force: true })
})

const textsOf = ({ client: { state } }: Tab, chatId: string) => {
  const { first, last } = conversationOf(state, chatId)
  return rowsOf(state, chatId, first, last).map(({ message }) => message?.content)
}

describe('a server that is killed and comes back', () => {
  it('costs nothing but time', async () => {
    directory = await mkdtemp(join(tmpdir(), 'messenger-web-'))
    const port = String(freePort())
    const start = () => startProcess(String(directory), { PORT: port, RATE_LIMIT_REGISTER: '100' })
    server = await start()
    const [a, b] = [1, 2].map(() => openTab(`http://127.0.0.1:${port}`, openBrowser(), { haste: 4 }))
    if (!a || !b) throw new Error('No tabs')
    const account = (n: number) => ({ phone: `+1202555010${n}`, username: `user_${n}`, password: 'SecurePass123' })
    for (const [n, { client }] of [a, b].entries()) {
      await client.start()
      expect(client.state.session.status).toBe('signed-out')
      await client.register(account(n))
    }
    await until(() => isSynced(a) && isSynced(b), 'the first sync')
    const { id: chatId } = await a.client.api.openDm(b.client.state.session.userId)
    await until(() => b.client.state.chats.has(chatId), 'the chat')
    for (const { client } of [a, b]) client.open(chatId)

    const said: string[] = []
    const say = (tab: Tab, content: string) => {
      said.push(content)
      tab.client.send(chatId, { content })
    }
    let isDone = false
    const talking = (async () => {
      for (let n = 0; !isDone; n++) {
        say(a, `a${n}`)
        say(b, `b${n}`)
        await Bun.sleep(100)
      }
    })()
    for (let round = 0; round < 2; round++) {
      await Bun.sleep(500)
      await server.killAll()
      await until(() => a.client.state.link !== 'open' && b.client.state.link !== 'open', 'losing it')
      await Bun.sleep(500)
      server = await start()
      await until(() => isSynced(a) && isSynced(b), 'coming back')
    }
    isDone = true
    await talking
    await until(() => a.client.state.outbox.size + b.client.state.outbox.size === 0, 'all being sent')
    await until(
      () => textsOf(a, chatId).length === said.length && textsOf(b, chatId).length === said.length,
      'all of it',
    )
    expect(textsOf(b, chatId)).toEqual(textsOf(a, chatId))
    for (const who of ['a', 'b']) {
      const own = (texts: (string | undefined)[]) => texts.filter((text) => text?.startsWith(who))
      expect(own(textsOf(a, chatId))).toEqual(own(said))
    }
    await a.client.stop()
    await b.client.stop()
  }, 120_000)
})
