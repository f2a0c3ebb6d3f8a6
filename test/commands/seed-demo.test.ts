/** `messenger seed-demo` as a process of its own: what it is told, and where it may. The town is in test/demo/. */
import { describe, expect, it } from 'bun:test'
import { createDatabase } from '../support/postgres.ts'
import { startServer, TEST_SECRET } from '../support/server.ts'
import { makeDataDir, run, start } from './process.ts'

describe('messenger seed-demo', () => {
  it('explains itself, and refuses what it does not understand or a password against the rule', async () => {
    const { path, remove } = await makeDataDir()
    const command = (args: string[], input = '') => run(['seed-demo', ...args], { DATA_DIR: path }, input)
    const help = await command(['--help'])
    expect(help).toMatchObject({ code: 0, out: expect.stringContaining('Usage: messenger seed-demo') })
    expect(await command(['--force'])).toMatchObject({ code: 2, out: '' })
    const weak = await command(['--password-stdin'], 'short\n')
    expect(weak).toMatchObject({ code: 1, out: '', err: expect.stringContaining('The password must be 8 to 128') })
    await remove()
  }, 60_000)

  it('fills the database of a running server beside it; the printed password opens the door; it stays full', async () => {
    const { path, remove } = await makeDataDir()
    const running = start({ DATA_DIR: path })
    const url = await running.ready
    const { code, out } = await run(['seed-demo'], { DATA_DIR: path })
    expect(code).toBe(0)
    const password = /^ +Password +(\S+)$/m.exec(out)?.[1] ?? ''
    expect(password.length).toBeGreaterThan(20)
    const { status } = await fetch(`${url}/api/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ phone_or_email: 'nora@example.com', password }),
    })
    expect(status).toBe(200)
    running.process.kill('SIGTERM')
    await running.finished
    expect(await run(['seed-demo'], { DATA_DIR: path })).toMatchObject({ code: 1, out: '' })
    await remove()
  }, 180_000)

  it('finds a database with a deleted account not empty', async () => {
    const settings = { DATABASE_URL: await createDatabase(), JWT_SECRET: TEST_SECRET }
    const server = await startServer(settings)
    const user = await server.addUser()
    expect((await user.delete('/users/me')).status).toBe(200)
    const { code, err } = await run(['seed-demo'], { ...settings, DATA_DIR: server.config.DATA_DIR })
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining('There are accounts here already') })
    await server.stop()
  }, 60_000)
})
