import { describe, expect, it } from 'bun:test'
import { nameOf, newName } from '../../../src/features/media/names.ts'
import { isKey } from '../../../src/storage/storage.ts'
import { badKeys } from '../../storage/bad-keys.ts'

describe('the name of an upload', () => {
  it('is of its day and given once', () => {
    const names = Array.from({ length: 5000 }, () => newName(new Date('2026-01-05T23:59:59.999Z')))
    expect(new Set(names).size).toBe(5000)
    for (const name of names) expect(name).toMatch(/^uploads\/2026\/01\/05\/[A-Za-z0-9]{22}$/)
  })

  it.each(['', '.webp', '_thumb.jpg', '_original.mov', '_poster.jpg', '.7z'])(
    'is found in the path of its files: %s',
    (end) => {
      const name = newName()
      expect(nameOf(`${name}${end}`)).toBe(name)
      expect(isKey(`${name}${end}`)).toBe(true)
    },
  )

  it('is found in no other path', () => {
    const name = newName()
    const others = [
      `${name}x.jpg`,
      `${name}-thumb.jpg`,
      `${name}.jpg.exe`,
      `${name}/x.jpg`,
      `/${name}.jpg`,
      `${name}.jpg\n`,
      `${name}.JPG`,
    ]
    for (const path of [...others, ...badKeys('/tmp/x')]) expect(nameOf(path)).toBeUndefined()
    expect(nameOf(`avatars/${name.slice(-22)}.webp`)).toBeUndefined()
  })
})
