/** A server with people, messages and files, and the commands beside it. */
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectDatabase } from '../../src/db/client.ts'
import { createLocalStorage } from '../../src/storage/local.ts'
import { type Finished, run } from '../commands/process.ts'
import type { TestUser } from '../support/client.ts'
import { createDatabase } from '../support/postgres.ts'
import { startServer, TEST_SECRET, type TestServer } from '../support/server.ts'

export interface World {
  server: TestServer
  users: TestUser[]
  chatIds: string[]
  /** Where everything of this world is; the backups in `backups`. */
  folder: string
  backups: string
  dataDir: string
  /** Stores files as uploads do. @returns their keys */
  addFiles(count: number, bytes?: number): Promise<string[]>
  /** Runs messenger on this database, or another one. */
  messenger(args: string[], settings?: Record<string, string>): Promise<Finished>
  stop(): Promise<void>
}

export async function startWorld(): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'messenger-backup-'))
  const [dataDir, backups] = [join(folder, 'data'), join(folder, 'backups')]
  const server = await startServer({ DATA_DIR: dataDir }, { instances: 1 })
  const users = await Promise.all(Array.from({ length: 4 }, () => server.addUser()))
  const chatIds: string[] = []
  for (const [index, user] of users.entries()) {
    const peer = users[(index + 1) % users.length]
    if (peer) chatIds.push(await server.addDm(user, peer))
    await user.post('/messages', { chat_id: chatIds[index], content: `tab\tline\nslash \\ ${index} \\N ü 🙂` })
  }
  let files = 0

  return {
    server,
    users,
    chatIds,
    folder,
    backups,
    dataDir,
    async addFiles(count, bytes = 5000) {
      const storage = await createLocalStorage(join(dataDir, 'media'))
      const work = join(dataDir, 'media/work')
      await mkdir(work, { recursive: true })
      const keys = Array.from({ length: count }, () => `uploads/2026/01/15/file_${++files}.webp`)
      for (const key of keys) {
        const path = join(work, Bun.randomUUIDv7())
        await writeFile(path, randomBytes(bytes))
        await storage.put(key, path, 'image/webp')
      }
      return keys
    },
    messenger: (args, settings = {}) =>
      run(args, {
        DATABASE_URL: server.config.DATABASE_URL ?? '',
        DATA_DIR: dataDir,
        JWT_SECRET: TEST_SECRET,
        ...settings,
      }),
    async stop() {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** An empty database with its own folder, to restore into. */
export async function createPlace(world: World) {
  const url = await createDatabase()
  const dataDir = await mkdtemp(join(world.folder, 'place-'))
  const { sql, close } = connectDatabase({ url, poolMax: 2, name: 'tests' })
  return { settings: { DATABASE_URL: url, DATA_DIR: dataDir }, url, dataDir, media: join(dataDir, 'media'), sql, close }
}

/** The name of the set in what `backup` printed. */
export const setIn = ({ out }: Finished): string => /Backed up to .*\/(\S+)\n/.exec(out)?.[1] ?? ''

/** Sets are named by the second. */
export const nextSecond = () => Bun.sleep(1000 - (Date.now() % 1000) + 5)
