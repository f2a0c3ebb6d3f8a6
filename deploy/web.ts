/**
 * Makes the web client: `bun deploy/web.ts FILE` writes the archive that src/http/web.ts serves and the binary carries, and
 * prints what the first load weighs.
 */
import { rename } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type Coding, packWeb } from '../src/http/web-archive.ts'
import { bundleScripts, bundleStyles, bundleWorker } from './web/bundle.ts'
import { compress } from './web/compress.ts'
import { drawIcons } from './web/icons.ts'
import { hashOf, type Made } from './web/made.ts'

export interface FirstLoad {
  /** What index.html loads, the styles included, with its bytes as brotli. */
  files: { path: string; bytes: number }[]
  /** Of the scripts alone. */
  scriptBytes: number
}

const TYPES: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  webmanifest: 'application/manifest+json',
  svg: 'image/svg+xml',
  png: 'image/png',
  ico: 'image/png',
}
const WEB = join(import.meta.dir, '../src/web')

/** @returns the archive's bytes, and what a first visit loads */
export async function buildWeb(): Promise<{ archive: Uint8Array; firstLoad: FirstLoad }> {
  const [scripts, styles, icons] = await Promise.all([
    bundleScripts(join(WEB, 'main.tsx')),
    bundleStyles(join(WEB, 'styles/main.css')),
    drawIcons(join(WEB, 'icons/icon.svg')),
  ])
  const page = await makePage(styles.path, scripts.entry, scripts.preloads)
  const manifest = { path: '/manifest.webmanifest', bytes: encode(JSON.stringify(icons.manifest)) }
  const shell: Made[] = [page, ...scripts.files, styles, ...icons.files, manifest]
  const version = hashOf(shell.map(({ path, bytes }) => `${path} ${hashOf(bytes)}`).join('\n'))
  const worker = await bundleWorker(join(WEB, 'worker/sw.ts'), {
    version,
    // What an offline start needs; the rest is kept when it is first used.
    shell: ['/', ...[...scripts.files, styles].map(({ path }) => path), manifest.path],
  })
  const files = await Promise.all([...shell, worker].map(pressed))
  const first = new Set([scripts.entry, ...scripts.preloads, styles.path])
  const loaded = files
    .filter(({ path }) => first.has(path))
    .map(({ path, bodies }) => ({ path, bytes: (bodies.br ?? bodies.identity)?.length ?? 0 }))
  const scriptBytes = loaded.filter(({ path }) => path.endsWith('.js')).reduce((sum, { bytes }) => sum + bytes, 0)
  return { archive: packWeb(files), firstLoad: { files: loaded, scriptBytes } }
}

const encode = (text: string) => new TextEncoder().encode(text)

/** The page with the names that the files have now. */
async function makePage(styles: string, entry: string, preloads: readonly string[]): Promise<Made> {
  const template = await Bun.file(join(WEB, 'index.html')).text()
  const links = preloads.map((path) => `<link rel="modulepreload" href="${path}">`).join('\n  ')
  const html = template
    .replace('./styles/main.css', styles)
    .replace('./main.tsx', entry)
    .replace('<!-- modulepreload -->', links)
  return { path: '/index.html', bytes: encode(html) }
}

async function pressed({ path, bytes }: Made) {
  const extension = basename(path).split('.').pop() ?? ''
  const type = TYPES[extension]
  if (!type) throw new Error(`${path}: what type is that?`)
  const bodies: Partial<Record<Coding, Uint8Array>> = { identity: bytes, ...(await compress(bytes)) }
  return { path, type, etag: `"${hashOf(bytes)}"`, isImmutable: path.startsWith('/assets/'), bodies }
}

if (import.meta.main) {
  const target = process.argv[2]
  if (!target) throw new Error('Where to? bun deploy/web.ts FILE')
  const { archive, firstLoad } = await buildWeb()
  // Others may be reading or making the same one.
  await Bun.write(`${target}.${process.pid}`, archive)
  await rename(`${target}.${process.pid}`, target)
  const lines = firstLoad.files.map(({ path, bytes }) => `${String(bytes).padStart(8)} B  ${path}`)
  const total = `${(firstLoad.scriptBytes / 1000).toFixed(1)} KB of JavaScript at the first load, brotli`
  process.stdout.write([...lines, total, ''].join('\n'))
}
