import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { readControl } from '../../../src/bus/control.ts'
import { createRefreshTokens } from '../../../src/features/auth/refresh-tokens.ts'
import { fakePasswords, openDatabase, SECRET, startApp } from './support.ts'

let database: Awaited<ReturnType<typeof openDatabase>>
let server: ReturnType<typeof startApp>
const { passwords } = fakePasswords()
beforeAll(async () => {
  database = await openDatabase()
  server = startApp(database, { passwords })
})
afterAll(() => database.close())

const refused = { status: 401, body: { error: 'Invalid or expired refresh token' } }
const works = async (token: string) => (await server.call('GET', '/users/me', { token })).status === 200

/** Follows the chain `steps` times, as a client does that stores each successor. */
async function follow(token: string, steps: number, on = server): Promise<string[]> {
  const chain = [token]
  for (let step = 0; step < steps; step++) {
    const { status, body } = await on.refresh(chain.at(-1) ?? '')
    expect(status).toBe(200)
    chain.push(body.refresh_token)
  }
  return chain
}

describe('refreshing', () => {
  it('answers a new access token and the successor', async () => {
    const user = await server.register()
    const { status, body, headers } = await server.refresh(user.refreshToken)
    expect(status).toBe(200)
    expect(Object.keys(body).sort()).toEqual(['expires_in', 'refresh_token', 'token'])
    expect(body.refresh_token).not.toBe(user.refreshToken)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(await works(body.token)).toBe(true)
  })

  it('answers parallel and repeated uses with the same successor', async () => {
    const user = await server.register()
    const first = await Promise.all(Array.from({ length: 8 }, () => server.refresh(user.refreshToken)))
    expect(new Set(first.map(({ body }) => body.refresh_token)).size).toBe(1)
    const successor = first[0]?.body.refresh_token
    // The successor's first use, eight times at once: all succeed, on two instances.
    const other = startApp(database, { passwords })
    const second = await Promise.all(
      Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? server : other).refresh(successor)),
    )
    expect(second.map(({ status }) => status)).toEqual(Array(8).fill(200))
    expect(new Set(second.map(({ body }) => body.refresh_token)).size).toBe(1)
    const [row] = await database.sql`select generation from session_tokens where user_id = ${user.userId}`
    expect(row?.generation).toBe(1)
  })

  it('lets a client that never stores the successor go on', async () => {
    const user = await server.register()
    for (let i = 0; i < 5; i++) expect((await server.refresh(user.refreshToken)).status).toBe(200)
  })

  it('moves the expiry forward only at a successor’s first use', async () => {
    const user = await server.register()
    await database.sql`
      update session_tokens set expires_at = now() + interval '1 minute' where user_id = ${user.userId}`
    const expiry = async () => {
      const [row] = await database.sql`
        select extract(epoch from expires_at - now()) as left from session_tokens where user_id = ${user.userId}`
      return Number(row?.left)
    }
    const { body } = await server.refresh(user.refreshToken)
    expect(await expiry()).toBeLessThan(61)
    await server.refresh(body.refresh_token)
    expect(await expiry()).toBeGreaterThan(3590)
  })

  it('refuses an expired session, and its access tokens', async () => {
    const user = await server.register()
    await database.sql`update session_tokens set expires_at = now() where user_id = ${user.userId}`
    expect(await server.refresh(user.refreshToken)).toMatchObject(refused)
    expect(await works(user.token)).toBe(false)
    await server.sessions.sweep()
    expect(await database.sql`select 1 from session_tokens where user_id = ${user.userId}`).toHaveLength(0)
  })

  it.each([1, 2, 7])('ends the session when a token is used that was spent %i steps ago', async (ago) => {
    const user = await server.register()
    const chain = await follow(user.refreshToken, 8)
    // The last in the chain is not used yet, the one before is in use.
    const spent = chain.at(-2 - ago) ?? ''
    const { body } = await server.refresh(chain.at(-2) ?? '')
    server.published.length = 0
    expect(await server.refresh(spent)).toMatchObject(refused)
    expect(await server.refresh(chain.at(-1) ?? '')).toMatchObject(refused)
    expect(await works(body.token)).toBe(false)
    const [message] = server.published
    expect(message && readControl(message)).toMatchObject({ type: 'sessions_ended', user_id: user.userId })
  })

  it('does not let a guess end a session', async () => {
    const user = await server.register()
    const chain = await follow(user.refreshToken, 4)
    const bytes = Buffer.from(chain.at(-1) ?? '', 'base64url')
    bytes.writeUInt8(bytes.readUInt8(47) ^ 1, 47)
    expect(await server.refresh(bytes.toString('base64url'))).toMatchObject(refused)
    // Made with another server's key.
    const forged = createRefreshTokens({ secret: 'x'.repeat(32) }).start(bytes.toString('hex', 0, 16)).token
    expect(await server.refresh(forged)).toMatchObject(refused)
    expect((await server.refresh(chain.at(-1) ?? '')).status).toBe(200)
  })

  it.each(['', 'x', 'eyJhbGciOiJIUzI1NiJ9.e30.x', 'A'.repeat(64), 'A'.repeat(63), 'A'.repeat(1024)])(
    'refuses %j',
    async (token) => {
      expect((await server.refresh(token)).status).toBe(token === '' ? 400 : 401)
    },
  )

  it('stores no token, only hashes', async () => {
    const user = await server.register()
    const [row] = await database.sql`select * from session_tokens where user_id = ${user.userId}`
    expect(JSON.stringify(row)).not.toContain(user.refreshToken)
    expect(row?.token_hash).toBe(new Bun.CryptoHasher('sha256').update(user.refreshToken).digest('hex'))
  })
})

