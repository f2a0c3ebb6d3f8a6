/** The Caddyfile that is shipped, in a real Caddy on free ports. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../support/redis.ts'

export const CADDYFILE = join(import.meta.dir, '../../Caddyfile')

export interface ShippedCaddy {
  /** By HTTPS with a certificate of Caddy's own, `https://localhost:PORT`; or plain, when that was asked for. */
  url: string
  httpUrl: string
  /** Where `/static/` comes from. */
  staticRoot: string
  /** Everything it wrote so far, on either stream. */
  log(): string
  stop(): Promise<void>
}

/** @param upstreams `127.0.0.1:PORT` of each instance */
export async function startShippedCaddy(upstreams: readonly string[], { isPlain = false } = {}): Promise<ShippedCaddy> {
  const binary = Bun.which('caddy')
  if (!binary) throw new Error('caddy is not installed: `npm test` installs it')
  const directory = await mkdtemp(join(tmpdir(), 'messenger-caddy-'))
  const staticRoot = join(directory, 'files')
  await mkdir(join(staticRoot, 'static'), { recursive: true })
  const [httpPort, httpsPort] = [freePort(), freePort()]
  const httpUrl = `http://localhost:${httpPort}`
  const url = isPlain ? httpUrl : `https://localhost:${httpsPort}`
  const child = Bun.spawn([binary, 'run', '--config', CADDYFILE, '--adapter', 'caddyfile'], {
    stdout: 'pipe',
    stderr: 'pipe',
    env: {
      HOME: directory,
      XDG_CONFIG_HOME: directory,
      XDG_DATA_HOME: directory,
      PATH: process.env.PATH,
      CADDY_ADMIN: `unix/${join(directory, 'admin')}`,
      HTTP_PORT: `${httpPort}`,
      HTTPS_PORT: `${httpsPort}`,
      SITE_ADDRESS: isPlain ? httpUrl : 'localhost',
      API_UPSTREAMS: upstreams.join(' '),
      STATIC_ROOT: staticRoot,
    },
  })
  let written = ''
  const read = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder()
    for await (const chunk of stream) written += decoder.decode(chunk, { stream: true })
  }
  const reading = Promise.all([read(child.stdout), read(child.stderr)])
  for (let i = 0; ; i++) {
    const answer = await fetch(`${url}/static/`, { tls: { rejectUnauthorized: false } }).catch(() => undefined)
    if (answer !== undefined) break
    if (child.exitCode !== null || i > 1000) throw new Error(`Caddy does not run: ${written}`)
    await Bun.sleep(10)
  }
  return {
    url,
    httpUrl,
    staticRoot,
    log: () => written,
    async stop() {
      child.kill('SIGKILL')
      await child.exited
      await reading
      await rm(directory, { recursive: true, force: true })
    },
  }
}
