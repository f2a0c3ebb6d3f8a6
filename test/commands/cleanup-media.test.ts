/** `messenger cleanup-media` as a process of its own, beside a running server. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { media } from '../../src/db/schema/index.ts'
import { holdFiles } from '../../src/features/media/retention.ts'
import type { NewMediaRow } from '../../src/features/media/store.ts'
import { sendFile } from '../features/media/support.ts'
import { startServer, TEST_SECRET, type TestServer } from '../support/server.ts'
import { run } from './process.ts'

let server: TestServer
let living: NewMediaRow
let unneeded: NewMediaRow
beforeAll(async () => {
  server = await startServer()
  const ann = await server.addUser()
  const chatId = await server.addDm(ann, await server.addUser())
  living = await sendFile(server, ann, chatId)
  unneeded = await sendFile(server, ann, chatId, '0123456789', { messageId: Bun.randomUUIDv7() })
  await server.database.sql`update media set created_at = now() - interval '2 days'`
})
afterAll(() => server.stop())

const command = (...args: string[]) => {
  const { DATABASE_URL = '', DATA_DIR } = server.config
  return run(['cleanup-media', ...args], { DATABASE_URL, DATA_DIR, JWT_SECRET: TEST_SECRET })
}
const isThere = ({ filePath }: NewMediaRow) =>
  stat(join(server.config.DATA_DIR, 'media', filePath)).then(Boolean, () => false)
const listOf = ({ filePath, thumbnailPath }: NewMediaRow) =>
  `${filePath}\t10\tno message\n${thumbnailPath}\t9\tno message\nno message: 2 files, 19 bytes\n`

describe('messenger cleanup-media', () => {
  it('explains itself, and refuses what it does not understand before it touches anything', async () => {
    expect(await command('--help')).toMatchObject({
      code: 0,
      out: expect.stringContaining('Usage: messenger cleanup-media'),
    })
    for (const args of [['--dry'], ['now'], ['--dry-run=no']]) {
      const { code, out, err } = await command(...args)
      expect({ code, out }).toEqual({ code: 2, out: '' })
      expect(err).toContain('Usage: messenger cleanup-media')
    }
    expect(await isThere(unneeded)).toBe(true)
  })

  it('lists what it would remove, with sizes and totals', async () => {
    const { code, out } = await command('--dry-run')
    expect({ code, out }).toEqual({ code: 0, out: `${listOf(unneeded)}Would remove 2 files, 19 bytes\n` })
    expect(await isThere(unneeded)).toBe(true)
  })

  it('stops while a backup copies the files, and says so', async () => {
    const letGo = await holdFiles(server.database.sql)
    const { code, out, err } = await command()
    expect({ code, out }).toEqual({ code: 1, out: 'Removed 0 files, 0 bytes\n' })
    expect(err).toContain('a backup is copying files')
    expect(await isThere(unneeded)).toBe(true)
    await letGo()
  })

  it('removes it, and then finds nothing', async () => {
    expect(await command()).toMatchObject({ code: 0, out: `${listOf(unneeded)}Removed 2 files, 19 bytes\n` })
    expect([await isThere(unneeded), await isThere(living)]).toEqual([false, true])
    const rows = await server.database.db.select({ id: media.id }).from(media)
    expect(rows).toEqual([{ id: living.id }])
    expect(await command()).toMatchObject({ code: 0, out: 'Removed 0 files, 0 bytes\n' })
  })
})
