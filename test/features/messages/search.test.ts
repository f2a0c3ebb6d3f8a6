import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { TestUser } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { indexed, search, searchPath, textsOf } from './search-support.ts'
import { say } from './support.ts'

let server: TestServer
let ann: TestUser
let chatId: string
beforeAll(async () => {
  server = await startServer()
  ann = await server.addUser()
  chatId = await server.addGroup(ann)
})
afterAll(() => server.stop())

describe('searching', () => {
  const said = [
    'Встречаемся завтра у метро, ёлка уже стоит',
    '我明天去北京图书馆看书。',
    '東京タワーで写真を撮りました',
    'قَرَأْتُ الكِتَابَ أمسِ',
    'Die STRASSE ist für Fußgänger gesperrt',
    'party🎉tonight🎉 👨‍👩‍👧',
    'The quick brown fox jumps over the lazy dog',
    'ผมชอบกินข้าวผัด',
    'आज मौसम अच्छा है',
    '한국어를 공부합니다',
  ]
  beforeAll(async () => {
    for (const text of said) await say(ann, chatId, text)
    await indexed(server)
  })

  it.each([
    ['a Russian word in another case', 'ЗАВТРА', 0],
    ['е for ё', 'елка', 0],
    ['ё for ё', 'Ёлка', 0],
    ['the beginning of an inflected word', 'встреча', 0],
    ['a Chinese word of two characters within a sentence', '北京', 1],
    ['another that begins where it ends', '图书馆', 1],
    ['two Chinese words', '北京 看书', 1],
    ['Japanese in three scripts', '写真を', 2],
    ['halfwidth Katakana', 'ﾀﾜｰ', 2],
    ['Arabic without the diacritics of the message', 'الكتاب', 3],
    ['Arabic with tatweel', 'الكتـــاب', 3],
    ['Arabic with a plain alef', 'امس', 3],
    ['German ss for ß', 'fussgänger', 4],
    ['German ß for SS', 'straße', 4],
    ['an umlaut made of two code points', 'fu\u0308r', 4],
    ['a word between emoji', 'tonight', 5],
    ['all words, in any order', 'lazy quick', 6],
    ['a word and the beginning of the next', 'brown fo', 6],
    ['fullwidth letters', 'ｑｕｉｃｋ', 6],
    ['Thai', 'ข้าวผัด', 7],
    ['Hindi', 'मौसम', 8],
    ['Korean without its particle', '한국어', 9],
  ])('finds %s', async (_, q, place) => {
    const found = await search(ann, q)
    expect(textsOf(found)).toEqual([said[place] ?? ''])
    expect(found).toMatchObject({ has_more: false, next_cursor: null, is_fuzzy: false })
  })

  it.each([
    ['Chinese characters that do not stand side by side', '北书'],
    ['characters on both sides of a full stop', '书我'],
    ['words of which one is missing', 'quick cat'],
    ['the middle of a word', 'metro'],
  ])('does not find %s', async (_, q) => {
    expect(textsOf(await search(ann, q))).toEqual([])
  })

  it('answers the message as the history shows it, and where in it the words stand', async () => {
    const { body } = await ann.get(`/chats/${chatId}/messages?after_seq=6&limit=1`)
    const found = await search(ann, 'quick fo')
    expect(found.results).toEqual([
      {
        message: body.messages[0],
        snippet: {
          text: said[6] ?? '',
          highlights: [
            { start: 4, length: 5 },
            { start: 16, length: 3 },
          ],
        },
      },
    ])
  })
})

