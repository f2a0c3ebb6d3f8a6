import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { sessionsEnded } from '../../../src/bus/control.ts'
import { fakePasswords, newAddress, openDatabase, PASSWORD, startApp } from './support.ts'

let database: Awaited<ReturnType<typeof openDatabase>>
let server: ReturnType<typeof startApp>
const { passwords } = fakePasswords()
beforeAll(async () => {
  database = await openDatabase()
  server = startApp(database, { passwords })
})
afterAll(() => database.close())

const status = async (token: string, on = server) => (await on.call('GET', '/users/me', { token })).status
const ended = { status: 401, body: { error: 'This session has ended; sign in again' } }

describe('sessions', () => {
  it('end with the logout, access token and refresh token at once', async () => {
    const user = await server.register()
    expect(await status(user.token)).toBe(200)
    const answer = await server.call('POST', '/auth/logout', { token: user.token })
    expect(answer).toMatchObject({ status: 200, body: { message: 'Logged out successfully' } })
    expect(await server.call('GET', '/users/me', { token: user.token })).toMatchObject(ended)
    expect((await server.refresh(user.refreshToken)).status).toBe(401)
    const [entry] =
      await database.sql`select action from audit_logs where user_id = ${user.userId} and action = 'logout'`
    expect(entry).toBeDefined()
  })

  it('are listed with where they are from, the current one marked', async () => {
    const user = await server.register()
    const address = newAddress()
    const body = { phone_or_email: user.phone, password: PASSWORD }
    await server.call('POST', '/auth/login', { body, address, agent: 'Phone' })
    const answer = await server.call('GET', '/auth/sessions', { token: user.token })
    expect(answer.status).toBe(200)
    const [latest, first] = answer.body.sessions
    expect(latest).toMatchObject({ user_agent: 'Phone', ip_address: address, is_current: false })
    expect(first).toMatchObject({ user_agent: null, is_current: true })
    const names = ['created_at', 'expires_at', 'id', 'ip_address', 'is_current', 'last_used_at', 'user_agent']
    expect(Object.keys(first).sort()).toEqual(names)
  })

  it('can be ended one by one, by their user alone', async () => {
    const user = await server.register()
    const stranger = await server.register()
    const second = await server.login(user.phone)
    const list = await server.call('GET', '/auth/sessions', { token: second.body.token })
    const { id } = list.body.sessions.find((session: { is_current: boolean }) => session.is_current)
    const foreign = await server.call('DELETE', `/auth/sessions/${id}`, { token: stranger.token })
    expect(foreign).toMatchObject({ status: 404, body: { error: 'Session not found' } })
    expect((await server.call('DELETE', `/auth/sessions/${id}`, { token: user.token })).status).toBe(200)
    expect(await status(second.body.token)).toBe(401)
    expect(await status(user.token)).toBe(200)
    expect((await server.call('DELETE', `/auth/sessions/${id}`, { token: user.token })).status).toBe(404)
    expect((await server.call('DELETE', '/auth/sessions/1', { token: user.token })).body.details).toEqual({
      id: 'must be a UUID in lower case',
    })
  })

  it('can all be ended but the current one', async () => {
    const user = await server.register()
    const others = await Promise.all([server.login(user.phone), server.login(user.phone)])
    expect((await server.call('DELETE', '/auth/sessions', { token: user.token })).status).toBe(200)
    expect(await Promise.all(others.map(({ body }) => status(body.token)))).toEqual([401, 401])
    expect(await status(user.token)).toBe(200)
  })

  it('that end elsewhere are over here as soon as the bus says so, and within 30 s when it does not', async () => {
    let time = Date.now()
    const { createSessions } = await import('../../../src/features/auth/sessions.ts')
    const { db, bus, refreshTokens } = server
    const { log } = await import('./support.ts')
    const here = createSessions({ db, bus, log, refreshTokens, ttlSeconds: 60, now: () => time })
    const alive = async () => {
      const user = await server.register()
      const sessionId = server.refreshTokens.sessionOf(user.refreshToken) ?? ''
      expect(await here.isAlive(sessionId)).toBe(true)
      await database.sql`delete from session_tokens where id = ${sessionId}`
      return { userId: user.userId, sessionId }
    }
    const told = await alive()
    bus.publish([sessionsEnded(told.userId, [told.sessionId])])
    expect(await here.isAlive(told.sessionId)).toBe(false)

    const untold = await alive()
    time += 29_000
    expect(await here.isAlive(untold.sessionId)).toBe(true)
    time += 1_001
    expect(await here.isAlive(untold.sessionId)).toBe(false)
  })

  it('that end while the database is asked whether they live are over', async () => {
    const user = await server.register()
    const sessionId = server.refreshTokens.sessionOf(user.refreshToken) ?? ''
    const fresh = startApp(database, { passwords })
    const answer = fresh.sessions.isAlive(sessionId)
    fresh.sessions.announceEnded(user.userId, [sessionId])
    expect(await answer).toBe(false)
    expect(await fresh.sessions.isAlive(sessionId)).toBe(false)
  })

  it('are asked for by the thousand in one query', async () => {
    const user = await server.register()
    const id = server.refreshTokens.sessionOf(user.refreshToken) ?? ''
    const many = Array.from({ length: 70_000 }, () => Bun.randomUUIDv7())
    expect(await server.sessions.listAlive([...many, id])).toEqual(new Set([id]))
    expect(await server.sessions.listAlive([])).toEqual(new Set())
  })
})
