/** The names of files in the storage: unguessable, given once, and the way from a path back to its row. */
import { randomBytes } from 'node:crypto'

/** `uploads/2026/01/15/` and 22 letters and digits, 130 bits; then what the file is of the upload, and an extension. */
const PATH = /^(uploads\/\d{4}\/\d{2}\/\d{2}\/[A-Za-z0-9]{22})(?:_[a-z]{1,16})?(?:\.[a-z0-9]{1,8})?$/

/**
 * A new name, which the paths of all files of one upload begin with: `${name}.webp`, `${name}_thumb.jpg`,
 * `${name}_original.mov`.
 */
export function newName(at = new Date()): string {
  const [year, month, day] = at.toISOString().slice(0, 10).split('-')
  return `uploads/${year}/${month}/${day}/${randomLetters(22)}`
}

/** Where a new avatar is kept: the name is all that leads to it. */
export const newAvatarKey = (): string => `avatars/${randomLetters(22)}.webp`

/** The name within a path; undefined for what is no path of an upload. */
export const nameOf = (path: string): string | undefined => PATH.exec(path)?.[1]

/** Letters and digits: `-` and `_` mean something in paths. */
function randomLetters(length: number): string {
  let letters = ''
  while (letters.length < length) letters += randomBytes(length).toString('base64url').replaceAll(/[-_]/g, '')
  return letters.slice(0, length)
}
