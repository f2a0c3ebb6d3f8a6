/**
 * Who may open a file: whoever is a member of its message's chat now, while the message is there and their account may be
 * used. All others are told that there is no such file.
 */
import type { Db } from '../../db/client.ts'
import { mediaNotFound, mediaNotReady } from '../../errors.ts'
import { nameOf } from './names.ts'
import { listOpenable, type OpenableRow } from './store.ts'

export interface AccessibleFile extends OpenableRow {
  isThumbnail: boolean
}

/** @throws mediaNotFound; mediaNotReady for what is still being made */
export async function accessFile(db: Db, userId: string, path: string): Promise<AccessibleFile> {
  const file = (await listAccessible(db, userId, [path])).get(path)
  if (!file) throw mediaNotFound()
  if (!file.isThumbnail && file.isUnmade) throw mediaNotReady()
  return file
}

/** @returns by path those that the user may open: one query for all. */
export async function listAccessible(
  db: Db,
  userId: string,
  paths: readonly string[],
): Promise<Map<string, AccessibleFile>> {
  const names = new Set(paths.flatMap((path) => nameOf(path) ?? []))
  if (names.size === 0) return new Map()
  const rows = new Map((await listOpenable(db, userId, [...names])).map((row) => [row.name, row]))
  const found = new Map<string, AccessibleFile>()
  for (const path of paths) {
    const row = rows.get(nameOf(path) ?? '')
    const isThumbnail = row?.thumbnailPath === path
    if (row && (isThumbnail || row.filePath === path)) found.set(path, { ...row, isThumbnail })
  }
  return found
}
