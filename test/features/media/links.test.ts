import { describe, expect, it } from 'bun:test'
import { createHmac } from 'node:crypto'
import { createLinks } from '../../../src/features/media/links.ts'

const SECRET = 'a secret that is long enough for one'
const OTHER = 'another secret that is long enough, too'
const PATH = 'uploads/2026/01/15/4pq9sGk2vB0n7XcR1mZyLw.webp'
const ANN = '0190f6a2-7c1e-7000-8000-000000000001'
const BEN = '0190f6a2-7c1e-7000-8000-000000000002'
const at = (instant: string) => () => Date.parse(instant)
const read = (query: string) => Object.fromEntries(new URLSearchParams(query)) as { u: string; t: string; s: string }

describe('a link', () => {
  it.each([
    ['2026-01-15T10:00:00.000Z', '2026-01-15T11:00:00.000Z'],
    ['2026-01-15T10:00:00.001Z', '2026-01-15T12:00:00.000Z'],
    ['2026-01-15T10:30:00.000Z', '2026-01-15T12:00:00.000Z'],
    ['2026-01-15T10:59:59.999Z', '2026-01-15T12:00:00.000Z'],
    ['2026-01-15T23:00:00.000Z', '2026-01-16T00:00:00.000Z'],
  ])('that is made at %s is good until %s: a full hour, one hour ahead at least', (now, until) => {
    const { query, expiresAt } = createLinks({ secret: SECRET, now: at(now) }).sign(PATH, ANN)
    expect(expiresAt.toISOString()).toBe(until)
    expect(read(query)).toMatchObject({ u: ANN, t: String(Date.parse(until) / 1000) })
  })

  it('is the same for an hour, so that caches find it', () => {
    const early = createLinks({ secret: SECRET, now: at('2026-01-15T10:00:01Z') }).sign(PATH, ANN)
    const late = createLinks({ secret: SECRET, now: at('2026-01-15T10:59:59Z') }).sign(PATH, ANN)
    expect(late.query).toBe(early.query)
  })

  it('says whom it is for, until it expires', () => {
    const query = read(createLinks({ secret: SECRET, now: at('2026-01-15T10:30:00Z') }).sign(PATH, ANN).query)
    const verifyAt = (now: string) => createLinks({ secret: SECRET, now: at(now) }).verify(PATH, query)
    expect(verifyAt('2026-01-15T11:59:59.999Z')).toBe(ANN)
    expect(() => verifyAt('2026-01-15T12:00:00.000Z')).toThrow('This link has expired; ask for another one')
  })

  it('opens nothing when anything of it is altered', () => {
    const links = createLinks({ secret: SECRET })
    const good = read(links.sign(PATH, ANN).query)
    const flipped = (good.s[0] === 'A' ? 'B' : 'A') + good.s.slice(1)
    const later = String(Number(good.t) + 3600)
    const altered: [string, Partial<typeof good>][] = [
      [PATH, { u: BEN }],
      [PATH, { u: ANN.toUpperCase() }],
      [PATH, { t: later }],
      [PATH, { t: `0${good.t}` }],
      [PATH, { t: `${good.t}.0` }],
      [PATH, { t: 'Infinity' }],
      [PATH, { t: '' }],
      [PATH, { s: '' }],
      [PATH, { s: flipped }],
      [PATH, { s: good.s.slice(0, -2) }],
      [PATH, { s: `${good.s}AA` }],
      [PATH, { s: 'x'.repeat(100_000) }],
      [PATH.replace('.webp', '_thumb.jpg'), {}],
      [`${PATH}/`, {}],
      [`${PATH}\n${ANN}`, { u: good.t, t: '' }],
    ]
    for (const [path, changes] of altered) {
      expect(() => links.verify(path, { ...good, ...changes })).toThrow('This link is not valid')
    }
    expect(links.verify(PATH, good)).toBe(ANN)
  })

  it('of before a change of the secret is good while the one before is known', () => {
    const query = read(createLinks({ secret: OTHER }).sign(PATH, ANN).query)
    expect(createLinks({ secret: SECRET, previousSecret: OTHER }).verify(PATH, query)).toBe(ANN)
    expect(() => createLinks({ secret: SECRET }).verify(PATH, query)).toThrow('not valid')
    const fresh = read(createLinks({ secret: SECRET, previousSecret: OTHER }).sign(PATH, ANN).query)
    expect(createLinks({ secret: SECRET }).verify(PATH, fresh)).toBe(ANN)
  })

  it('is not signed with the secret itself, which signs tokens', () => {
    const { u, t, s } = read(createLinks({ secret: SECRET }).sign(PATH, ANN).query)
    const plain = createHmac('sha256', SECRET).update(`${PATH}\n${u}\n${t}`).digest('base64url')
    expect(s).not.toBe(plain)
  })
})
