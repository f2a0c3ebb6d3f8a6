/** Paths that try to get at what is no file of a message, by the address and by asking for links. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { rawRequest } from '../../http/raw.ts'
import { badKeys } from '../../storage/bad-keys.ts'
import type { TestUser } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { sendFile } from './support.ts'

const SECRET = 'what nobody may read'

let server: TestServer
let ann: TestUser
let chatId: string
let names: string[]
beforeAll(async () => {
  server = await startServer()
  ann = await server.addUser()
  chatId = await server.addDm(ann, await server.addUser())
  const { DATA_DIR } = server.config
  for (const path of ['secret', 'media/secret', 'media/work/x', 'media/uploads/x'])
    await Bun.write(join(DATA_DIR, path), SECRET)
  const climbs = ['secret', 'media/secret', 'work/x', 'uploads/x'].flatMap((target) =>
    ['', '../', '../../', '../../../../', 'uploads/../', 'uploads/../../', './'].map((way) => `${way}${target}`),
  )
  names = [...badKeys(DATA_DIR), ...climbs, `${DATA_DIR}/secret`, `/proc/self/environ`]
})
afterAll(() => server.stop())

/** What stands in an address as it is; the rest of it in percent signs. */
const barely = (name: string) => encodeURI(name.toWellFormed()).replaceAll('?', '%3F').replaceAll('#', '%23')
/** What is no text at all in an address. */
const broken = [
  '%',
  '%zz',
  '%00',
  '%ED%A0%80',
  '%C0%AE%C0%AE%2Fsecret',
  '..%2f..%2fsecret',
  '.%2e/secret',
  '%5c..%5csecret',
]
const spellings: [string, (name: string) => string][] = [
  ['in one piece', (name) => encodeURIComponent(name.toWellFormed())],
  ['with its slashes and dots as they are', barely],
  ['encoded twice', (name) => encodeURIComponent(encodeURIComponent(name.toWellFormed()))],
]

describe('a path that leads elsewhere', () => {
  it.each(spellings)('opens nothing: %s', async (_, spell) => {
    expect(names.length).toBeGreaterThan(500)
    const headers = { authorization: `Bearer ${ann.token}` }
    const statuses = new Set<number>()
    for (let at = 0; at < names.length; at += 20) {
      const asked = names.slice(at, at + 20).map(async (name) => {
        const path = `/api/v1/media/${spell(name)}`
        const answer = await rawRequest(server.url, { path, headers })
        expect([path, answer.body.includes(SECRET)]).toEqual([path, false])
        statuses.add(answer.status)
      })
      await Promise.all(asked)
    }
    expect([...statuses].filter((status) => status !== 404 && status !== 400)).toEqual([])
    expect((await fetch(`${server.url}/health`)).status).toBe(200)
  })

  it.each(broken)('opens nothing when it is broken: %s', async (path) => {
    const headers = { authorization: `Bearer ${ann.token}` }
    for (const whole of [path, `uploads/${path}`, `uploads/2026/01/15/${path}`]) {
      const { status, body } = await rawRequest(server.url, { path: `/api/v1/media/${whole}`, headers })
      expect(body).not.toContain(SECRET)
      expect([400, 404]).toContain(status)
    }
  })

  it('gets no link', async () => {
    for (let at = 0; at < names.length; at += 100) {
      const paths = names.slice(at, at + 100)
      const { status, body } = await ann.post('/media/links', { paths })
      expect(status).toBe(200)
      expect(body.links).toEqual([])
    }
  })

  it('is not followed by a link in the storage, even where a row says so', async () => {
    const row = await sendFile(server, ann, chatId)
    const stored = join(server.config.DATA_DIR, 'media', row.thumbnailPath ?? '')
    await Bun.file(stored).delete()
    await symlink(join(server.config.DATA_DIR, 'secret'), stored)
    const { status, body } = await ann.get(`/media/${row.thumbnailPath}`)
    expect([status, body.error]).toEqual([404, 'File not found'])
  })
})
