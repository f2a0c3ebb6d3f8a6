import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { Answer, Json, TestUser } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { addUsers, overviewOf } from '../chats/support.ts'
import { addChannel, nobody, readBoth, subscribe } from './support.ts'

let server: TestServer
let owner: TestUser
let admin: TestUser
let reader: TestUser
let stranger: TestUser
beforeAll(async () => {
  server = await startServer()
  ;[owner, admin, reader, stranger] = (await addUsers(server, 4)) as [TestUser, TestUser, TestUser, TestUser]
})
afterAll(() => server.stop())

/** With an admin and a plain subscriber. */
async function makeChannel(fields: Record<string, unknown> = {}): Promise<string> {
  const { id } = await addChannel(owner, fields)
  await owner.post(`/chats/${id}/members`, { user_ids: [admin.id, reader.id] })
  await owner.patch(`/chats/${id}/members/${admin.id}`, { role: 'admin' })
  return id
}

/** All that a client can tell answers apart by. */
function visible({ status, headers, body }: Answer): unknown {
  const told = Object.fromEntries([...headers].filter(([name]) => name !== 'date' && name !== 'x-request-id'))
  return { status, headers: told, body }
}

describe('a new channel', () => {
  it('is public, with its creator as owner and only subscriber', async () => {
    const { status, body } = await owner.post('/channels', { name: 'News', description: 'Official' })
    expect({ status, body }).toEqual({
      status: 201,
      body: {
        id: expect.any(String),
        name: 'News',
        description: 'Official',
        avatar_url: null,
        owner_id: owner.id,
        is_public: true,
        is_read_only: false,
        subscriber_count: 1,
        created_at: expect.stringMatching(/^\d{4}-.*Z$/),
        is_subscribed: true,
        role: 'owner',
      },
    })
    expect((await owner.get(`/channels/${body.id}`)).body).toEqual(body)
    const chat = { type: 'channel', name: 'News', owner_id: owner.id, member_count: 1, role: 'owner', unread_count: 0 }
    expect(await overviewOf(owner, body.id)).toMatchObject(chat)
    expect(await readBoth(server, body.id)).toEqual({
      chat: ['News', owner.id, 1],
      channel: ['News', owner.id, 1],
      members: 1,
    })
  })

  it('is told to the sockets of its creator', async () => {
    const socket = await owner.socket()
    const { id } = await addChannel(owner)
    expect(await socket.next('chat_created')).toMatchObject({ chat_id: id, chat: { type: 'channel', role: 'owner' } })
    await socket.close()
  })

  it('may be private and without a description', async () => {
    expect(await addChannel(owner, { is_public: false })).toMatchObject({ is_public: false, description: null })
    expect(await addChannel(owner, { description: null })).toMatchObject({ is_public: true, description: null })
  })

  const long = '😀'.repeat(501)
  const faults: [string, unknown, string][] = [
    ['no name', { description: 'x' }, 'name'],
    ['an empty name', { name: '' }, 'name'],
    ['a name of 256', { name: 'x'.repeat(256) }, 'name'],
    ['a name with U+0000', { name: 'a\u0000b' }, 'name'],
    ['a name that is null', { name: null }, 'name'],
    ['a name that is a number', { name: 5 }, 'name'],
    ['a description of 501', { name: 'x', description: long }, 'description'],
    ['a description that is a number', { name: 'x', description: 5 }, 'description'],
    ['a description with a lone surrogate', { name: 'x', description: '\ud800' }, 'description'],
    ['is_public as text', { name: 'x', is_public: 'true' }, 'is_public'],
    ['is_public as null', { name: 'x', is_public: null }, 'is_public'],
    ['is_public as a number', { name: 'x', is_public: 1 }, 'is_public'],
  ]
  it.each(faults)('is refused with %s, naming the field', async (_, body, field) => {
    const answer = await owner.post('/channels', body)
    expect({ status: answer.status, fields: Object.keys(answer.body.details) }).toEqual({
      status: 400,
      fields: [field],
    })
    const { id } = await addChannel(owner)
    const patched = await owner.patch(`/channels/${id}`, body)
    const isRequired = field === 'name' && !Object.hasOwn(body as object, 'name')
    expect(patched.status).toBe(isRequired ? 200 : 400)
  })

  it('takes 255 and 500 code points, whatever they are, as they are', async () => {
    const fields = { name: '😀'.repeat(255), description: '😀'.repeat(500) }
    expect(await addChannel(owner, fields)).toMatchObject(fields)
    expect(await addChannel(owner, { description: '' })).toMatchObject({ description: '' })
  })
})

