/**
 * Does it pay to partition `messages` by the hash of the chat? One table beside partitioned ones, with the same rows, in
 * turns: `npm run bench:partitions -- [--rows 10000000] [--chats 2000] [--partitions 16,32]`. With ten million rows about
 * a quarter of an hour, and 15 GB of disk.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { connectDatabase, type Database } from '../../src/db/client.ts'
import { migrate } from '../../src/db/migrate.ts'
import { startEmbeddedPostgres } from '../../src/embedded/postgres.ts'
import { createSearch } from '../../src/features/messages/search.ts'
import * as store from '../../src/features/messages/store.ts'
import { writerStartup } from '../../src/features/messages/writer.ts'
import { insertDrafts } from '../../src/features/messages/writer-store.ts'
import { inSnapshot, listChanged } from '../../src/features/sync/store.ts'
import { createLog } from '../../src/observability/log.ts'
import { partition } from '../support/partition.ts'
import { type Corpus, fill, indexForSearch, wordAt } from './many-messages.ts'
import { measureAll, type Variant } from './measure.ts'

const ROUNDS = 5
const SECONDS = 2
const BATCHES = [1, 64, 512]
const PAGE = 50
const SYNCED_CHATS = 20
const HAS_EDITS_BEFORE = 1000

interface Way {
  name: string
  database: Database
  /** As the server's own writer has it. */
  writer: Database
}

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '10000000' },
    chats: { type: 'string', default: '2000' },
    partitions: { type: 'string', default: '16,32' },
  },
})
const [rows, chats] = [Number(values.rows), Number(values.chats)]
const counts = values.partitions.split(',').map(Number)

const write = (text: string) => void process.stdout.write(`${text}\n`)
const whole = (value: number) => Math.round(value).toLocaleString('en')
const pick = <T>(from: readonly T[]): T => from[Math.floor(Math.random() * from.length)] as T
const log = createLog('error')

/** A message in each of so many chats. */
function batchOf({ chatIds, userId }: Corpus, size: number) {
  const chosen = new Set<string>()
  while (chosen.size < Math.min(size, chatIds.length)) chosen.add(pick(chatIds))
  return [...chosen].sort().map((chatId) => {
    const id = Bun.randomUUIDv7()
    const content = 'A message of an ordinary length: fifty characters.'
    return { chatId, drafts: [{ id, chatId, senderId: userId, content, clientId: id, replyToId: null }] }
  })
}

const listWrites = (ways: readonly Way[], corpus: Corpus): Variant[] =>
  BATCHES.flatMap((size) =>
    ways.map(({ name, writer }) => ({
      task: `send: a batch of ${size}`,
      way: name,
      run: () => insertDrafts(writer.sql, batchOf(corpus, size)),
    })),
  )

function listReads(ways: readonly Way[], corpus: Corpus): Variant[] {
  const { chatIds, perChat, searcherId, userId } = corpus
  const tasks: Record<string, (database: Database) => () => Promise<unknown>> = {
    'history: the newest page': ({ db }) => {
      return () => store.listMessages(db, pick(chatIds), { beforeSeq: Number.MAX_SAFE_INTEGER }, PAGE)
    },
    'history: an old page': ({ db }) => {
      return () => store.listMessages(db, pick(chatIds), { beforeSeq: Math.ceil(Math.random() * perChat) }, PAGE)
    },
    'one message by its id': ({ db }) => {
      return () => store.findMessage(db, pick(chatIds), Bun.randomUUIDv7())
    },
    "a sender's key": ({ db }) => {
      return () => store.findByKey(db, { senderId: userId, chatId: pick(chatIds), clientId: Bun.randomUUIDv7() })
    },
    [`sync: ${SYNCED_CHATS} chats`]: ({ db }) => {
      return () =>
        inSnapshot(db, async (tx) => {
          const places = Array.from({ length: SYNCED_CHATS }, () => ({
            chatId: pick(chatIds),
            afterSeq: perChat - 5,
            afterRev: Math.max(0, Math.floor((perChat - HAS_EDITS_BEFORE) / 100)),
          }))
          await store.listMessagesAfter(tx, places, PAGE)
          await listChanged(tx, places, PAGE)
        })
    },
    edit: ({ db }) => {
      return () =>
        db.transaction(async (tx) => {
          const chatId = pick(chatIds)
          const [row] = await store.listMessages(tx, chatId, { beforeSeq: Math.ceil(Math.random() * perChat) + 1 }, 1)
          const rev = await store.takeRev(tx, chatId)
          if (row) await store.updateContent(tx, chatId, row.id, rev, `${row.content} and more`)
        })
    },
    'search: a common word': ({ db }) => {
      const { search } = createSearch({ db })
      return () => search(searcherId, { q: wordAt(2) })
    },
    'search: a rare word': ({ db }) => {
      const { search } = createSearch({ db })
      return () => search(searcherId, { q: wordAt(20_000 + Math.floor(Math.random() * 20_000)) })
    },
  }
  return Object.entries(tasks).flatMap(([task, runWith]) =>
    ways.map(({ name, database }) => ({ task, way: name, run: runWith(database) })),
  )
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return (performance.now() - startedAt) / 1000
}

