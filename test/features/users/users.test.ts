import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { createLastSeen } from '../../../src/features/users/last-seen.ts'
import { createLog } from '../../../src/observability/log.ts'
import { fakePasswords, newNames, openDatabase, startApp } from '../auth/support.ts'

let database: Awaited<ReturnType<typeof openDatabase>>
let server: ReturnType<typeof startApp>
const { passwords } = fakePasswords()
beforeAll(async () => {
  database = await openDatabase()
  server = startApp(database, { passwords })
})
afterAll(() => database.close())

type User = Awaited<ReturnType<typeof server.register>>
const update = (user: User, body: unknown) => server.call('PATCH', '/users/me', { token: user.token, body })

describe('profiles', () => {
  it('show oneself the phone and the e-mail', async () => {
    const user = await server.register({ email: 'me@example.com' })
    const { status, body } = await server.call('GET', '/users/me', { token: user.token })
    expect(status).toBe(200)
    expect(body).toEqual({
      id: user.userId,
      phone: user.phone,
      email: 'me@example.com',
      username: user.username,
      avatar_url: null,
      bio: null,
      created_at: expect.any(String),
      is_premium: false,
      last_seen: null,
      is_deleted: false,
      upload_max_bytes: 0,
    })
    expect(new Date(body.created_at).toISOString()).toBe(body.created_at)
  })

  it('of mine are read from the database once, until something of them changes', async () => {
    const user = await server.register()
    const me = async () => (await server.call('GET', '/users/me', { token: user.token })).body
    const { sql } = database
    await me()
    // Behind the server's back: it shows whether it looked.
    await sql`update users set bio = 'unnoticed' where id = ${user.userId}`
    expect((await me()).bio).toBeNull()
    await update(user, { username: `renamed_${user.userId.slice(-12)}` })
    expect(await me()).toMatchObject({ username: `renamed_${user.userId.slice(-12)}`, bio: 'unnoticed' })
    await update(user, { bio: 'mine' })
    const changed = [await me(), await me(), await me()]
    expect(changed.map(({ bio }) => bio)).toEqual(['mine', 'mine', 'mine'])
    expect(changed[2]).toEqual(changed[0])
  })

  it('show others what is public and no more', async () => {
    const [user, other] = [await server.register(), await server.register()]
    const { status, body } = await server.call('GET', `/users/${user.userId}`, { token: other.token })
    expect(status).toBe(200)
    const names = ['avatar_url', 'bio', 'id', 'is_deleted', 'is_premium', 'last_seen', 'username']
    expect(Object.keys(body).sort()).toEqual(names)
  })

  it('of deleted accounts are nulls', async () => {
    const [user, other] = [await server.register(), await server.register()]
    await server.call('DELETE', '/users/me', { token: user.token })
    const { status, body } = await server.call('GET', `/users/${user.userId}`, { token: other.token })
    expect(status).toBe(200)
    const nothing = { username: null, avatar_url: null, bio: null, is_premium: false, last_seen: null }
    expect(body).toEqual({ id: user.userId, ...nothing, is_deleted: true })
  })

  it('of several come together, each as alone; those of nobody are left out', async () => {
    const users = await Promise.all([server.register(), server.register(), server.register()])
    const [user, gone, viewer] = users
    await server.call('DELETE', '/users/me', { token: gone.token })
    const list = (ids: string[]) => server.call('GET', `/users?ids=${ids.join(',')}`, { token: viewer.token })
    const ids = [user.userId, gone.userId, viewer.userId]
    const { status, body } = await list([...ids, Bun.randomUUIDv7(), user.userId])
    const alone = await Promise.all(ids.map((id) => server.call('GET', `/users/${id}`, { token: viewer.token })))
    expect(status).toBe(200)
    const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1)
    expect(body.users.sort(byId)).toEqual(alone.map((one) => one.body).sort(byId))
    expect((await list([Bun.randomUUIDv7()])).body).toEqual({ users: [] })
  })

  it('of several are asked for by 1 to 100 ids', async () => {
    const { token } = await server.register()
    const id = Bun.randomUUIDv7()
    const ask = (query: string) => server.call('GET', `/users${query}`, { token })
    for (const query of ['', '?ids=', '?ids=1', `?ids=${id},`, `?ids=${id};${id}`, `?ids=${Array(101).fill(id)}`])
      expect(await ask(query)).toMatchObject({
        status: 400,
        body: { details: { ids: 'must be 1 to 100 user ids with commas between' } },
      })
    expect((await ask(`?ids=${Array(100).fill(id)}`)).status).toBe(200)
  })

  it('of nobody are 404, and of no UUID 400', async () => {
    const { token } = await server.register()
    const nobody = await server.call('GET', `/users/${Bun.randomUUIDv7()}`, { token })
    expect(nobody).toMatchObject({ status: 404, body: { error: 'User not found' } })
    expect((await server.call('GET', '/users/1', { token })).body.details).toEqual({
      user_id: 'must be a UUID in lower case',
    })
  })
})

