import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import fc from 'fast-check'
import { analyse, createWordMemory } from '../../../src/features/messages/search-batch.ts'
import { tokenize } from '../../../src/features/messages/search-text.ts'
import type { Json } from '../../support/client.ts'
import { startServer } from '../../support/server.ts'
import { until } from '../../support/until.ts'
import { type SearchSetup, startSearch } from './search-setup.ts'
import { indexed, search as searchBy } from './search-support.ts'
import { sayMany, upTo } from './support.ts'

let setup: SearchSetup
let userId: string
beforeAll(async () => {
  setup = await startSearch()
  userId = await setup.addUser()
})
afterAll(() => setup.stop())

const countOf = async (q: string, chatId: string) =>
  (await setup.search(userId, { q, chat_id: chatId, limit: 100 })).results.length

describe('indexing', () => {
  it('takes up what was noted, and only that, until it catches up', async () => {
    const [noted, other] = [await setup.addChat(userId), await setup.addChat(userId)]
    // The first catching up after the start comes too late for this test.
    const indexer = setup.startIndexer({ everyMs: 300 })
    for (const chatId of [noted, other]) await setup.addMessages(chatId, ['hello'])
    await indexer.catchUp()
    expect(await Promise.all([noted, other].map(setup.countIndexed))).toEqual([1, 1])
    for (const chatId of [noted, other]) await setup.addMessages(chatId, ['again'])
    indexer.note(noted)
    await indexed(setup, noted)
    expect(await Promise.all([noted, other].map(setup.countIndexed))).toEqual([2, 1])
    await indexer.stop()
  })

  it('finds at its start what was left behind: messages, edits, deletions, in chats of every size', async () => {
    const chatIds = await Promise.all(upTo(150).map(() => setup.addChat(userId)))
    for (const chatId of chatIds) await setup.addMessages(chatId, ['one', 'two'])
    const large = await setup.addChat(userId)
    const ids = await setup.addMessages(
      large,
      upTo(3000).map((n) => `number${n}`),
    )
    for (const id of ids.slice(0, 1200)) await setup.edit(large, id, 'edited')
    const indexer = setup.startIndexer()
    await indexed(setup)
    expect(await setup.countIndexed(large)).toBe(3000)
    expect(await countOf('number1', large)).toBe(100)
    expect(await countOf('number1200', large)).toBe(0)
    expect(await countOf('number1201', large)).toBe(1)
    for (const id of ids) await setup.edit(large, id, 'changed')
    await indexer.catchUp()
    await indexed(setup)
    expect(await countOf('changed', large)).toBe(100)
    expect(await countOf('number1201', large)).toBe(0)
    await indexer.stop()
  }, 60_000)

  it('gives each chat one turn when it catches up, and tells when all of them have had enough', async () => {
    const chatId = await setup.addChat(userId)
    await setup.addMessages(
      chatId,
      upTo(2000).map((n) => `many${n}`),
    )
    const indexer = setup.startIndexer({ everyMs: 300 })
    await indexer.catchUp()
    expect(await setup.countIndexed(chatId)).toBeLessThan(2000)
    await indexer.settled()
    expect(await setup.countIndexed(chatId)).toBe(2000)
    await indexer.settled()
    await indexer.stop()
  })

  it('loses nothing to a crash in the middle, nor indexes anything twice', async () => {
    const chatId = await setup.addChat(userId)
    await setup.addMessages(
      chatId,
      upTo(5000).map((n) => `crash number ${n}`),
    )
    const first = setup.startIndexer()
    while ((await setup.countIndexed(chatId)) === 0) await Bun.sleep(1)
    // What becomes of a process that is killed: its transaction is gone.
    await setup.sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'indexer' and datname = current_database()`
    await first.stop()
    const count = await setup.countIndexed(chatId)
    expect(count).toBeLessThan(5000)
    setup.logs.length = 0
    const second = setup.startIndexer()
    await indexed(setup)
    expect(await setup.countIndexed(chatId)).toBe(5000)
    await second.stop()
  })

  it('is shared by two instances that are told of the same chats', async () => {
    const chatIds = await Promise.all(upTo(20).map(() => setup.addChat(userId)))
    const indexers = [setup.startIndexer(), setup.startIndexer()]
    const all: { chatId: string; id: string }[] = []
    for (const round of upTo(20)) {
      await Promise.all(
        chatIds.map(async (chatId) => {
          const ids = await setup.addMessages(chatId, [`round ${round}`, `also ${round} соседи`])
          all.push(...ids.map((id) => ({ chatId, id })))
          if (round > 10) await setup.edit(chatId, all[round]?.id ?? '', 'edited')
          for (const indexer of indexers) indexer.note(chatId)
        }),
      )
    }
    // Nobody catches up here any more: what one had to leave to the other came to be done.
    await indexed(setup)
    const rows = await setup.sql`
      select m.id from messages m left join message_search s on s.chat_id = m.chat_id and s.message_id = m.id
      where m.chat_id = any(${chatIds}::uuid[]) and (s.rev is null or s.rev <> m.rev)`
    expect([...rows]).toEqual([])
    expect(setup.logs).toEqual([])
    for (const indexer of indexers) await indexer.stop()
  })

  it('lets others be served while it takes many messages apart', async () => {
    let turns = 0
    let isOver = false
    const turn = () => {
      turns++
      if (!isOver) setImmediate(turn)
    }
    setImmediate(turn)
    const of = { chat_id: Bun.randomUUIDv7(), created_at: new Date(), rev: 0, is_deleted: false, is_new: true }
    const changed = upTo(512).map((seq) => ({
      ...of,
      id: Bun.randomUUIDv7(),
      seq,
      content: seq % 2 ? 'some words' : '…',
    }))
    const { entries, gone, newWords } = await analyse(changed, createWordMemory())
    isOver = true
    expect(turns).toBeGreaterThan(5)
    expect([entries.length, gone.length]).toEqual([256, 256])
    expect(newWords).toEqual(['some', 'words'])
  })

  it('waits for no chat that somebody works on, and takes it up later', async () => {
    const [held, free] = [await setup.addChat(userId), await setup.addChat(userId)]
    for (const chatId of [held, free]) await setup.addMessages(chatId, ['words'])
    const release = Promise.withResolvers<void>()
    const holding = setup.sql.begin(async (tx) => {
      await tx`select from chats where id = ${held} for update`
      await release.promise
    })
    const indexer = setup.startIndexer()
    await indexed(setup, free)
    expect(await setup.countIndexed(held)).toBe(0)
    release.resolve()
    await holding
    await indexed(setup, held)
    await indexer.stop()
  })

  it('keeps no chat locked while it writes, not even one that is new to it', async () => {
    const chatId = await setup.addChat(userId)
    await setup.addMessages(chatId, ['words'])
    const [isHeld, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const holding = setup.sql.begin(async (tx) => {
      await tx`lock table message_search in share mode`
      isHeld.resolve()
      await release.promise
    })
    await isHeld.promise
    const indexer = setup.startIndexer()
    const waiting = () => setup.sql`
      select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    await until(async () => (await waiting()).length > 0, 'the writing of a round')
    const locked = setup.sql`select from chats where id = ${chatId} for update nowait`
    const outcome = await locked.then(
      () => 'locked',
      () => 'refused',
    )
    release.resolve()
    await holding
    expect(outcome).toBe('locked')
    await indexed(setup, chatId)
    await indexer.stop()
  })
})

