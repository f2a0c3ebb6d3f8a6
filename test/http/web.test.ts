/** How the web client is made and served: its weight, its names, its headers. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { buildWeb } from '../../deploy/web.ts'
import { openWeb, type WebArchive } from '../../src/http/web-archive.ts'
import { startServer, type TestServer } from '../support/server.ts'

/** Of JavaScript at the first load, compressed. */
const MAX_FIRST_LOAD_BYTES = 100_000

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

/** Bun's fetch decodes what it asked for; here the bytes are looked at. */
const ask = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${server.url}${path}`, { headers: { 'accept-encoding': 'identity', ...headers }, decompress: false })
const bytesOf = async (answer: Response) => new Uint8Array(await answer.arrayBuffer())
async function listAssets(): Promise<string[]> {
  const page = await (await ask('/')).text()
  return [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path = '']) => path)
}

describe('the bundle', () => {
  let archive: WebArchive
  it('loads at most 100 KB of JavaScript first', async () => {
    const built = await buildWeb()
    archive = openWeb(Uint8Array.from(built.archive))
    const { scriptBytes, files } = built.firstLoad
    process.stdout.write(`the web client loads ${(scriptBytes / 1000).toFixed(1)} KB of JavaScript first, brotli\n`)
    expect(files.length).toBeGreaterThan(1)
    expect(scriptBytes).toBeGreaterThan(10_000)
    expect(scriptBytes).toBeLessThan(MAX_FIRST_LOAD_BYTES)
  })

  it('has nothing of the server in it, no foreign address, and no name of a file here', () => {
    for (const file of archive.files.values()) {
      if (!/\.(?:js|css|html)$/.test(file.path)) continue
      const text = new TextDecoder().decode(archive.body(file, 'identity'))
      // TypeBox marks its schemas so.
      expect(text).not.toContain('TypeBox')
      expect(text).not.toContain(import.meta.dir)
      const addresses = [...text.matchAll(/https?:\/\/[\w.-]+/g)].map(([address]) => address)
      // Namespaces of SVG and MathML are names, not places.
      expect(addresses.filter((address) => address !== 'http://www.w3.org')).toEqual([])
    }
  })

  it('keeps what lets a page run from right to left', () => {
    const styles = [...archive.files.values()].find(({ path }) => path.endsWith('.css'))
    const text = styles ? new TextDecoder().decode(archive.body(styles, 'identity')) : ''
    expect(text).toContain('padding-inline')
    expect(text).toContain('light-dark(')
    expect(text).not.toMatch(/[;{](?:margin|padding|border)-(?:left|right)\b/)
  })

  it('holds every file in each coding, the same', () => {
    for (const file of archive.files.values()) {
      const plain = archive.body(file, 'identity')
      const [br, gzip] = [archive.body(file, 'br'), archive.body(file, 'gzip')]
      if (br) expect(new Uint8Array(brotliDecompressSync(br))).toEqual(new Uint8Array(plain ?? []))
      if (gzip) expect(new Uint8Array(gunzipSync(gzip))).toEqual(new Uint8Array(plain ?? []))
    }
  })
})

describe('the page', () => {
  it('lets nothing in from elsewhere, and nothing that stands in it run', async () => {
    const answer = await ask('/')
    const policy = answer.headers.get('content-security-policy') ?? ''
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
    for (const part of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      'trusted-types app',
    ]) {
      expect(policy.split('; ')).toContain(part)
    }
    expect(policy).not.toContain('unsafe')
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer')
    expect(answer.headers.get('cross-origin-opener-policy')).toBe('same-origin')
    const html = await answer.text()
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\bon\w+=|\bstyle=/i)
  })

  it('is asked for anew each time, and not sent again when it is the same', async () => {
    const first = await ask('/')
    expect(first.headers.get('cache-control')).toBe('no-cache')
    const etag = first.headers.get('etag') ?? ''
    for (const given of [etag, `W/${etag}`, `"other", ${etag}`]) {
      const again = await ask('/', { 'if-none-match': given })
      expect(again.status).toBe(304)
      expect(again.headers.get('etag')).toBe(etag)
      expect((await bytesOf(again)).length).toBe(0)
    }
    expect((await ask('/', { 'if-none-match': '"other"' })).status).toBe(200)
  })

  it('leaves the other paths what they were', async () => {
    expect((await ask('/health')).status).toBe(200)
    expect(await (await ask('/swagger')).text()).toContain('swagger-ui')
    expect((await ask('/api/v1/users/me')).status).toBe(401)
    expect((await ask('/nothing')).status).toBe(404)
    expect((await ask('/ws')).status).not.toBe(200)
  })
})

describe('its files', () => {
  it('are there, and for ever', async () => {
    const assets = await listAssets()
    expect(assets.some((path) => path.endsWith('.js'))).toBeTrue()
    expect(assets.some((path) => path.endsWith('.css'))).toBeTrue()
    for (const path of assets) {
      const answer = await ask(path)
      expect(answer.status).toBe(200)
      expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
      expect((await bytesOf(answer)).length).toBeGreaterThan(50)
    }
  })

  it('come in the coding that is asked for', async () => {
    const [script = ''] = (await listAssets()).filter((path) => path.endsWith('.js'))
    const plain = await bytesOf(await ask(script))
    const codings: [string, string | null, (bytes: Uint8Array) => Uint8Array][] = [
      ['gzip, deflate, br, zstd', 'br', brotliDecompressSync],
      ['br;q=0, gzip', 'gzip', gunzipSync],
      ['gzip;q=0.5', 'gzip', gunzipSync],
      ['*', 'br', brotliDecompressSync],
      ['', null, (bytes) => bytes],
      ['deflate', null, (bytes) => bytes],
      ['br;q=0, gzip;q=0.0', null, (bytes) => bytes],
    ]
    const etags = new Set<string | null>()
    for (const [accepted, coding, decode] of codings) {
      const answer = await ask(script, { 'accept-encoding': accepted })
      expect(answer.headers.get('content-encoding')).toBe(coding)
      expect(answer.headers.get('vary')).toBe('accept-encoding')
      expect(new Uint8Array(decode(await bytesOf(answer)))).toEqual(plain)
      etags.add(answer.headers.get('etag'))
    }
    expect(etags.size).toBe(3)
  })

  it('are 404 when they are of another version, and whatever the path tries', async () => {
    for (const path of ['/assets/main-00000000.js', '/assets/..%2findex.html', '/assets/%2e%2e%2fsw.js', '/assets/']) {
      const answer = await ask(path)
      expect([path, answer.status]).toEqual([path, 404])
      expect(answer.headers.get('cache-control')).not.toBe('public, max-age=31536000, immutable')
    }
  })

  it('include what installing asks for', async () => {
    const manifest = (await (await ask('/manifest.webmanifest')).json()) as {
      start_url: string
      display: string
      icons: { src: string; sizes: string; purpose?: string }[]
    }
    expect(manifest).toMatchObject({ start_url: '/', display: 'standalone' })
    expect(manifest.icons.map(({ sizes, purpose }) => `${sizes} ${purpose ?? 'any'}`)).toEqual([
      '192x192 any',
      '512x512 any',
      '512x512 maskable',
    ])
    for (const { src } of manifest.icons) expect((await ask(src)).headers.get('content-type')).toBe('image/png')
    const worker = await ask('/sw.js')
    expect(worker.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
    expect(worker.headers.get('cache-control')).toBe('no-cache')
  })
})