describe('changing the profile', () => {
  it('changes what is sent, and null clears', async () => {
    const user = await server.register()
    const { username } = newNames()
    const first = await update(user, { username, bio: 'Привет 👋' })
    expect(first.status).toBe(200)
    expect(first.body).toEqual({
      id: user.userId,
      username,
      bio: 'Привет 👋',
      avatar_url: null,
      updated_at: expect.any(String),
    })
    expect((await update(user, { bio: null })).body).toMatchObject({ username, bio: null })
    const [entry] = await database.sql`
      select details from audit_logs where user_id = ${user.userId} and action = 'profile_update' order by id limit 1`
    expect(entry?.details).toEqual({ fields: ['username', 'bio'] })
  })

  it('keeps usernames apart, in any case, under races too', async () => {
    const [one, two, three] = [await server.register(), await server.register(), await server.register()]
    const taken = await update(two, { username: one.username.toUpperCase() })
    expect(taken).toMatchObject({ status: 409, body: { details: { username: 'is already taken' } } })
    const { username } = newNames()
    const answers = await Promise.all([one, two, three].map((user) => update(user, { username })))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409])
    const own = await update(one, { username: one.username.toUpperCase() })
    expect(own.status).toBe(200)
  })

  const faults: [string, Record<string, unknown>][] = [
    ['a username of 2', { username: 'ab' }],
    ['a username that is null', { username: null }],
    ['a bio of 501', { bio: 'x'.repeat(501) }],
    ['a bio with U+0000', { bio: 'a\u0000b' }],
    ['a bio that is a number', { bio: 5 }],
    ['an avatar that is a number', { avatar: 5 }],
    ['several at once', { username: '!', bio: 5, avatar: 5 }],
  ]
  it.each(faults)('refuses %s', async (_, body) => {
    const answer = await update(await server.register(), body)
    expect(answer.status).toBe(400)
    expect(Object.keys(answer.body.details)).toEqual(Object.keys(body))
  })

  it('counts a bio in characters as people see them', async () => {
    expect((await update(await server.register(), { bio: '👋'.repeat(500) })).status).toBe(200)
  })

  it('removes the avatar by null', async () => {
    const user = await server.register()
    await database.sql`update users set avatar_url = 'https://chat.example.org/a.webp' where id = ${user.userId}`
    expect((await update(user, { avatar: null })).body.avatar_url).toBeNull()
  })
})

describe('finding people', () => {
  const search = async (user: User, q: string) => {
    const { status, body } = await server.call('GET', `/users/search?q=${encodeURIComponent(q)}`, { token: user.token })
    return { status, names: body.users?.map((found: { username: string }) => found.username), body }
  }

  it('goes by the start of the username in any case, exact ones first', async () => {
    const me = await server.register({ username: 'Zoe_me' })
    for (const username of ['zoe_b', 'Zoe_A', 'Zoe', 'zoX_c']) await server.register({ username })
    expect((await search(me, 'ZOE')).names).toEqual(['Zoe', 'Zoe_A', 'zoe_b'])
    // An underscore is itself, not any character.
    expect((await search(me, 'zo_')).names).toEqual([])
    expect((await search(me, 'zo%')).names).toEqual([])
  })

  it('goes by the exact phone and e-mail, which are not shown', async () => {
    const [me, other] = [await server.register(), await server.register({ email: 'Find.Me@example.com' })]
    expect((await search(me, other.phone)).names).toEqual([other.username])
    expect((await search(me, 'find.me@EXAMPLE.com')).names).toEqual([other.username])
    expect((await search(me, 'find.me@example')).names).toEqual([])
    expect((await search(me, other.phone.slice(0, -1))).names).toEqual([])
    const raw = await server.call('GET', `/users/search?q=${other.phone}`, { token: me.token })
    expect(raw.body.users).toHaveLength(1)
    expect(JSON.stringify(raw.body)).not.toContain(other.phone)
  })

  it('leaves out deleted and disabled accounts', async () => {
    const [me, gone, off] = [await server.register(), await server.register(), await server.register()]
    await server.call('DELETE', '/users/me', { token: gone.token })
    await server.accounts.disable(off.userId)
    expect((await search(me, gone.username)).names).toEqual([])
    expect((await search(me, off.username)).names).toEqual([])
  })

  it('answers 20 at most, and asks for 2 characters', async () => {
    const me = await server.register()
    await database.sql`
      insert into users (id, phone, username, password_hash)
      select gen_random_uuid(), '+4420' || n, 'crowd_' || n, '!' from generate_series(1000, 1030) n`
    expect((await search(me, 'crowd')).names).toHaveLength(20)
    expect((await search(me, 'c')).body.details).toHaveProperty('q')
    expect((await search(me, '  c ')).body.details).toHaveProperty('q')
    expect((await server.call('GET', '/users/search', { token: me.token })).status).toBe(400)
  })

  it('uses the indexes, however many accounts there are', async () => {
    await database.sql`
      insert into users (id, phone, username, password_hash)
      select gen_random_uuid(), '+7900' || n, 'many_' || n, '!' from generate_series(1, 20000) n`
    await database.sql`analyze users`
    const plan = await database.sql`
      explain select id from users where (lower(username) like 'many\\_1999%' or phone = 'x' or lower(email) = lower('x'))
      and deleted_at is null`
    expect(JSON.stringify(plan)).not.toContain('Seq Scan')
  })
})

