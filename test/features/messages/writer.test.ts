import { afterEach, describe, expect, it } from 'bun:test'
import { upTo } from './support.ts'
import { draftOf, outcomesOf, startWriter, type WriterSetup } from './writer-setup.ts'

let setups: Awaited<ReturnType<typeof startWriter>>[] = []

async function setUp(options?: WriterSetup) {
  const setup = await startWriter(options)
  setups.push(setup)
  return setup
}
afterEach(async () => {
  await Promise.all(setups.map((setup) => setup.stop()))
  setups = []
})

describe('the writer', () => {
  it('numbers in the order of the calls, and tells in the order of the numbers', async () => {
    const { writer, addChats, published, seqsOf } = await setUp()
    const { chatIds, userIds } = await addChats(3)
    const calls = upTo(300).map((n) => draftOf(chatIds[n % 3], userIds[n % 2], { content: `number ${n}` }))
    const sent = await Promise.all(calls.map((draft) => writer.send(draft)))
    for (const chatId of chatIds) {
      expect(sent.filter(({ message }) => message.chat_id === chatId).map(({ message }) => message.seq)).toEqual(
        upTo(100),
      )
      expect(await seqsOf(chatId)).toEqual(upTo(100))
      await Bun.sleep(1)
      const told = published.filter(({ topic }) => topic === `chat:${chatId}`).map(({ payload }) => JSON.parse(payload))
      expect(told.map(({ message }) => message.seq)).toEqual(upTo(100))
    }
    expect(sent.map(({ message }) => message.content)).toEqual(upTo(300).map((n) => `number ${n}`))
    expect(sent.every(({ json, message, isRepeat }) => json === JSON.stringify(message) && !isRepeat)).toBe(true)
  })

  it('writes what comes in one turn, from whomever, as one batch', async () => {
    const { writer, addChats, sql } = await setUp()
    const { chatIds, userIds } = await addChats(2)
    const send = (n: number) => writer.send(draftOf(chatIds[n % 2], userIds[n % 2]))
    // Each in a callback of its own, as the frames of a socket come.
    await Promise.all(upTo(8).map((n) => Promise.resolve().then(() => send(n))))
    const [row] = await sql`select count(*)::int as messages, count(distinct xmin::text)::int as batches from messages`
    expect(row).toEqual({ messages: 8, batches: 1 })
  })

  it('answers what the database stored', async () => {
    const { writer, addChats, sql } = await setUp()
    const { chatIds, userIds } = await addChats(1)
    const target = await writer.send(draftOf(chatIds[0], userIds[0]))
    const { message } = await writer.send(
      draftOf(chatIds[0], userIds[1], { clientId: 'key', replyToId: target.message.id }),
    )
    const [row] = await sql`
      select id, chat_id, seq::int as seq, rev::int as rev, sender_id, client_id, content, message_type, media_url,
        reply_to_id, created_at, updated_at, deleted_at
      from messages where id = ${message.id}`
    const { media, ...told } = message
    expect(told).toEqual({
      ...row,
      created_at: row?.created_at.toISOString(),
      updated_at: row?.updated_at.toISOString(),
    } as unknown as typeof told)
    expect(media).toBeNull()
    const [chat] = await sql`select last_message_at from chats where id = ${chatIds[0] ?? ''}`
    expect(chat?.last_message_at.toISOString()).toBe(message.created_at)
  })

  it('stores one of those that have the id in common too, as requests that end one upload do', async () => {
    const { writer, addChats, published, seqsOf, sql } = await setUp()
    const { chatIds, userIds } = await addChats(1)
    const [chatId = ''] = chatIds
    const fileAt = (mediaUrl: string) => ({ messageType: 'file' as const, mediaUrl, media: null, call: null })
    const draft = draftOf(chatId, userIds[0], { attachment: fileAt('first') })
    const sends = [draft, { ...draft, attachment: fileAt('second') }].map((one) => writer.send(one))
    const outcomes = (await Promise.all(sends)).map(({ isRepeat, message }) => [isRepeat, message.media_url])
    expect(outcomes).toEqual([
      [false, 'first'],
      [true, 'first'],
    ])
    expect(await seqsOf(chatId)).toEqual([1])
    const [row] = await sql`select media_url from messages where id = ${draft.id}`
    expect(row?.media_url).toBe('first')
    await Bun.sleep(1)
    expect(published).toHaveLength(1)
  })

  it('tells the sender before it tells anybody', async () => {
    const { writer, addChats, published, stored } = await setUp()
    const { chatIds, userIds } = await addChats(1)
    let toldBefore: number | undefined
    await writer.send(draftOf(chatIds[0], userIds[0]), () => {
      toldBefore = published.length
    })
    expect(toldBefore).toBe(0)
    expect(stored).toEqual([`${chatIds[0]} ${userIds[0]} 1`])
    await new Promise((resolve) => setImmediate(resolve))
    expect(published).toHaveLength(1)
  })

  it('refuses with 503 beyond maxQueued, and takes messages again when there is room', async () => {
    const { writer, addChats, seqsOf } = await setUp({ maxQueued: 5, maxBatch: 2 })
    const { chatIds, userIds } = await addChats(1)
    const send = () => writer.send(draftOf(chatIds[0], userIds[0]))
    const outcomes = await outcomesOf(upTo(10).map(send))
    const full = '503 Too many messages are waiting'
    expect(outcomes).toEqual([1, 2, 3, 4, 5, full, full, full, full, full])
    expect(await outcomesOf(upTo(3).map(send))).toEqual([6, 7, 8])
    expect(await seqsOf(chatIds[0] ?? '')).toEqual(upTo(8))
  })

  it('is drained when nothing waits any more, and at once when nothing does', async () => {
    const { writer, addChats, seqsOf } = await setUp({ maxBatch: 10 })
    await writer.drained()
    const { chatIds, userIds } = await addChats(1)
    const sends = upTo(95).map(() => writer.send(draftOf(chatIds[0], userIds[0])))
    let settled = 0
    for (const sending of sends) sending.then(() => settled++)
    await writer.drained()
    expect(settled).toBe(95)
    expect(await seqsOf(chatIds[0] ?? '')).toEqual(upTo(95))
    await writer.drained()
  })

  it('lets no message that the database cannot take harm its neighbours', async () => {
    const { writer, addChats, seqsOf, published } = await setUp()
    const { chatIds, userIds } = await addChats(2)
    const [one, two] = chatIds
    const good = (chatId?: string) => writer.send(draftOf(chatId, userIds[0]))
    const first = good(one)
    // All of them go together.
    const sends = [
      good(one),
      writer.send(draftOf(one, userIds[0], { content: 'a NUL \0 in it' })),
      good(two),
      writer.send(draftOf(two, userIds[0], { clientId: 'k'.repeat(65) })),
      writer.send(draftOf('no id at all', userIds[0])),
      good(one),
      good(two),
    ]
    const outcomes = await outcomesOf(sends)
    expect((await first).message.seq).toBe(1)
    expect([0, 2, 5, 6].map((place) => outcomes[place])).toEqual([2, 1, 3, 2])
    for (const place of [1, 3, 4]) expect(outcomes[place]).toStartWith('error ')
    expect(await seqsOf(one ?? '')).toEqual([1, 2, 3])
    expect(await seqsOf(two ?? '')).toEqual([1, 2])
    await Bun.sleep(1)
    expect(published).toHaveLength(5)
    expect((await good(one)).message.seq).toBe(4)
  })

  it('refuses strangers, unknown and closed chats in a batch and stores its repeats and good ones once', async () => {
    const { writer, addChats, seqsOf, sql, stored } = await setUp()
    const { chatIds, userIds } = await addChats(3)
    const [open = '', closed = '', channel = ''] = chatIds
    const member = userIds[0]
    const before = await writer.send(draftOf(closed, member, { clientId: 'before' }))
    await sql`update chats set is_read_only = true where id = ${closed}`
    await sql`update chats set type = 'channel' where id = ${channel}`
    await sql`update chat_members set role = 'admin' where chat_id = ${channel} and user_id = ${userIds[1] ?? ''}`
    stored.length = 0
    const first = writer.send(draftOf(open, member))
    const outcomes = await outcomesOf([
      writer.send(draftOf(open, member, { clientId: 'twice' })),
      writer.send(draftOf(open, Bun.randomUUIDv7())),
      writer.send(draftOf(Bun.randomUUIDv7(), member)),
      writer.send(draftOf(closed, member)),
      writer.send(draftOf(closed, member, { clientId: 'before' })),
      writer.send(draftOf(closed, userIds[1], { clientId: 'before' })),
      writer.send(draftOf(open, member, { clientId: 'twice' })),
      writer.send(draftOf(channel, member)),
      writer.send(draftOf(channel, userIds[1])),
      writer.send(draftOf(open, userIds[1], { clientId: 'twice' })),
    ])
    await first
    const readOnly = '403 Nobody can write in this chat any more'
    expect(outcomes).toEqual([
      2,
      '404 Chat not found',
      '404 Chat not found',
      readOnly,
      before.message.seq,
      readOnly,
      2,
      '403 You may not post in this channel',
      1,
      3,
    ])
    expect(await seqsOf(open)).toEqual([1, 2, 3])
    expect(await seqsOf(closed)).toEqual([1])
    expect(await seqsOf(channel)).toEqual([1])
    // The implied read marks are of new messages alone.
    expect(stored).toHaveLength(4)
  })

  it('keeps the order of the calls through refusals and repeats', async () => {
    const { writer, addChats, sql } = await setUp({ maxBatch: 16 })
    const { chatIds, userIds } = await addChats(2)
    const sends = upTo(200).map((n) => {
      if (n % 17 === 0) return writer.send(draftOf(chatIds[0], Bun.randomUUIDv7()))
      const clientId = n % 13 === 0 ? 'the same' : undefined
      return writer.send(draftOf(chatIds[n % 2], userIds[0], { content: String(n), ...(clientId && { clientId }) }))
    })
    await outcomesOf(sends)
    for (const chatId of chatIds) {
      const rows = await sql<{ content: string }[]>`select content from messages where chat_id = ${chatId} order by seq`
      const numbers = rows.map(({ content }) => Number(content))
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
      expect(numbers.length).toBeGreaterThan(80)
    }
  })

  it('answers and goes on when a chat stays locked for longer than a statement may take', async () => {
    const { writer, addChats, sql } = await setUp({ statementTimeoutSeconds: 1 })
    const { chatIds, userIds } = await addChats(2)
    const [locked = '', free = ''] = chatIds
    const isLocked = Promise.withResolvers<void>()
    const mayEnd = Promise.withResolvers<void>()
    const holder = sql.begin(async (tx) => {
      await tx`select from chats where id = ${locked} for update`
      isLocked.resolve()
      await mayEnd.promise
    })
    await isLocked.promise
    try {
      const first = writer.send(draftOf(free, userIds[0]))
      const startedAt = performance.now()
      // They go in one batch.
      const sends = upTo(40).map((n) => writer.send(draftOf(n % 2 ? locked : free, userIds[0])))
      const outcomes = await outcomesOf(sends)
      expect((await first).message.seq).toBe(1)
      const busy = '503 This chat is busy; try again'
      expect(outcomes).toEqual(upTo(40).map((n) => (n % 2 ? busy : 1 + n / 2)))
      // The lock was waited for twice, with all and with its own chat, not once for each of its 20 messages.
      expect(performance.now() - startedAt).toBeLessThan(10_000)
    } finally {
      mayEnd.resolve()
      await holder
    }
    expect((await writer.send(draftOf(locked, userIds[0]))).message.seq).toBe(1)
  })
})
