/** What the client without a face weighs on its way to a browser. */
import { expect, it } from 'bun:test'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'

const MAX_BYTES = 15_000

it('is small, and brings no code of the server', async () => {
  const root = join(import.meta.dir, '../../../src/web/sync')
  const { outputs, success } = await Bun.build({
    entrypoints: ['client.ts', 'lists.ts', 'rows.ts'].map((name) => join(root, name)),
    target: 'browser',
    minify: true,
    splitting: true,
  })
  expect(success).toBe(true)
  const texts = await Promise.all(outputs.map((output) => output.text()))
  const bytes = texts.reduce((sum, text) => sum + brotliCompressSync(text).byteLength, 0)
  process.stdout.write(`web/sync: ${bytes} bytes of JavaScript, minified and compressed by brotli\n`)
  expect(bytes).toBeLessThan(MAX_BYTES)
  for (const word of ['typebox', 'drizzle', 'elysia']) expect(texts.join('').toLowerCase()).not.toContain(word)
})