describe('what other features ask', () => {
  it('is answered for many at once', async () => {
    const [one, two] = [await server.register(), await server.register()]
    await server.call('DELETE', '/users/me', { token: two.token })
    const ids = [one.userId, two.userId, Bun.randomUUIDv7()]
    const existing = await server.db.transaction((tx) => server.users.listExistingIds(tx, ids))
    expect(existing).toEqual([one.userId])
  })
})

describe('last seen', () => {
  const parts = () => ({ db: server.db, log: createLog('error'), profiles: server.users.profiles })
  const seenAt = async (userId: string) => {
    const [row] = await database.sql`select last_seen_at from users where id = ${userId}`
    return row?.last_seen_at?.getTime()
  }

  it('is written once a minute for each user, in one batch', async () => {
    const [one, two] = [await server.register(), await server.register()]
    let time = Date.now() - 600_000
    const lastSeen = createLastSeen({ ...parts(), now: () => time })
    const start = time
    lastSeen.touch(one.userId)
    lastSeen.touch(two.userId)
    await lastSeen.flush()
    expect([await seenAt(one.userId), await seenAt(two.userId)]).toEqual([start, start])
    time += 59_000
    lastSeen.touch(one.userId)
    await lastSeen.flush()
    expect(await seenAt(one.userId)).toBe(start)
    time += 1_000
    lastSeen.touch(one.userId)
    await lastSeen.stop()
    expect(await seenAt(one.userId)).toBe(start + 60_000)
  })

  it('is shown to others as soon as it is written', async () => {
    const [user, viewer] = [await server.register(), await server.register()]
    const shown = async () => (await server.users.profiles.get(viewer.userId, user.userId)).last_seen
    expect(await shown()).toBeNull()
    let time = Date.now() - 600_000
    const lastSeen = createLastSeen({ ...parts(), now: () => time })
    for (let n = 0; n < 3; n++) {
      lastSeen.touch(user.userId)
      await lastSeen.flush()
      expect(await shown()).toBe(new Date(time).toISOString())
      time += 60_000
    }
    await lastSeen.stop()
  })

  it('never moves back', async () => {
    const user = await server.register()
    const later = Date.now()
    await database.sql`update users set last_seen_at = ${new Date(later)} where id = ${user.userId}`
    const lastSeen = createLastSeen({ ...parts(), now: () => later - 60_000 })
    lastSeen.touch(user.userId)
    await lastSeen.stop()
    expect(await seenAt(user.userId)).toBe(later)
  })

  it('is kept for the next flush when the database fails, and logged', async () => {
    const lines: string[] = []
    const user = await server.register()
    const broken = await openDatabase()
    await broken.sql`alter table users rename to users_away`
    const lastSeen = createLastSeen({ ...parts(), db: broken.db, log: createLog('warn', (line) => lines.push(line)) })
    lastSeen.touch(user.userId)
    await lastSeen.flush()
    expect(lines).toHaveLength(1)
    await broken.sql`alter table users_away rename to users`
    await broken.sql`insert into users (id, phone, password_hash) values (${user.userId}, '+15551234', '!')`
    await lastSeen.stop()
    expect(lines).toHaveLength(1)
    const [row] = await broken.sql`select last_seen_at from users`
    expect(row?.last_seen_at).toBeInstanceOf(Date)
    await broken.close()
  })
})