describe('a chat that cannot be indexed', () => {
  it('holds up no other, is told to the operator, and is taken up again by catching up', async () => {
    const [faulty, sound] = [await setup.addChat(userId), await setup.addChat(userId)]
    await setup.sql.unsafe(`
      create function fail() returns trigger language plpgsql as $$ begin raise exception 'no room'; end $$;
      create trigger fail before insert on message_search for each row when (new.chat_id = '${faulty}') execute function fail()`)
    const indexer = setup.startIndexer()
    for (const chatId of [faulty, sound]) await setup.addMessages(chatId, ['words'])
    for (const chatId of [faulty, sound]) indexer.note(chatId)
    await indexed(setup, sound)
    await indexer.catchUp()
    expect(setup.logs.join()).toContain(faulty)
    expect(setup.logs.join()).not.toContain(sound)
    setup.logs.length = 0
    await setup.sql`drop trigger fail on message_search`
    await indexer.catchUp()
    expect(await setup.countIndexed(faulty)).toBe(1)
    await indexer.stop()
  })
})

describe('the memory of written words', () => {
  it('is bounded, and keeps those that come again', () => {
    const words = createWordMemory()
    words.add(['first', 'second'])
    words.add(upTo(19_998).map((n) => `word${n}`))
    expect(words.has('first')).toBe(true)
    words.add(['one more'])
    expect(['first', 'second', 'word1', 'one more'].map(words.has)).toEqual([true, false, true, true])
  })
})