describe('one channel', () => {
  it('is shown to everybody while it is public, with how they stand to it', async () => {
    const id = await makeChannel()
    const seen = async (user: TestUser) => {
      const { body } = await user.get(`/channels/${id}`)
      return [body.is_subscribed, body.role, body.subscriber_count]
    }
    expect(await seen(owner)).toEqual([true, 'owner', 3])
    expect(await seen(admin)).toEqual([true, 'admin', 3])
    expect(await seen(reader)).toEqual([true, 'member', 3])
    expect(await seen(stranger)).toEqual([false, null, 3])
  })

  it('shows its posts to nobody who has not subscribed', async () => {
    const id = await makeChannel()
    await owner.post('/messages', { chat_id: id, content: 'secret' })
    for (const path of [`/chats/${id}`, `/chats/${id}/messages`, `/chats/${id}/changes`])
      expect(await stranger.get(path)).toMatchObject({ status: 404, body: { error: 'Chat not found' } })
    const { body } = await stranger.post('/sync', { chats: { [id]: { seq: 0, rev: 0 } } })
    expect(body).toEqual({ chats: [], gone: [id] })
    expect(JSON.stringify((await stranger.get(`/channels/${id}`)).body)).not.toContain('secret')
  })

  it('answers, when it is private, as one that is not there', async () => {
    const id = await makeChannel({ is_public: false })
    const group = await server.addGroup(owner)
    const ask: [string, string, unknown?][] = [
      ['GET', '/channels/ID'],
      ['PATCH', '/channels/ID', { name: 'x' }],
      ['POST', '/channels/ID/subscribe'],
      ['DELETE', '/channels/ID/subscribe'],
    ]
    for (const [method, path, body] of ask) {
      const answers = await Promise.all(
        [id, nobody(), group].map((one) => stranger.call(method, path.replace('ID', one), body)),
      )
      const [first] = answers.map(visible)
      expect(first).toMatchObject({ status: 404, body: { error: 'Channel not found', details: {} } })
      expect(answers.map(visible)).toEqual([first, first, first])
    }
    expect((await reader.get(`/channels/${id}`)).body).toMatchObject({ is_public: false, role: 'member' })
  })

  it('has an id, or is named as faulty', async () => {
    for (const id of ['x', 'me', nobody().toUpperCase()])
      expect(await owner.get(`/channels/${id}`)).toMatchObject({
        status: 400,
        body: { details: { id: expect.any(String) } },
      })
  })
})

describe('changing a channel', () => {
  it('is for owner and admins; the rest stays', async () => {
    const id = await makeChannel({ description: 'old' })
    const renamed = await admin.patch(`/channels/${id}`, { name: 'Renamed' })
    expect(renamed).toMatchObject({ status: 200, body: { name: 'Renamed', description: 'old', is_public: true } })
    const emptied = await owner.patch(`/channels/${id}`, { description: null })
    expect(emptied).toMatchObject({ status: 200, body: { name: 'Renamed', description: null, role: 'owner' } })
    for (const user of [reader, stranger]) {
      const answer = await user.patch(`/channels/${id}`, { name: 'x' })
      expect(answer).toMatchObject({ status: 403, body: { error: 'You may not manage this channel' } })
    }
    expect((await overviewOf(reader, id)).name).toBe('Renamed')
    expect((await owner.patch(`/channels/${id}`, {})).body).toMatchObject({ name: 'Renamed', description: null })
  })

  it('is told to its subscribers: what was changed, once', async () => {
    const id = await makeChannel()
    const [mine, theirs] = await Promise.all([owner.socket(), reader.socket()])
    // What is no field of a channel goes nowhere.
    const strange = { type: 'session_revoked', chat_id: nobody(), owner_id: reader.id, subscriber_count: 9 }
    await owner.patch(`/channels/${id}`, { ...strange, description: 'new', is_public: false })
    await owner.patch(`/channels/${id}`, {})
    await admin.patch(`/channels/${id}`, { name: 'New' })
    await owner.patch(`/chats/${id}`, { name: 'Newer' })
    for (const socket of [mine, theirs]) {
      await socket.settle()
      expect(socket.all('chat_updated')).toEqual([
        { type: 'chat_updated', chat_id: id, description: 'new', is_public: false },
        { type: 'chat_updated', chat_id: id, name: 'New' },
        { type: 'chat_updated', chat_id: id, name: 'Newer' },
      ])
      await socket.close()
    }
  })

  it('hides it from those who have not subscribed, once it is private', async () => {
    const id = await makeChannel({ name: 'Soon hidden' })
    await owner.patch(`/channels/${id}`, { is_public: false })
    expect((await stranger.get(`/channels/${id}`)).status).toBe(404)
    expect((await stranger.get('/channels?q=soon hidden')).body.channels).toEqual([])
    expect((await reader.get(`/channels/${id}`)).status).toBe(200)
    await owner.patch(`/channels/${id}`, { is_public: true })
    expect((await stranger.get('/channels?q=soon hidden')).body.channels).toHaveLength(1)
  })
})

