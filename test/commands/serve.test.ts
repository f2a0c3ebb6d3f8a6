/** The server as a process: its start, its end, and what it leaves behind. */
import { afterAll, beforeAll, describe, expect, it, test } from 'bun:test'
import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Json, TestSocket } from '../support/client.ts'
import { createDatabase } from '../support/postgres.ts'
import { TEST_SECRET } from '../support/server.ts'
import { countPostgres, type Finished, makeDataDir, type Running, run, start, untilNoPostgres } from './process.ts'

const errorsOf = ({ out }: Finished) =>
  out
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ level }) => level === 'error')

async function signIn(url: string, phone: string, password: string) {
  const response = await fetch(`${url}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ phone_or_email: phone, password }),
  })
  return { status: response.status, body: (await response.json()) as Json }
}

describe('with the embedded database', () => {
  let dataDir: Awaited<ReturnType<typeof makeDataDir>>
  let server: Running
  let url: string
  beforeAll(async () => {
    dataDir = await makeDataDir()
    server = start({ DATA_DIR: dataDir.path })
    url = await server.ready
  }, 40_000)
  afterAll(async () => {
    server.process.kill('SIGKILL')
    await untilNoPostgres(dataDir.path)
    await dataDir.remove()
  }, 20_000)
  const here = () => ({ DATA_DIR: dataDir.path, PORT: new URL(url).port })

  it('says in one line where it listens and what it runs on', async () => {
    const said = server.lines.map((line) => JSON.parse(line)).filter(({ message }) => message === 'messenger is ready')
    expect(said).toHaveLength(1)
    expect(said[0].database).toContain('embedded')
    expect(said[0].instances).toBe('this one alone')
    expect((await fetch(`${url}/health/ready`)).status).toBe(200)
  })

  it('makes a secret that only its user can read', async () => {
    const path = join(dataDir.path, 'jwt-secret')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await readFile(path, 'utf8')).trim().length).toBeGreaterThanOrEqual(32)
  })

  it('is healthy for healthcheck', async () => {
    const { code, out } = await run(['healthcheck'], here())
    expect(code).toBe(0)
    expect(JSON.parse(out).status).toBe('ready')
  })

  it('lets no second server into its data directory', async () => {
    const second = await start({ DATA_DIR: dataDir.path }).finished
    expect(second.code).toBe(1)
    const errors = errorsOf(second)
    expect(errors).toHaveLength(1)
    expect(errors[0].reason).toContain('in use by another running server')
    expect((await fetch(`${url}/health/ready`)).status).toBe(200)
  })

  it('lets migrate and user work beside it; who is disabled loses the socket within 30 s', async () => {
    expect(await run(['migrate'], here())).toMatchObject({ code: 0, out: 'The database is up to date\n' })
    const phone = '+15550001111'
    const made = await run(['user', 'create', '--phone', phone, '--username', 'beside'], here())
    expect(made.code).toBe(0)
    const password = /^Password: (\S+)$/m.exec(made.out)?.[1] ?? ''
    expect((await signIn(url, phone, password)).status).toBe(200)
    const again = await run(['user', 'create', '--phone', phone, '--username', 'another'], here())
    expect(again.code).toBe(1)
    expect(again.err).toContain('phone')

    const reset = await run(['user', 'reset-password', 'beside', '--password-stdin'], here(), 'Another1Password\n')
    expect(reset.code).toBe(0)
    expect((await signIn(url, phone, password)).status).toBe(401)
    const { body } = await signIn(url, phone, 'Another1Password')
    const socket = new TestSocket(`${url.replace('http', 'ws')}/ws?token=${body.token}`)
    await socket.next('user_chats')

    const disabled = await run(['user', 'disable', 'beside'], here())
    expect(disabled).toMatchObject({ code: 0, err: '' })
    const disabledAt = performance.now()
    expect(await socket.closed).toMatchObject({ code: 4401 })
    expect(performance.now() - disabledAt).toBeLessThan(30_000)
    expect(socket.all('session_revoked')).toHaveLength(1)
    expect((await signIn(url, phone, 'Another1Password')).status).toBe(403)
    const nobody = await run(['user', 'disable', 'nobody'], here())
    expect({ code: nobody.code, out: nobody.out }).toEqual({ code: 1, out: '' })
    expect((await run(['user', 'frobnicate'], here())).code).toBe(2)
  }, 60_000)

  it('ends cleanly on SIGTERM, and starts again with the same secret and data', async () => {
    const secret = await readFile(join(dataDir.path, 'jwt-secret'), 'utf8')
    server.process.kill('SIGTERM')
    const ended = await server.finished
    expect(ended.code).toBe(0)
    expect(ended.err).toBe('')
    expect(ended.out).toContain('messenger has stopped')
    expect(errorsOf(ended)).toEqual([])
    expect(await countPostgres(dataDir.path)).toBe(0)

    await chmod(join(dataDir.path, 'jwt-secret'), 0o644)
    server = start({ DATA_DIR: dataDir.path })
    url = await server.ready
    expect(await readFile(join(dataDir.path, 'jwt-secret'), 'utf8')).toBe(secret)
    expect((await stat(join(dataDir.path, 'jwt-secret'))).mode & 0o777).toBe(0o600)
    expect((await run(['user', 'list'], here())).out).toContain('beside')
  })

  it('ends on SIGINT too, though it is sent twice', async () => {
    server.process.kill('SIGINT')
    server.process.kill('SIGINT')
    expect((await server.finished).code).toBe(0)
    expect(await countPostgres(dataDir.path)).toBe(0)
  })

  it('refuses a secret file that holds no secret, and leaves no PostgreSQL behind', async () => {
    const path = join(dataDir.path, 'jwt-secret')
    const secret = await readFile(path, 'utf8')
    await writeFile(path, '')
    const refused = await start({ DATA_DIR: dataDir.path }).finished
    expect(refused.code).toBe(1)
    expect(errorsOf(refused)[0].reason).toContain('holds no secret')
    expect(await countPostgres(dataDir.path)).toBe(0)
    await writeFile(path, secret)
  })

  it('says clearly that its port is taken, and leaves no PostgreSQL behind', async () => {
    const holder = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() })
    const refused = await start({ DATA_DIR: dataDir.path, PORT: String(holder.port) }).finished
    expect(refused.code).toBe(1)
    const errors = errorsOf(refused)
    expect(errors).toHaveLength(1)
    expect(errors[0].reason).toContain(String(holder.port))
    expect(await countPostgres(dataDir.path)).toBe(0)
    await holder.stop(true)
  })
})

describe('a signal during the start', () => {
  for (const [signal, delayMs] of [
    ['SIGTERM', 400],
    ['SIGINT', 900],
    ['SIGTERM', 1500],
    ['SIGKILL', 1200],
  ] as const) {
    test.concurrent(`leaves no PostgreSQL behind, and the next start works (${signal} after ${delayMs} ms)`, async () => {
      const dataDir = await makeDataDir()
      const first = start({ DATA_DIR: dataDir.path })
      await Bun.sleep(delayMs)
      first.process.kill(signal)
      await first.finished
      expect(await untilNoPostgres(dataDir.path)).toBe(0)
      const second = start({ DATA_DIR: dataDir.path })
      const url = await second.ready
      expect((await fetch(`${url}/health/ready`)).status).toBe(200)
      second.process.kill('SIGTERM')
      expect((await second.finished).code).toBe(0)
      await dataDir.remove()
    })
  }
})

describe('with a database of its own', () => {
  test.concurrent('lets no second server onto it without Redis; when the first has gone, another may come', async () => {
    const dataDir = await makeDataDir()
    const settings = { DATABASE_URL: await createDatabase(), JWT_SECRET: TEST_SECRET, DATA_DIR: dataDir.path }
    const first = start(settings)
    await first.ready
    const second = await start(settings).finished
    expect(second.code).toBe(1)
    const errors = errorsOf(second)
    expect(errors).toHaveLength(1)
    expect(errors[0].reason).toContain('Another messenger runs on this database')
    first.process.kill('SIGTERM')
    expect((await first.finished).code).toBe(0)
    const third = start(settings)
    await third.ready
    third.process.kill('SIGTERM')
    expect((await third.finished).code).toBe(0)
    await dataDir.remove()
  })
})
