/** The suites of conversation once more, each request and each socket going to the next of two instances behind Caddy. */
import { expect, it } from 'bun:test'
import { join } from 'node:path'

const ROOT = join(import.meta.dir, '../..')

/** All that clients say to each other. What counts per instance (limits, memory) is not among it. */
const SUITES = [
  ...['auth', 'chats', 'first-conversation', 'messages', 'presence', 'socket', 'users'].map(
    (name) => `conformance/${name}`,
  ),
  ...['direct', 'groups', 'list', 'invites', 'invites-races'].map((name) => `features/chats/${name}`),
  ...['changes', 'history', 'idempotency', 'order'].map((name) => `features/messages/${name}`),
  'features/messages/search',
  ...['uploads', 'piecewise'].map((name) => `features/uploads/${name}`),
  ...['sync', 'convergence'].map((name) => `features/sync/${name}`),
  ...['presence', 'blocks'].map((name) => `features/presence/${name}`),
  ...['blocks', 'blocks-races'].map((name) => `features/users/${name}`),
  ...['calls', 'permissions', 'drops'].map((name) => `features/calls/${name}`),
  ...['channels', 'subscribing', 'broadcast'].map((name) => `features/channels/${name}`),
  ...['events', 'opening', 'sessions'].map((name) => `realtime/${name}`),
]

it(
  'passes as on one instance',
  async () => {
    const files = SUITES.map((name) => `test/${name}.test.ts`)
    const run = Bun.spawn([process.execPath, 'test', '--timeout', '30000', ...files], {
      cwd: ROOT,
      stdout: 'pipe',
      stderr: 'pipe',
      env: { ...process.env, TEST_INSTANCES: '2' },
    })
    const [output, code] = await Promise.all([new Response(run.stderr).text(), run.exited])
    const count = (what: string) => Number(new RegExp(`^ *(\\d+) ${what}$`, 'm').exec(output)?.[1] ?? 0)
    const failures = output.split('\n').filter((line) => line.startsWith('(fail)'))
    if (code !== 0) process.stderr.write(output.slice(-20_000))
    expect(failures).toEqual([])
    expect(code).toBe(0)
    expect(count('fail')).toBe(0)
    expect(count('skip')).toBe(0)
    expect(count('pass')).toBeGreaterThan(400)
  },
  20 * 60_000,
)