describe('any text whatever', () => {
  it('can be indexed, and is found by each of its own words', async () => {
    const chatId = await setup.addChat(userId)
    const indexer = setup.startIndexer()
    const nasty = fc.constantFrom(...`'"\\%:*&|!()<->$1 aB9éß½中京がｶﾞกิخأ\u0301\u200d한कि😀,.`)
    const text = fc.string({
      unit: fc.oneof(nasty, fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })),
      maxLength: 60,
    })
    const storable = fc
      .sample(text, { numRuns: 400, seed: 7 })
      .filter((s) => s !== '' && !s.includes('\0') && s.isWellFormed())
    const ids = await setup.addMessages(chatId, storable)
    indexer.note(chatId)
    await indexed(setup, chatId)
    for (const [index, content] of storable.entries()) {
      for (const { start, end } of tokenize(content).slice(0, 3)) {
        const found = await findAll(content.slice(start, end), chatId)
        expect({ content, isFound: found.has(ids[index] ?? '') }).toEqual({ content, isFound: true })
      }
    }
    expect(setup.logs).toEqual([])
    await indexer.stop()
  }, 60_000)

  it('can be searched for', async () => {
    const texts = fc.string({ unit: 'binary', minLength: 1, maxLength: 100 })
    for (const q of fc.sample(texts, { numRuns: 300, seed: 7 })) {
      if (q.includes('\0') || !q.isWellFormed()) continue
      const answer = await setup.search(userId, { q }).catch((error) => error)
      expect([400, undefined]).toContain(answer.status)
    }
  })

  async function findAll(q: string, chatId: string): Promise<Set<string>> {
    const found = new Set<string>()
    let cursor: string | undefined
    do {
      const page = await setup.search(userId, { q, chat_id: chatId, limit: 100, cursor })
      for (const { message } of page.results) found.add(message.id)
      cursor = page.next_cursor ?? undefined
    } while (cursor)
    return found
  }
})

describe('sending', () => {
  it('waits for no indexing: all is acknowledged while that stands still, and found afterwards', async () => {
    const server = await startServer()
    const ann = await server.addUser()
    const chatId = await server.addGroup(ann)
    const socket = await ann.socket()
    const release = Promise.withResolvers<void>()
    const holding = server.database.sql.begin(async (tx) => {
      await tx`lock table message_search, search_heads, search_words in access exclusive mode`
      await release.promise
    })
    const texts = upTo(2000).map((n) => `standstill ${n}`)
    const sent: Json[] = []
    for (let n = 0; n < texts.length; n += 200) sent.push(...(await sayMany(socket, chatId, texts.slice(n, n + 200))))
    await ann.patch(`/chats/${chatId}/messages/${sent[0].id}`, { content: 'edited meanwhile' })
    const waiting = await server.database.sql`
      select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    // Before anything can fail: a transaction that is left open is ended by the database, in the midst of another test.
    release.resolve()
    await holding
    expect(sent.map(({ content }) => content)).toEqual(texts)
    // The round that indexes, and the catching up of the start, if it is in its time.
    expect(waiting.length).toBeLessThanOrEqual(2)
    await indexed(server)
    expect((await searchBy(ann, 'standstill 2000')).results).toHaveLength(1)
    expect((await searchBy(ann, 'edited meanwhile')).results).toHaveLength(1)
    await socket.close()
    await server.stop()
  })
})