async function sizesOf({ sql }: Database) {
  const [row] = await sql<{ heap: string; indexes: string }[]>`
    select sum(pg_table_size(id)) as heap, sum(pg_indexes_size(id)) as indexes
    from (select 'messages'::regclass union select relid from pg_partition_tree('messages')) parts (id)`
  return { heap: Number(row?.heap ?? 0), indexes: Number(row?.indexes ?? 0) }
}

function print(results: Awaited<ReturnType<typeof measureAll>>, ways: readonly Way[]): void {
  for (const task of new Set(results.map((one) => one.task))) {
    const own = results.filter((one) => one.task === task)
    const [first] = own
    const cells = own.map(({ perSecond, postgres }) => {
      const ratio = first ? perSecond / first.perSecond : 1
      const cost = first ? postgres / first.postgres : 1
      return `${whole(perSecond)} (${ratio.toFixed(2)}), ${whole(postgres)} µs (${cost.toFixed(2)})`
    })
    write(`| ${[task, ...ways.map((_, index) => cells[index] ?? '')].join(' | ')} |`)
  }
}

async function bench(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'messenger-bench-'))
  const postgres = await startEmbeddedPostgres({ dataDir, log })
  const ways: Way[] = []
  const connect = (database: string, poolMax: number, startup = {}) =>
    connectDatabase({
      socket: { ...postgres, database },
      poolMax,
      name: 'bench',
      statementTimeoutSeconds: 0,
      startup: { maintenance_work_mem: '256MB', ...startup },
    })
  const admin = connect('messenger', 1)
  const open = (name: string, database: string): Way => ({
    name,
    database: connect(database, 4),
    writer: connect(database, 1, writerStartup),
  })
  try {
    await admin.sql`create database plain`
    const first = connect('plain', 4)
    await migrate(first.sql, log)
    let corpus: Corpus | undefined
    const filled = await timed(async () => {
      corpus = await fill(first.sql, rows, chats)
    })
    if (!corpus) throw new Error('There is no corpus')
    const indexed = await timed(() => indexForSearch(first))
    await first.sql`vacuum (freeze, analyze)`
    await first.close()
    const date = new Date().toISOString().slice(0, 10)
    write(`${date}, ${cpus().length} x ${cpus()[0]?.model.trim()}, Bun ${Bun.version}`)
    write(
      `${whole(rows)} messages in ${whole(chats)} chats; filled in ${whole(filled)} s, search in ${whole(indexed)} s`,
    )
    for (const count of counts) {
      await admin.sql.unsafe(`create database hash_${count} template plain strategy file_copy`)
      const copy = connect(`hash_${count}`, 2)
      write(`converting to ${count} partitions: ${whole(await timed(() => partition(copy.sql, count)))} s`)
      await copy.sql`vacuum (freeze, analyze)`
      await copy.close()
    }
    ways.push(open('one table', 'plain'), ...counts.map((count) => open(`${count} partitions`, `hash_${count}`)))
    const backends = async () =>
      (await admin.sql<{ pid: number }[]>`select pid from pg_stat_activity where application_name = 'bench'`).map(
        ({ pid }) => pid,
      )
    const processes = { postgres: backends, redis: 0 }
    write(`${ROUNDS} rounds of ${SECONDS} s in turns, medians: operations a second, PostgreSQL's CPU an operation`)
    write('(in brackets: against one table)')
    write(`| what | ${ways.map(({ name }) => name).join(' | ')} |`)
    write(`|---|${ways.map(() => '---:').join('|')}|`)
    // One writer, as the server has one.
    print(await measureAll(listWrites(ways, corpus), processes, { rounds: ROUNDS, seconds: SECONDS, flows: 1 }), ways)
    print(await measureAll(listReads(ways, corpus), processes, { rounds: ROUNDS, seconds: SECONDS, flows: 2 }), ways)
    const upkeep = await Promise.all(ways.map(({ database }) => sizesOf(database)))
    write(`| MiB of rows | ${upkeep.map(({ heap }) => whole(heap / 2 ** 20)).join(' | ')} |`)
    write(`| MiB of indexes | ${upkeep.map(({ indexes }) => whole(indexes / 2 ** 20)).join(' | ')} |`)
    const vacuums: string[] = []
    for (const { database } of ways) {
      await database.sql`update messages set content = content || '.' where seq % 200 = 0`
      vacuums.push((await timed(() => database.sql`vacuum messages`)).toFixed(1))
    }
    write(`| vacuum after a change of 1 in 200, s | ${vacuums.join(' | ')} |`)
  } finally {
    for (const { database, writer } of ways) await Promise.all([database.close(), writer.close()])
    await admin.close()
    await postgres.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}

await bench()
