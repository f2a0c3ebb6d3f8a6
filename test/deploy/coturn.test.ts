/** deploy/coturn/start.sh, which compose.yaml starts coturn by: its secret reaches coturn and nobody else. */
import { afterAll, beforeAll, expect, it } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Subprocess } from 'bun'
import { ownAddress } from '../support/coturn.ts'
import { freePort } from '../support/redis.ts'

const SECRET = '0123456789abcdef0123456789abcdef'
const address = ownAddress()
const port = freePort()
let home: string
let coturn: Subprocess<'ignore', 'ignore', 'ignore'>

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'messenger-turn-'))
  const own = [`--listening-ip=${address}`, `--listening-port=${port}`, '--no-tls', '--no-dtls']
  const rest = ['--userdb', join(home, 'none.db'), `--allowed-peer-ip=${address}`]
  coturn = Bun.spawn(['sh', join(import.meta.dir, '../../deploy/coturn/start.sh'), ...own, ...rest], {
    env: { PATH: process.env.PATH, TMPDIR: home, TURN_SECRET: SECRET, CERTIFICATES: join(home, 'none') },
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'ignore',
  })
  for (let i = 0; i < 250 && !allocates(SECRET); i++) await Bun.sleep(20)
}, 40_000)
afterAll(async () => {
  coturn.kill('SIGKILL')
  await coturn.exited
  rmSync(home, { recursive: true, force: true })
})

/** Whether coturn relays for one with credentials by this secret. */
function allocates(secret: string): boolean {
  const client = ['turnutils_uclient', '-y', '-n', '1', '-p', `${port}`, '-W', secret, '-u', 'someone', address]
  return Bun.spawnSync(client, { stdout: 'ignore', stderr: 'ignore', timeout: 10_000 }).exitCode === 0
}

it('relays for those with the secret, and for nobody else', () => {
  expect(allocates(SECRET)).toBe(true)
  expect(allocates('another secret of the same length')).toBe(false)
})

it('has the secret in a file of its own, neither on the command line nor in the environment', () => {
  const commandLine = readFileSync(`/proc/${coturn.pid}/cmdline`, 'utf8').split('\0')
  expect(commandLine.join(' ')).not.toContain(SECRET)
  expect(readFileSync(`/proc/${coturn.pid}/environ`, 'utf8')).not.toContain(SECRET)
  const file = commandLine[commandLine.indexOf('-c') + 1] ?? ''
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readFileSync(file, 'utf8')).toContain(`\nstatic-auth-secret=${SECRET}\n`)
})
