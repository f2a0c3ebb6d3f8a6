/**
 * What a search takes among 100,000 and among 1,000,000 messages, for a user in half of them, and how fast they are
 * indexed: `bun test/bench/search.ts`. About four minutes.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectDatabase, type Database } from '../../src/db/client.ts'
import { migrate } from '../../src/db/migrate.ts'
import { startEmbeddedPostgres } from '../../src/embedded/postgres.ts'
import { createSearch } from '../../src/features/messages/search.ts'
import { createSearchIndexer } from '../../src/features/messages/search-indexer.ts'
import { createLog } from '../../src/observability/log.ts'
import { addChats, addMessages, HAN_COMMON, HAN_RARE, wordAt } from './search-corpus.ts'

const SIZES = [100_000, 1_000_000]
const CHATS = 100
const OWN_CHATS = 50
const TRIES = 15

const write = (text: string) => void process.stdout.write(`${text}\n`)
const whole = (value: number) => Math.round(value).toLocaleString('en')
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

/** What is searched for. Words are numbered by how common they are. */
const queries: Record<string, string> = {
  'a common word': wordAt(0),
  'a middling word': wordAt(300),
  'a rare word': wordAt(30_000),
  'a common and a rare one': `${wordAt(0)} ${wordAt(30_000)}`,
  'three letters': wordAt(0).slice(0, 3),
  'a word nobody said': 'zzzzzz12345',
  'Chinese, common': HAN_COMMON,
  'Chinese, rare': HAN_RARE,
  'a word with a slip': `${wordAt(2000).slice(0, 2)}${wordAt(2000).slice(3)}`,
}

/** Indexes all there is without resting. @returns the seconds it took */
async function indexAll(database: Database): Promise<number> {
  const log = createLog('warn')
  const indexer = createSearchIndexer({ db: database.db, log, everyMs: 1, share: 1 })
  const startedAt = performance.now()
  const isBehind = async () => {
    const rows = await database.sql`
      select from chats c left join search_heads h on h.chat_id = c.id where c.last_seq > coalesce(h.seq, 0) limit 1`
    return rows.length > 0
  }
  await indexer.catchUp()
  while (await isBehind()) await Bun.sleep(100)
  await indexer.stop()
  return (performance.now() - startedAt) / 1000
}

/** Milliseconds of each query, the median. */
async function measure(database: Database, userId: string, chatId: string | undefined): Promise<number[]> {
  const { search } = createSearch({ db: database.db })
  const times: number[] = []
  for (const q of Object.values(queries)) {
    const tries: number[] = []
    for (let n = 0; n < TRIES; n++) {
      const startedAt = performance.now()
      await search(userId, { q, chat_id: chatId })
      tries.push(performance.now() - startedAt)
    }
    times.push(median(tries))
  }
  return times
}

async function bench(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'messenger-bench-'))
  const postgres = await startEmbeddedPostgres({ dataDir, log: createLog('error') })
  const database = connectDatabase({ socket: postgres, poolMax: 4, name: 'bench', statementTimeoutSeconds: 0 })
  const results: { all: number[]; one: number[]; rate: number }[] = []
  try {
    await migrate(database.sql, createLog('error'))
    const { userId, chatIds } = await addChats(database.sql, CHATS, OWN_CHATS)
    let stored = 0
    for (const size of SIZES) {
      await addMessages(database.sql, chatIds, stored, size)
      const seconds = await indexAll(database)
      const rate = (size - stored) / seconds
      stored = size
      const all = await measure(database, userId, undefined)
      results.push({ all, one: await measure(database, userId, chatIds[0]), rate })
    }
    await report(database, results)
  } finally {
    await database.close()
    await postgres.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function report({ sql }: Database, results: { all: number[]; one: number[]; rate: number }[]): Promise<void> {
  const date = new Date().toISOString().slice(0, 10)
  write(`${date}, ${cpus().length} x ${cpus()[0]?.model.trim()}, Bun ${Bun.version}`)
  write(`${CHATS} chats, the user in ${OWN_CHATS}; milliseconds, the median of ${TRIES}`)
  write(`| ${'searched for'.padEnd(40)} | ${SIZES.map((size) => whole(size).padStart(10)).join(' | ')} |  ratio |`)
  const row = (name: string, values: readonly number[]) => {
    const ratio = (values[1] ?? Number.NaN) / (values[0] ?? Number.NaN)
    write(
      `| ${name.padEnd(40)} | ${values.map((value) => value.toFixed(1).padStart(10)).join(' | ')} | ${ratio.toFixed(1).padStart(6)} |`,
    )
  }
  for (const [index, name] of Object.keys(queries).entries()) {
    row(
      `${name}, in all chats`,
      results.map(({ all }) => all[index] ?? Number.NaN),
    )
    row(
      `${name}, in one`,
      results.map(({ one }) => one[index] ?? Number.NaN),
    )
  }
  row(
    'indexed: messages/s, without resting',
    results.map(({ rate }) => rate),
  )
  const sizes = await sql<{ name: string; bytes: string }[]>`
    select relname as name, pg_relation_size(oid) as bytes from pg_class
    where relname in ('messages', 'message_search', 'message_search_chat_id_created_at_message_id_pk',
      'idx_message_search_tokens', 'search_words', 'idx_search_words_trigrams') order by 1`
  for (const { name, bytes } of sizes) write(`${name}: ${whole(Number(bytes) / 2 ** 20)} MiB`)
}

await bench()