describe('typing slips', () => {
  beforeAll(async () => {
    await say(ann, chatId, 'Пожалуйста, подтвердите приглашение')
    await say(ann, chatId, 'Please confirm the appointment')
    await say(ann, chatId, 'أرسل المستندات غدا')
    await indexed(server)
  })

  it.each([
    ['a changed letter in Russian', 'пожалуйсто', 'Пожалуйста'],
    ['a letter left out in Russian', 'приглшение', 'Пожалуйста'],
    ['swapped letters in Russian', 'подтвредите', 'Пожалуйста'],
    ['a doubled letter in English', 'appoiintment', 'Please'],
    ['swapped letters in a short English word', 'plaese', 'Please'],
    ['a changed letter in Arabic', 'المستندان', 'أرسل'],
    ['a slip in one of two words', 'confirm appointmant', 'Please'],
  ])('forgives %s', async (_, q, start) => {
    const found = await search(ann, q)
    expect(found.is_fuzzy).toBe(true)
    expect(textsOf(found)).toEqual([expect.stringContaining(start)])
    expect(found.results[0].snippet.highlights.length).toBeGreaterThan(0)
  })

  it('does not guess where the words themselves are found, nor at something else entirely', async () => {
    expect(await search(ann, 'please')).toMatchObject({ is_fuzzy: false, results: [{}] })
    expect(await search(ann, 'plumbers')).toMatchObject({ is_fuzzy: false, results: [] })
  })

  it('pages through guesses as through everything else', async () => {
    for (const n of [1, 2, 3]) await say(ann, chatId, `embarrassment ${n}`)
    await indexed(server)
    const first = await search(ann, 'embarassment', { limit: 2 })
    expect(textsOf(first)).toEqual(['embarrassment 3', 'embarrassment 2'])
    await say(ann, chatId, 'embarassment, exactly as typed')
    await indexed(server)
    const second = await search(ann, 'embarassment', { limit: 2, cursor: first.next_cursor })
    expect(textsOf(second)).toEqual(['embarrassment 1'])
    expect(second).toMatchObject({ is_fuzzy: true, has_more: false, next_cursor: null })
  })
})

describe('whose messages', () => {
  it('hides them from strangers and ex-members, by the words themselves and by guesses', async () => {
    const [owner, member, stranger] = [await server.addUser(), await server.addUser(), await server.addUser()]
    const group = await server.addGroup(owner, member)
    await say(owner, group, 'the passphrase is xylophone')
    await indexed(server)
    expect(textsOf(await search(member, 'xylophone'))).toHaveLength(1)
    await owner.delete(`/chats/${group}/members/${member.id}`)
    for (const user of [member, stranger]) {
      for (const q of ['xylophone', 'xylophon', 'xilophone']) {
        expect(await search(user, q)).toEqual({ results: [], has_more: false, next_cursor: null, is_fuzzy: false })
        const one = await user.get(searchPath(q, { chat_id: group }))
        expect(one).toMatchObject({ status: 404, body: { error: 'Chat not found' } })
      }
    }
    expect(textsOf(await search(owner, 'xylophone'))).toHaveLength(1)
  })

  it('searches in one chat when asked to', async () => {
    const [here, there] = [await server.addGroup(ann), await server.addGroup(ann)]
    await say(ann, here, 'saxophone here')
    await say(ann, there, 'saxophone there')
    await indexed(server)
    expect(textsOf(await search(ann, 'saxophone'))).toEqual(['saxophone there', 'saxophone here'])
    expect(textsOf(await search(ann, 'saxophone', { chat_id: here }))).toEqual(['saxophone here'])
  })

  it('tells chats apart whose ids end alike', async () => {
    const { sql } = server.database
    const alike = Bun.randomUUIDv7().slice(0, 24) + chatId.slice(24)
    await sql`insert into chats (id, type, member_count) values (${alike}, 'group', 1)`
    const bob = await server.addUser()
    await sql`insert into chat_members (chat_id, user_id) values (${alike}, ${bob.id})`
    await say(bob, alike, 'trombone of bob')
    await say(ann, chatId, 'trombone of ann')
    await indexed(server)
    expect(textsOf(await search(bob, 'trombone'))).toEqual(['trombone of bob'])
    expect(textsOf(await search(ann, 'trombone'))).toEqual(['trombone of ann'])
  })
})

describe('what changes', () => {
  it('finds an edited message by its new text alone', async () => {
    const { id } = await say(ann, chatId, 'first draught')
    await indexed(server)
    await ann.patch(`/chats/${chatId}/messages/${id}`, { content: 'second version' })
    // Even before it is indexed anew.
    expect(textsOf(await search(ann, 'draught'))).toEqual([])
    await indexed(server)
    expect(textsOf(await search(ann, 'draught'))).toEqual([])
    expect(textsOf(await search(ann, 'second version'))).toEqual(['second version'])
  })

  it('finds nothing of a deleted message from the moment of its deletion', async () => {
    const { id } = await say(ann, chatId, 'regrettable words')
    await indexed(server)
    await ann.delete(`/chats/${chatId}/messages/${id}`)
    expect(textsOf(await search(ann, 'regrettable'))).toEqual([])
    await indexed(server)
    const rows = await server.database.sql`select from message_search where message_id = ${id}`
    expect(rows).toHaveLength(0)
  })

  it('forgets a deleted chat', async () => {
    const group = await server.addGroup(ann)
    await say(ann, group, 'harpsichord')
    await indexed(server)
    expect((await ann.delete(`/chats/${group}`)).status).toBe(200)
    expect(textsOf(await search(ann, 'harpsichord'))).toEqual([])
    const rows = await server.database.sql`
      select from message_search where chat_id = ${group} union all select from search_heads where chat_id = ${group}`
    expect(rows).toHaveLength(0)
  })
})

