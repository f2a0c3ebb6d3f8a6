/** Where the web client comes from: out of the binary, or made from its source when that changed. */
import { access, constants, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Log } from '../observability/log.ts'
import { carriedWeb } from './carried-web.ts'
import { openWeb, type WebArchive } from './web-archive.ts'

const ROOT = join(import.meta.dir, '../..')
/** What the archive is made of. */
const SOURCES = ['src/web/**/*', 'deploy/web.ts', 'deploy/web/*', 'src/http/web-archive.ts', 'bun.lock']

/** Reads the archive, making it first where there is none of this source: about two seconds, in another process. */
export async function loadWeb(log: Log): Promise<WebArchive> {
  return openWeb(carriedWeb === undefined ? await makeArchive(log) : await Bun.file(carriedWeb).bytes())
}

async function makeArchive(log: Log): Promise<Uint8Array<ArrayBuffer>> {
  const name = `web-${await hashSources()}.bin`
  const { directory, isForNow } = await findDirectory()
  const path = join(directory, name)
  try {
    if (!(await Bun.file(path).exists())) await build(path, log)
    return await Bun.file(path).bytes()
  } finally {
    // Those of other sources are not asked for any more; what another process is writing has a longer name.
    const isOther = (other: string) => /^web-[0-9a-f]+\.bin$/.test(other) && other !== name
    const others = isForNow ? [] : (await readdir(directory)).filter(isOther)
    const leftOver = isForNow ? [directory] : others.map((other) => join(directory, other))
    await Promise.all(leftOver.map((one) => rm(one, { recursive: true, force: true })))
  }
}

async function build(path: string, log: Log): Promise<void> {
  const started = performance.now()
  const child = Bun.spawn([process.execPath, 'deploy/web.ts', path], { cwd: ROOT, stdout: 'ignore', stderr: 'pipe' })
  const [code, errors] = await Promise.all([child.exited, new Response(child.stderr).text()])
  if (code !== 0) throw new Error(`The web client does not build: ${errors}`)
  log.info('The web client is built', { ms: Math.round(performance.now() - started) })
}

/** `dist/web` of the project, or a directory for this once where that cannot be written. */
async function findDirectory(): Promise<{ directory: string; isForNow: boolean }> {
  const ours = join(ROOT, 'dist/web')
  try {
    await mkdir(ours, { recursive: true })
    await access(ours, constants.W_OK)
    return { directory: ours, isForNow: false }
  } catch {
    // Installed by somebody else: then it is made at each start.
    return { directory: await mkdtemp(join(tmpdir(), 'messenger-web-')), isForNow: true }
  }
}

/** Hexadecimal; other sources have another one. */
async function hashSources(): Promise<string> {
  const found = await Promise.all(SOURCES.map((glob) => Array.fromAsync(new Bun.Glob(glob).scan(ROOT))))
  const hash = new Bun.CryptoHasher('sha256')
  for (const path of found.flat().sort()) hash.update(`${path}\n`).update(await Bun.file(join(ROOT, path)).bytes())
  return hash.digest('hex').slice(0, 16)
}
