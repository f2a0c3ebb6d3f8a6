import { describe, expect, it } from 'bun:test'
import { createHmac } from 'node:crypto'
import { createTokens } from '../../../src/features/auth/tokens.ts'

const secret = 'a secret of at least thirty-two bytes'
const otherSecret = 'another secret of thirty-two bytes or more'
const userId = Bun.randomUUIDv7()
const sessionId = Bun.randomUUIDv7()
const now = () => Math.floor(Date.now() / 1000)
const tokens = createTokens({ secret, ttlSeconds: 60 })

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const good = () => ({
  sub: userId,
  sid: sessionId,
  typ: 'access',
  iss: 'messenger',
  aud: 'messenger',
  iat: now(),
  exp: now() + 60,
})
/** A token made by hand. */
function forge(changes: object = {}, key = secret, header: object = { alg: 'HS256', typ: 'JWT' }, hash = 'sha256') {
  const content = `${encode(header)}.${encode({ ...good(), ...changes })}`
  return `${content}.${createHmac(hash, key).update(content).digest('base64url')}`
}

describe('access tokens', () => {
  it('say who calls, from which session, and until when', async () => {
    const claims = await tokens.verify(await tokens.issue(userId, sessionId))
    expect(claims).toMatchObject({ userId, sessionId })
    expect(Math.abs((claims?.expiresAt ?? 0) - now() - 60)).toBeLessThanOrEqual(1)
  })

  it('carry the claims that others may check', async () => {
    const [header = '', payload = ''] = (await tokens.issue(userId, sessionId)).split('.')
    const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString())
    expect(read(header)).toEqual({ alg: 'HS256', typ: 'JWT' })
    expect(Object.keys(read(payload)).sort()).toEqual(['aud', 'exp', 'iat', 'iss', 'sid', 'sub', 'typ'])
  })

  it('made by hand with the right key and claims are good: the forger of these tests works', async () => {
    expect(await tokens.verify(forge())).toMatchObject({ userId, sessionId })
  })

  const forged: [string, () => string][] = [
    ['with no signature (alg none)', () => `${encode({ alg: 'none' })}.${encode(good())}.`],
    ['whose header says none, signed all the same', () => forge({}, secret, { alg: 'none' })],
    ['of HS512 with the right key', () => forge({}, secret, { alg: 'HS512' }, 'sha512')],
    ['of another key', () => forge({}, otherSecret)],
    ['of the empty key', () => forge({}, '')],
    ['that expired', () => forge({ exp: now() - 1 })],
    ['that never expires', () => forge({ exp: undefined })],
    ['of another issuer', () => forge({ iss: 'somebody' })],
    ['without issuer', () => forge({ iss: undefined })],
    ['for another audience', () => forge({ aud: 'somebody' })],
    ['of another type', () => forge({ typ: 'refresh' })],
    ['without type', () => forge({ typ: undefined })],
    ['without session', () => forge({ sid: undefined })],
    ['whose user is no UUID', () => forge({ sub: "' or 1=1 --" })],
    ['whose session is no UUID', () => forge({ sid: 42 })],
    ['not valid yet', () => forge({ nbf: now() + 60 })],
    ['with a critical header of unknown meaning', () => forge({}, secret, { alg: 'HS256', crit: ['x'], x: 1 })],
    ['of nothing', () => ''],
    ['of two parts', () => 'a.b'],
  ]
  it.each(forged)('are refused %s', async (_, make) => {
    expect(await tokens.verify(make())).toBeUndefined()
  })

  it('are refused when a byte of the content was changed', async () => {
    const [header, payload, signature] = (await tokens.issue(userId, sessionId)).split('.')
    const other = encode({ ...JSON.parse(Buffer.from(payload ?? '', 'base64url').toString()), sub: Bun.randomUUIDv7() })
    expect(await tokens.verify(`${header}.${other}.${signature}`)).toBeUndefined()
  })

  it('are refused once they expire, even if they were seen before', async () => {
    const token = forge({ exp: now() + 1 })
    expect(await tokens.verify(token)).toBeDefined()
    await Bun.sleep(1100)
    expect(await tokens.verify(token)).toBeUndefined()
  })

  it('go on working after the secret is changed, while the previous one is set', async () => {
    const old = await tokens.issue(userId, sessionId)
    const during = createTokens({ secret: otherSecret, previousSecret: secret, ttlSeconds: 60 })
    expect(await during.verify(old)).toMatchObject({ userId })
    const renewed = await during.issue(userId, sessionId)
    expect(await tokens.verify(renewed)).toBeUndefined()
    const after = createTokens({ secret: otherSecret, ttlSeconds: 60 })
    expect(await after.verify(renewed)).toMatchObject({ userId })
    expect(await after.verify(old)).toBeUndefined()
  })
})
