/** Forgets sets that are too old, and the files that no set names any more. */
import { isSetName, listSets, MEDIA_FOLDER, type Part, readManifest, readMediaList, SUMS, timeOfSet } from './set.ts'
import type { BackupTarget } from './target.ts'

const DAY_MS = 86_400_000
/** One that was begun and never finished is no longer being written then. */
const ABANDONED_AFTER_MS = DAY_MS

export interface RetentionOptions {
  target: BackupTarget
  keepDays: number
  /** What has just been kept anew: a set with anything else in it stays, however old, since there may be no newer one. */
  parts: readonly Part[]
  now: Date
}

/** Call it after a set was written. @returns the sets that are gone */
export async function forgetOldSets({ target, keepDays, parts, now }: RetentionOptions): Promise<string[]> {
  const ageOf = (set: string) => now.getTime() - timeOfSet(set).getTime()
  const whole = await listSets(target)
  const forgotten: string[] = []
  let hadMedia = false
  for (const set of whole.filter((one) => ageOf(one) > keepDays * DAY_MS)) {
    const manifest = await readManifest(target, set)
    if (!manifest.parts.every((part) => parts.includes(part))) continue
    // First what makes it a set: half of one is none.
    await target.remove(`${set}/${SUMS}`)
    await target.removeFolder(`${set}/`)
    hadMedia ||= manifest.parts.includes('media')
    forgotten.push(set)
  }
  const abandoned = (await target.listFolders()).filter(
    (name) => isSetName(name) && !whole.includes(name) && ageOf(name) > ABANDONED_AFTER_MS,
  )
  for (const set of abandoned) await target.removeFolder(`${set}/`)
  if (hadMedia) await forgetFiles(target)
  return forgotten
}

async function forgetFiles(target: BackupTarget): Promise<void> {
  const named = new Set<string>()
  for (const set of await listSets(target)) {
    const { parts } = await readManifest(target, set)
    if (!parts.includes('media')) continue
    for await (const { key } of readMediaList(target, set)) named.add(key)
  }
  for await (const name of target.list(MEDIA_FOLDER)) {
    if (!named.has(name.slice(MEDIA_FOLDER.length))) await target.remove(name)
  }
}