describe('pages', () => {
  it('repeat and leave out nothing while new messages arrive', async () => {
    const groups = [await server.addGroup(ann), await server.addGroup(ann)]
    const expected: string[] = []
    for (let n = 0; n < 23; n++) {
      await say(ann, groups[n % 2] ?? '', `clarinet ${n}`)
      expected.unshift(`clarinet ${n}`)
    }
    await indexed(server)
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await search(ann, 'clarinet', { limit: 5, cursor })
      expect(page.has_more).toBe(page.next_cursor !== null)
      seen.push(...textsOf(page))
      cursor = page.next_cursor ?? undefined
      await say(ann, groups[0] ?? '', 'clarinet, newer')
      await indexed(server)
    } while (cursor)
    expect(seen).toEqual(expected)
  })

  it('go on below the messages that are looked through without the index', async () => {
    const group = await server.addGroup(ann)
    const { sql } = server.database
    await sql`
      insert into messages (chat_id, id, seq, sender_id, client_id, content, created_at)
      select ${group}, gen_random_uuid(), n, ${ann.id}, 'key' || n,
        case when n % 400 = 1 then 'needle ' else 'common ' end || n, now() - interval '1 hour' + n * interval '10 ms'
      from generate_series(1, 2400) n`
    await sql`update chats set last_seq = 2400 where id = ${group}`
    await say(ann, group, 'common 2401')
    await indexed(server)
    for (const options of [{}, { chat_id: group }]) {
      expect(textsOf(await search(ann, 'needle', options))).toEqual(
        [2001, 1601, 1201, 801, 401, 1].map((n) => `needle ${n}`),
      )
      const page = await search(ann, 'needle', { ...options, limit: 4 })
      const rest = await search(ann, 'needle', { ...options, limit: 4, cursor: page.next_cursor })
      expect([...textsOf(page), ...textsOf(rest)]).toHaveLength(6)
      expect(textsOf(await search(ann, 'common', { ...options, limit: 2 }))).toEqual(['common 2401', 'common 2400'])
    }
  })
})

describe('what cannot be searched for', () => {
  const longest = 'x'.repeat(256)
  it.each([
    ['no q', '/messages/search', 'q'],
    ['an empty q', searchPath(''), 'q'],
    ['a q of 257 characters', searchPath(`${longest}x`), 'q'],
    ['neither letter nor digit', searchPath('!?… 🎉 ´'), 'q'],
    ['marks alone', searchPath('\u0301\u200d'), 'q'],
    ['U+0000', '/messages/search?q=a%00b', 'q'],
    ['a limit of 0', searchPath('x', { limit: 0 }), 'limit'],
    ['a limit of 101', searchPath('x', { limit: 101 }), 'limit'],
    ['a chat that is no id', searchPath('x', { chat_id: 'x' }), 'chat_id'],
    ['a foreign cursor', searchPath('x', { cursor: 'x' }), 'cursor'],
    [
      'a cursor of another list',
      searchPath('x', { cursor: Buffer.from(`2026-01-01T00:00:00.000Z ${'0'.repeat(36)}`).toString('base64url') }),
      'cursor',
    ],
    ['a marked cursor of nonsense', searchPath('x', { cursor: 'enonsense' }), 'cursor'],
  ])('refuses %s, naming the field', async (_, path, field) => {
    const { status, body } = await ann.get(path)
    expect({ status, error: body.error, fields: Object.keys(body.details) }).toEqual({
      status: 400,
      error: 'Validation failed',
      fields: [field],
    })
  })

  it('takes the longest q, and + for a space', async () => {
    expect((await ann.get(searchPath(longest))).status).toBe(200)
    expect((await ann.get(searchPath('😀'.repeat(255).concat('x')))).status).toBe(200)
    await say(ann, chatId, 'one plus one')
    await indexed(server)
    expect(textsOf((await ann.get('/messages/search?q=one+plus')).body)).toEqual(['one plus one'])
  })
})
