/**
 * When files go: with their message, 30 days later, and what nothing refers to, after a day.
 *
 * Files go before their row does: after a crash in between the row still leads to what is left, and deleting a file that
 * is gone is no fault. Each step is a transaction that holds a lock which two runners cannot both have, and asks again
 * whether the row is needed. Files without a row, and rows without a message, become needed only within seconds of
 * their making: those of the last day are left alone.
 */
import type postgres from 'postgres'
import type { Db, Tx } from '../../db/client.ts'
import type { Storage, StoredFile } from '../../storage/storage.ts'
import { nameOf } from './names.ts'
import * as store from './retention-store.ts'
import { releaseMedia } from './store.ts'
import type { Work } from './work.ts'

export interface Removal {
  /** A key, or a path in the folder for work. */
  file: string
  /** In bytes. */
  size: number
  why: 'message deleted' | 'no message' | 'no row' | 'avatar of nobody' | 'unfinished work'
}

export interface ClearOptions {
  /** Removes nothing. */
  isDryRun?: boolean
  /** Told of each file, before it goes. */
  onFile?: (removal: Removal) => void
  now?: Date
}

/**
 * For whoever copies all files, as a backup does: nothing is cleared away meanwhile, a step that is under way ends first.
 * @returns what lets go of it
 */
export const holdFiles = (sql: postgres.Sql): Promise<() => Promise<void>> => store.holdFiles(sql)

export type Retention = ReturnType<typeof createRetention>

const DAY_MS = 24 * 3600 * 1000
const ROWS_A_PAGE = 2000
/** In one transaction, which must not stay open for long. */
const ROWS_A_STEP = 20
const FILES_A_STEP = 200
const FIRST_ID = '00000000-0000-0000-0000-000000000000'

export function createRetention({ db, storage, work }: { db: Db; storage: Storage; work: Work }) {
  /** Runs a step, unless somebody else clears away or holds the files. */
  const alone = (step: (tx: Tx) => Promise<void>) =>
    db.transaction(async (tx) => {
      if (!(await store.tryToClear(tx))) throw new Paused()
      await step(tx)
    })

  async function clearRows({ isDryRun, onFile }: ClearOptions): Promise<void> {
    const keysOf = (row: store.UnneededRow) =>
      [row.filePath, row.thumbnailPath, row.originalPath].filter((key) => key !== null)
    const tell = async (rows: readonly store.UnneededRow[]) => {
      if (!onFile) return
      for (const row of rows) {
        for (const key of keysOf(row)) {
          const size = (await storage.open(key))?.size
          if (size !== undefined) onFile({ file: key, size, why: row.wasReleased ? 'message deleted' : 'no message' })
        }
      }
    }
    const clear = async (tx: Tx, ids: readonly string[]) => {
      const rows = await store.listUnneeded(tx, ids)
      await tell(rows)
      await storage.delete(rows.flatMap(keysOf))
      await store.deleteRows(
        tx,
        rows.map(({ id }) => id),
      )
    }
    for await (const ids of unneededRows()) {
      if (isDryRun) await tell(await store.listUnneeded(db, ids))
      else await alone((tx) => clear(tx, ids))
    }
  }

  async function* unneededRows(): AsyncGenerator<string[]> {
    for (let afterId: string | undefined = FIRST_ID; afterId !== undefined; ) {
      const { lastId, ids }: { lastId?: string; ids: string[] } = await store.pageUnneeded(db, afterId, ROWS_A_PAGE)
      for (let at = 0; at < ids.length; at += ROWS_A_STEP) yield ids.slice(at, at + ROWS_A_STEP)
      afterId = lastId
    }
  }

  async function clearFiles(
    folder: string,
    why: Removal['why'],
    listNeeded: (on: Db | Tx, keys: readonly string[]) => Promise<string[]>,
    { isDryRun, onFile, now = new Date() }: ClearOptions,
  ): Promise<void> {
    const judge = async (on: Db | Tx, files: readonly StoredFile[]) => {
      const needed = new Set(
        await listNeeded(
          on,
          files.map(({ key }) => key),
        ),
      )
      const unneeded = files.filter(({ key }) => !needed.has(key))
      for (const { key, size } of unneeded) onFile?.({ file: key, size, why })
      if (!isDryRun) await storage.delete(unneeded.map(({ key }) => key))
    }
    for await (const files of oldFiles(folder, now)) {
      if (isDryRun) await judge(db, files)
      else await alone((tx) => judge(tx, files))
    }
  }

  async function* oldFiles(folder: string, now: Date): AsyncGenerator<StoredFile[]> {
    let files: StoredFile[] = []
    for await (const file of storage.list(folder)) {
      if (now.getTime() - file.modifiedAt.getTime() > DAY_MS) files.push(file)
      if (files.length < FILES_A_STEP) continue
      yield files
      files = []
    }
    if (files.length > 0) yield files
  }

  return {
    /** In the transaction that deletes a message: nobody opens its file any more. */
    release: (tx: Tx, chatId: string, messageId: string): Promise<void> => releaseMedia(tx, chatId, messageId),

    /**
     * Removes all that nobody needs any more.
     * @returns false when it stopped because somebody else clears away, or holds the files
     */
    async clear(options: ClearOptions = {}): Promise<boolean> {
      try {
        await clearRows(options)
        await clearFiles('uploads/', 'no row', listKnown, options)
        await clearFiles('avatars/', 'avatar of nobody', store.listWornAvatars, options)
        for (const { path, size } of await work.listLeft(options.now)) {
          options.onFile?.({ file: path, size, why: 'unfinished work' })
        }
        if (!options.isDryRun) await work.sweep(options.now)
        return true
      } catch (error) {
        if (error instanceof Paused) return false
        throw error
      }
    },
  }
}

class Paused extends Error {}

/** Keys that a row knows, and names that are none of ours: whoever put those there may want them. */
async function listKnown(on: Db | Tx, keys: readonly string[]): Promise<string[]> {
  const names = new Set(keys.flatMap((key) => nameOf(key) ?? []))
  const rows = names.size > 0 ? await store.listPathsOf(on, [...names]) : []
  const known = rows.flatMap((row) => [row.filePath, row.thumbnailPath, row.originalPath]).filter((key) => key !== null)
  return [...known, ...keys.filter((key) => nameOf(key) === undefined)]
}