describe('refreshing after a change of the secret', () => {
  const rotated = () => startApp(database, { passwords, secret: `new ${SECRET}`, previousSecret: SECRET })

  it('accepts the token in use and its successor, whichever key made it', async () => {
    const user = await server.register()
    const chain = await follow(user.refreshToken, 3)
    const after = rotated()
    // In use: the promise of the old key is kept.
    expect((await after.refresh(chain.at(-2) ?? '')).body.refresh_token).toBe(chain.at(-1) ?? '')
    const longer = await follow(chain.at(-1) ?? '', 3, after)
    expect(new Set(longer).size).toBe(4)
  })

  it('recognises spent tokens from before, from after, and across', async () => {
    for (const index of [0, 2, 4, 5]) {
      const user = await server.register()
      const before = await follow(user.refreshToken, 3)
      const after = rotated()
      const chain = [...before.slice(0, -1), ...(await follow(before.at(-1) ?? '', 4, after))]
      expect(await after.refresh(chain[index] ?? '')).toMatchObject(refused)
      expect(await after.refresh(chain.at(-1) ?? '')).toMatchObject(refused)
    }
  })

  it('accepts the token in use even when the previous key is gone, and says always the same', async () => {
    const user = await server.register()
    const later = startApp(database, { passwords, secret: `newest ${SECRET}` })
    const answers = await Promise.all([later.refresh(user.refreshToken), later.refresh(user.refreshToken)])
    const [one, two] = answers.map(({ body }) => body.refresh_token)
    expect(one).toBe(two)
    await follow(one, 3, later)
  })
})

describe('refresh token', () => {
  it('names its session', () => {
    const tokens = createRefreshTokens({ secret: SECRET })
    const id = Bun.randomUUIDv7()
    expect(tokens.sessionOf(tokens.start(id).token)).toBe(id)
    expect(tokens.sessionOf('A'.repeat(65))).toBeUndefined()
  })

  it('costs a bounded search when it is a guess at a session of many generations', () => {
    const tokens = createRefreshTokens({ secret: SECRET, previousSecret: `old ${SECRET}` })
    const id = Bun.randomUUIDv7()
    const state = { ...tokens.start(id).state, generation: 1_000_000 }
    const start = performance.now()
    expect(tokens.judge(tokens.start(id).token, state)).toEqual({ kind: 'unknown' })
    expect(performance.now() - start).toBeLessThan(1000)
  })
})
