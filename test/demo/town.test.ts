/** The town that `messenger seed-demo` has filled beside a running server, as one of its people finds it by REST. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { emailOf, names, usernameOf } from '../../src/demo/people.ts'
import { stories } from '../../src/demo/seed.ts'
import type { ChatOverview } from '../../src/features/chats/model.ts'
import type { Message } from '../../src/features/messages/model.ts'
import { run } from '../commands/process.ts'
import { startServer, TEST_SECRET, type TestServer } from '../support/server.ts'

const PASSWORD = 'Harbour-Lane-12'
const PATIENCE_MS = 180_000
const DAY_MS = 24 * 3600 * 1000

let server: TestServer
let seeding: Awaited<ReturnType<typeof run>>
let token: string
let chats: ChatOverview[]
const histories = new Map<string, Message[]>()

const command = (args: string[], input = '') => {
  const { DATABASE_URL = '', DATA_DIR } = server.config
  return run(['seed-demo', ...args], { DATABASE_URL, DATA_DIR, JWT_SECRET: TEST_SECRET }, input)
}
const request = (path: string, init: RequestInit = {}) =>
  fetch(`${server.url}/api/v1${path}`, {
    ...init,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
  })
const get = async <T>(path: string): Promise<T> => {
  const answer = await request(path)
  expect(answer.status).toBe(200)
  return (await answer.json()) as T
}
const signIn = async (email: string, password: string) => {
  const answer = await fetch(`${server.url}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ phone_or_email: email, password }),
  })
  return { status: answer.status, body: (await answer.json()) as { token: string } }
}
const chatNamed = (name: string) => {
  const found = chats.find((chat) => chat.name === name || chat.peer?.username === name)
  if (!found) throw new Error(`There is no chat ${name}`)
  return found
}
const historyOf = (name: string) => histories.get(chatNamed(name).id) ?? []
const all = () => [...histories.values()].flat()

beforeAll(async () => {
  server = await startServer()
  seeding = await command(['--password-stdin'], `${PASSWORD}\n`)
  const { status, body } = await signIn('nora@example.com', PASSWORD)
  expect(status).toBe(200)
  token = body.token
  chats = (await get<{ chats: ChatOverview[] }>('/chats?limit=100')).chats
  for (const { id } of chats) {
    const page = await get<{ messages: Message[]; has_more: boolean }>(`/chats/${id}/messages?after_seq=0&limit=100`)
    expect(page.has_more).toBe(false)
    histories.set(id, page.messages)
  }
}, PATIENCE_MS)
afterAll(() => server.stop())

describe('messenger seed-demo', () => {
  it('says who may sign in, and does not repeat a password that was given', () => {
    const { code, out } = seeding
    expect(code).toBe(0)
    expect(out).toContain('nora@example.com')
    expect(out).toStartWith(`${names.length} people, ${stories.length} chats and `)
    expect(out).not.toContain(PASSWORD)
  })

  it(
    'opens every account with the password',
    async () => {
      const { status } = await signIn(emailOf('ida'), PASSWORD)
      expect(status).toBe(200)
    },
    PATIENCE_MS,
  )

  it(
    'refuses a second run, names the way out, and changes nothing',
    async () => {
      const before = await server.database.sql`select count(*)::int as count from messages`
      const { code, out, err } = await command([])
      expect({ code, out }).toEqual({ code: 1, out: '' })
      expect(err).toContain('There are accounts here already')
      expect(err).toContain('DATA_DIR=')
      expect(await server.database.sql`select count(*)::int as count from messages`).toEqual(before)
    },
    PATIENCE_MS,
  )
})

describe('the chat list', () => {
  it('has direct chats, groups and channels, the newest first, with names or people', () => {
    expect(
      Map.groupBy(chats, ({ type }) => type)
        .keys()
        .toArray()
        .toSorted(),
    ).toEqual(['channel', 'dm', 'group'])
    const instants = chats.map(({ last_message_at }) => last_message_at)
    expect(instants).toEqual(instants.toSorted().reverse())
    for (const chat of chats) {
      expect(chat.name ?? chat.peer?.username).toBeTruthy()
      expect(chat.last_message?.created_at).toBe(chat.last_message_at)
    }
  })

  it('has something unread, as the stories say, and something that others have not read', () => {
    for (const story of stories) {
      if (!story.members.includes('nora')) continue
      const title =
        story.type === 'dm' ? usernameOf(story.members.find((name) => name !== 'nora') ?? 'nora') : story.name
      expect(chatNamed(title).unread_count).toBe(story.unread?.nora ?? 0)
    }
    expect(chats.filter(({ unread_count }) => unread_count > 0).length).toBeGreaterThan(3)
    const { peer_read_seq, last_seq } = chatNamed('Theo')
    expect(peer_read_seq).toBe(last_seq - 1)
  })

  it('has nobody in a chat before they had an account', async () => {
    const wrong = await server.database.sql`
      select m.user_id from chat_members m join users u on u.id = m.user_id where m.joined_at < u.created_at`
    expect([...wrong]).toEqual([])
  })

  it('counts its members rightly', async () => {
    const wrong = await server.database.sql`
      select c.id from chats c where c.member_count <> (select count(*) from chat_members m where m.chat_id = c.id)
        or c.type = 'channel' and c.member_count <> (select subscriber_count from channels n where n.id = c.id)`
    expect([...wrong]).toEqual([])
  })
})

describe('the history', () => {
  it('runs over weeks, in order of seq and of time, without gaps', () => {
    for (const messages of histories.values()) {
      expect(messages.map(({ seq }) => seq)).toEqual(messages.map((_, index) => index + 1))
      const instants = messages.map(({ created_at }) => created_at)
      expect(instants).toEqual(instants.toSorted())
      expect(new Set(instants).size).toBe(instants.length)
    }
    const instants = all().map(({ created_at }) => Date.parse(created_at))
    expect(Date.now() - Math.min(...instants)).toBeGreaterThan(21 * DAY_MS)
    expect(Math.max(...instants)).toBeLessThan(Date.now())
  })

  it('has replies, an edit, a deletion and a call, each later than what it changes', () => {
    for (const message of all()) {
      const changedAt = message.deleted_at ?? message.updated_at
      if (message.rev > 0) expect(changedAt > message.created_at).toBe(true)
      else expect(message.updated_at).toBe(message.created_at)
      if (message.reply_to_id === null) continue
      const target = histories.get(message.chat_id)?.find(({ id }) => id === message.reply_to_id)
      expect(target && target.seq < message.seq).toBe(true)
    }
    const house = historyOf('Harbour Lane 12')
    expect(house.filter(({ deleted_at }) => deleted_at).map(({ content, rev }) => ({ content, rev }))).toEqual([
      { content: '', rev: 1 },
    ])
    expect(
      historyOf('Saturday Walkers')
        .filter(({ rev }) => rev > 0)
        .map(({ content }) => content),
    ).toEqual(['Open since Tuesday. I asked the man with the digger.'])
    expect(historyOf('Yusuf').find(({ call }) => call)?.call).toEqual({
      media: 'video',
      outcome: 'completed',
      duration: 754,
    })
  })

  it('is written in three alphabets', () => {
    expect(historyOf('Kitchen Choir 🎶').some(({ content }) => /\p{Script=Cyrillic}/u.test(content))).toBe(true)
    expect(historyOf('Yusuf').filter(({ content }) => /\p{Script=Arabic}/u.test(content)).length).toBeGreaterThan(5)
  })
})

describe('the files', () => {
  const open = (path: string) => request(`/media/${path}`)

  it(
    'are photos that open, with thumbnails and previews',
    async () => {
      const photos = all().filter(({ message_type }) => message_type === 'image')
      expect(photos.length).toBeGreaterThan(10)
      for (const { media } of photos) {
        expect(media).toMatchObject({
          status: 'ready',
          mime_type: 'image/webp',
          preview: expect.stringContaining('data:'),
        })
        const [photo, thumbnail] = await Promise.all([open(String(media?.file_path)), open(String(media?.thumbnail))])
        expect([photo.status, thumbnail.status]).toEqual([200, 200])
        expect((await photo.arrayBuffer()).byteLength).toBe(Number(media?.file_size))
        expect(thumbnail.headers.get('content-type')).toBe('image/jpeg')
      }
      // Whoever pays sends larger ones.
      expect(Math.max(...photos.map(({ media }) => media?.width ?? 0))).toBeGreaterThan(1000)
    },
    PATIENCE_MS,
  )

  it('are a voice note with its waveform, and a file to save', async () => {
    const voice = historyOf('Kitchen Choir 🎶').find(({ message_type }) => message_type === 'audio')
    expect(voice?.media?.waveform).toHaveLength(64)
    expect((await open(String(voice?.media?.file_path))).status).toBe(200)
    const walk = historyOf('Saturday Walkers').find(({ message_type }) => message_type === 'file')
    expect(walk?.media?.file_name).toBe('ridge-loop.gpx')
    expect(await (await open(String(walk?.media?.file_path))).text()).toContain('<gpx')
  })

  it('are dated as their messages, and none is left over', async () => {
    const wrong = await server.database.sql`
      select f.id from media f left join messages m on m.chat_id = f.chat_id and m.id = f.message_id
      where m.id is null or m.created_at <> f.created_at`
    expect([...wrong]).toEqual([])
  })

  it('have faces with them', async () => {
    const { members } = await get<{ members: { user: { avatar_url: string | null } }[] }>(
      `/chats/${chatNamed('Saturday Walkers').id}/members`,
    )
    const urls = members.flatMap(({ user }) => user.avatar_url ?? [])
    expect(urls.length).toBeGreaterThan(6)
    const answers = await Promise.all(urls.map((url) => fetch(new URL(url, server.url))))
    expect(answers.map(({ status }) => status)).toEqual(urls.map(() => 200))
  })
})

describe('search', () => {
  const find = (q: string) => get<{ results: { message: Message }[] }>(`/messages/search?q=${encodeURIComponent(q)}`)

  it.each([
    ['gas people called', 'Harbour Lane 12'],
    ['варенье', 'Lena'],
    ['رغيفا', 'Yusuf'],
  ])('finds %s, dated as it is in its chat', async (q, where) => {
    const { results } = await find(q)
    expect(results.length).toBeGreaterThan(0)
    const history = historyOf(where)
    for (const { message } of results) expect(history).toContainEqual(message)
  })

  it('has one entry for each living message, under its date', async () => {
    const wrong = await server.database.sql`
      select s.message_id from message_search s left join messages m on m.chat_id = s.chat_id and m.id = s.message_id
      where m.created_at is distinct from s.created_at or m.deleted_at is not null`
    expect([...wrong]).toEqual([])
    const missing = await server.database.sql`
      select m.content from messages m where m.content ~ '[[:alpha:]]' and m.deleted_at is null
        and not exists (select from message_search s where s.chat_id = m.chat_id and s.message_id = m.id)`
    expect([...missing]).toEqual([])
  })
})

describe('sync', () => {
  it('knows nothing newer than the list, and all of it from the beginning', async () => {
    const at = (seq: (chat: ChatOverview) => object) => Object.fromEntries(chats.map((chat) => [chat.id, seq(chat)]))
    const sync = async (places: object) => {
      const answer = await request('/sync', { method: 'POST', body: JSON.stringify({ chats: places }) })
      expect(answer.status).toBe(200)
      return (await answer.json()) as {
        chats: { messages: Message[]; changes: Message[]; chat: ChatOverview }[]
        gone: string[]
      }
    }
    const current = await sync(at(({ last_seq, last_rev }) => ({ seq: last_seq, rev: last_rev })))
    expect(current.gone).toEqual([])
    expect(current.chats.flatMap(({ messages, changes }) => [...messages, ...changes])).toEqual([])
    const whole = await sync(at(() => ({ seq: 0, rev: 0 })))
    expect(whole.chats).toHaveLength(chats.length)
    for (const { chat, messages } of whole.chats) expect(messages).toEqual(histories.get(chat.id) ?? [])
  })
})