describe('the list', () => {
  const find = async (query: string): Promise<Json> => (await stranger.get(`/channels?${query}`)).body
  const namesOf = ({ channels }: Json) => channels.map(({ name }: Json) => name)

  it('finds public channels by any part of their name, in any case', async () => {
    for (const name of ['Weather Vienna', 'weather graz', 'Новости', '100% sure', 'a_b', 'axb', 'back\\slash'])
      await addChannel(owner, { name })
    await addChannel(owner, { name: 'weather secret', is_public: false })
    expect(namesOf(await find('q=WEATHER')).sort()).toEqual(['Weather Vienna', 'weather graz'])
    expect(namesOf(await find('q=ienn'))).toEqual(['Weather Vienna'])
    expect(namesOf(await find(`q=${encodeURIComponent('новости')}`))).toEqual(['Новости'])
    // What means something in a pattern is a letter here.
    expect(namesOf(await find('q=100%25'))).toEqual(['100% sure'])
    expect(namesOf(await find('q=a_b'))).toEqual(['a_b'])
    expect(namesOf(await find('q=back%5Cs'))).toEqual(['back\\slash'])
    expect(namesOf(await find('q=no such name'))).toEqual([])
  })

  it('never shows a private one, its subscribers included', async () => {
    const id = await makeChannel({ name: 'kept private', is_public: false })
    for (const user of [owner, reader, stranger]) {
      expect((await user.get('/channels?q=kept private')).body.channels).toEqual([])
      const { body } = await user.get('/channels?limit=100')
      expect(body.channels.map((channel: Json) => channel.id)).not.toContain(id)
    }
  })

  it('has pages, those with the most subscribers first, with how one stands to each', async () => {
    const ids: string[] = []
    for (let n = 0; n < 7; n++) ids.push((await addChannel(owner, { name: `paged ${n}` })).id)
    await subscribe(ids[3] ?? '', admin, reader, stranger)
    await subscribe(ids[5] ?? '', stranger)
    const pages: Json[] = []
    for (let cursor = ''; pages.length === 0 || cursor; ) {
      const page = await find(`q=paged&limit=2${cursor && `&cursor=${cursor}`}`)
      pages.push(page)
      cursor = page.next_cursor ?? ''
    }
    expect(pages.map(({ has_more }) => has_more)).toEqual([true, true, true, false])
    const found = pages.flatMap(({ channels }) => channels)
    expect(found.map(({ id }) => id)).toEqual([3, 5, 6, 4, 2, 1, 0].map((n) => ids[n] ?? ''))
    expect(found.slice(0, 3)).toMatchObject([
      { subscriber_count: 4, is_subscribed: true, role: 'member' },
      { subscriber_count: 2, is_subscribed: true, role: 'member' },
      { subscriber_count: 1, is_subscribed: false, role: null },
    ])
    expect((await owner.get('/channels?q=paged')).body.channels[0]).toMatchObject({ role: 'owner' })
  })

  it('without a part of a name has them all', async () => {
    const all = await find('limit=100')
    expect(all.channels.length).toBeGreaterThan(10)
    expect(await find('limit=100&q=')).toEqual(all)
  })

  const faults: [string, string][] = [
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['cursor=x', 'cursor'],
    [`cursor=${Buffer.from(`-1 ${nobody()}`).toString('base64url')}`, 'cursor'],
    [`cursor=${Buffer.from(`99999999999 ${nobody()}`).toString('base64url')}`, 'cursor'],
    [`q=${'x'.repeat(256)}`, 'q'],
    ['q=%00', 'q'],
  ]
  it.each(faults)('refuses %.20s, naming the field', async (query, field) => {
    const { status, body } = await stranger.get(`/channels?${query}`)
    expect({ status, fields: Object.keys(body.details) }).toEqual({ status: 400, fields: [field] })
  })
})
