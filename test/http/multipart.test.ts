import { describe, expect, it } from 'bun:test'
import fc from 'fast-check'
import { AppError } from '../../src/errors.ts'
import { readForm } from '../../src/http/multipart.ts'

const BOUNDARY = 'b7f'
const TYPE = `multipart/form-data; boundary=${BOUNDARY}`
const LIMITS = { fileField: 'file', maxFiles: 5, maxFields: 5, maxFieldBytes: 1000 }

type Part = { name: string; value?: string; fileName?: string; bytes?: number[] }

const encode = (parts: readonly Part[]) =>
  Buffer.concat([
    ...parts.flatMap(({ name, value, fileName, bytes }) => [
      Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"`),
      Buffer.from(bytes ? `; filename="${fileName}"\r\nContent-Type: text/html\r\n\r\n` : '\r\n\r\n'),
      Buffer.from(bytes ?? value ?? ''),
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`--${BOUNDARY}--\r\n`),
  ])

async function* cut(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, n = 0; at < bytes.byteLength; n++) {
    const size = sizes[n % sizes.length] ?? 1
    yield bytes.subarray(at, at + size)
    at += size
  }
}

async function readAll(bytes: Uint8Array, sizes: readonly number[] = [bytes.byteLength]): Promise<Part[]> {
  const parts: Part[] = []
  for await (const part of readForm(TYPE, cut(bytes, sizes), LIMITS)) {
    if (!part.file) parts.push({ name: part.name, value: part.value })
    else {
      const chunks = await Array.fromAsync(part.file.body)
      parts.push({ name: part.name, fileName: part.file.name ?? '', bytes: [...Buffer.concat(chunks)] })
    }
  }
  return parts
}

const fields = fc.record({
  name: fc.constantFrom('a', 'content', 'chat_id'),
  value: fc.string({ maxLength: 200, unit: 'grapheme' }),
})
const files = fc.record({
  name: fc.constant('file'),
  fileName: fc.string({ unit: fc.constantFrom(...'abcäß漢.-_ '), maxLength: 20 }).map((name) => `f${name}`),
  // What looks like the boundary, and is none.
  bytes: fc
    .array(
      fc.oneof(fc.constantFrom('\r\n--b7', '--b7f', '\r\n', '--', 'x'), fc.string({ unit: 'binary', maxLength: 50 })),
    )
    .map((texts) => [...Buffer.from(texts.join(''))])
    // RFC 2046, 5.1: nothing within a part begins a line with the boundary.
    .filter((bytes) => !`\r\n${Buffer.from(bytes)}`.includes(`\r\n--${BOUNDARY}`)),
})
const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 })

describe('a form', () => {
  it('is the same however it is cut on its way', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(fields, files), { maxLength: 5 }), sizes, async (parts, pieces) => {
        expect(await readAll(encode(parts), pieces)).toEqual(parts as Part[])
      }),
      { numRuns: 300 },
    )
  })

  it('that ends too soon, or is broken, is refused by name, and nothing hangs', async () => {
    const all = encode([
      { name: 'a', value: 'x' },
      { name: 'file', fileName: 'f', bytes: [...Buffer.from('y'.repeat(300))] },
      { name: 'b', value: 'z' },
    ])
    const change = fc.record({ at: fc.nat(all.byteLength - 1), byte: fc.nat(255), end: fc.nat(all.byteLength) })
    await fc.assert(
      fc.asyncProperty(change, sizes, async ({ at, byte, end }, pieces) => {
        const broken = Buffer.from(all)
        broken[at] = byte
        const outcome = await readAll(broken.subarray(0, end), pieces).catch((error) => error)
        expect(Array.isArray(outcome) || (outcome instanceof AppError && outcome.status === 400)).toBe(true)
      }),
      { numRuns: 500 },
    )
    // The last line break may be missing.
    for (let end = 0; end < all.byteLength - 2; end++) {
      expect(await readAll(all.subarray(0, end)).catch((error) => error)).toBeInstanceOf(AppError)
    }
  })

  it('may be left at any part: what was to come is let go of', async () => {
    const bytes = encode(
      Array.from({ length: 5 }, () => ({ name: 'file', fileName: 'f', bytes: Array(5000).fill(120) })),
    )
    let isLetGo = false
    async function* source() {
      try {
        yield* cut(bytes, [100])
        await new Promise(() => undefined)
      } finally {
        isLetGo = true
      }
    }
    for await (const part of readForm(TYPE, source(), LIMITS)) if (part.file) break
    for (let i = 0; i < 100 && !isLetGo; i++) await Bun.sleep(1)
    expect(isLetGo).toBe(true)
  })

  it('skips files that nobody reads', async () => {
    const bytes = encode([
      { name: 'file', fileName: 'f', bytes: Array(500_000).fill(120) },
      { name: 'a', value: 'after' },
    ])
    const names: string[] = []
    for await (const part of readForm(TYPE, cut(bytes, [10_000]), LIMITS)) names.push(part.name)
    expect(names).toEqual(['file', 'a'])
  })

  it('is taken no faster than its files are read', async () => {
    const bytes = encode([{ name: 'file', fileName: 'f', bytes: Array(4_000_000).fill(120) }])
    let taken = 0
    async function* source() {
      for await (const chunk of cut(bytes, [50_000])) {
        taken += chunk.byteLength
        yield chunk
      }
    }
    for await (const part of readForm(TYPE, source(), LIMITS)) {
      if (!part.file) continue
      let read = 0
      for await (const chunk of part.file.body) {
        read += chunk.byteLength
        await Bun.sleep(0)
        expect(taken - read).toBeLessThan(500_000)
      }
      expect(read).toBe(4_000_000)
    }
  })
})
