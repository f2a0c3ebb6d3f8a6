/**
 * Whether what is asked stays as fast while a place grows from 10^4 messages up to 10^7, for somebody in 10, 100 and 1,000
 * chats. Beside the time it counts the pages that PostgreSQL touches, which no noise changes, and keeps every plan.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { connectDatabase, type Database } from '../../../src/db/client.ts'
import { migrate } from '../../../src/db/migrate.ts'
import { createLog } from '../../../src/observability/log.ts'
import { cpuSeconds } from '../cpu.ts'
import { median, type Part, type Row, type Run, Samples, Undo } from '../part.ts'
import { indexAll } from '../search-index.ts'
import { addMessages, addWorld, CHATS_OF_READERS, removeMessages, type World } from './fill.ts'
import { listOperations, MARK, type Operation } from './operations.ts'
import { type Stack, startStack } from './stack.ts'

const WARM_UP = 5
const TRIES = 30
const EXPLAINED = 5
/** Of the chats of a user, while the messages grow. */
const USUAL = 100
const INDEXING = 'indexing a message for search: CPU µs'
const SECRET = 'a secret of the bench, long enough to be one'
const BIG_TABLES = /Seq Scan on (?:messages|chats|chat_members|message_search)\b/g
/**
 * From the smallest size to the largest: a B-tree is a level or two higher. A search has no goal: it looks through the
 * newest messages of each chat, so it grows until the chats hold more than that.
 */
const MOST = 2

const key = (name: string, size: number, chats: number, of: 'ms' | 'pages' | 'scans') =>
  `${name}, ${size} messages, ${chats} chats: ${of}`

export const growth: Part = {
  name: 'growth',
  title: 'what is asked, as messages and chats grow; with plans',
  isSeparate: true,
  prepare(run) {
    const undo = new Undo()
    return undo.guard(async () => {
      const { url } = await run.postgres.createDatabase('growth')
      const database = connectDatabase({ url, poolMax: 4, name: 'bench', statementTimeoutSeconds: 0 })
      undo.add(() => database.close())
      await migrate(database.sql, createLog('error'))
      const world = await addWorld(database, SECRET)
      const samples = new Samples()
      let stored = 0
      return {
        samples,
        rows: () => rowsOf(samples, run.sizes),
        // What was stored stays: it grows once, however many rounds are asked for.
        async round() {
          if (stored > 0) return
          for (const size of run.sizes) {
            const startedAt = performance.now()
            await addMessages(database, world, stored, size)
            stored = size
            const filledAt = performance.now()
            await index(run, database, samples)
            await database.sql`vacuum (analyze) message_search`
            const took = [filledAt - startedAt, performance.now() - filledAt].map((ms) => Math.round(ms / 1000))
            run.say(`  ${size} messages: stored in ${took[0]} s, indexed in ${took[1]} s`)
            await measureSize(run, { url, database, world, samples, size })
          }
        },
        stop: undo.run,
      }
    })
  },
}

interface Place {
  url: string
  database: Database
  world: World
  samples: Samples
  size: number
}

/** Off the path of sending, so no part of what a message costs there: what it costs in all is this more. */
async function index({ postgres }: Run, database: Database, samples: Samples): Promise<void> {
  const count = async () => {
    const [row] = await database.sql<{ count: number }[]>`select count(*)::int as count from message_search`
    return row?.count ?? 0
  }
  const read = async () => ({ own: process.cpuUsage(), postgres: await cpuSeconds(postgres.pid), count: await count() })
  const before = await read()
  await indexAll(database)
  const after = await read()
  const { user, system } = process.cpuUsage(before.own)
  const micros = user + system + (after.postgres - before.postgres) * 1e6
  samples.note(INDEXING, micros / (after.count - before.count))
}

async function measureSize(run: Run, place: Place): Promise<void> {
  const { url, database } = place
  const timed = await startStack(url, { isExplaining: false })
  const explained = await startStack(url, { isExplaining: true })
  const lines: string[] = []
  try {
    for (const chats of CHATS_OF_READERS) {
      const heads = await timed.services.chats.listHeads(place.world.readers.get(chats)?.id ?? '')
      const byId = new Map(heads.map(({ chatId, seq, rev }) => [chatId, { seq, rev }]))
      for (const operation of listOperations(place.world, chats, byId)) {
        await time(timed, operation, chats, place)
        lines.push(...(await explain(explained, operation, chats, place)))
      }
    }
  } finally {
    await timed.stop()
    await explained.stop()
  }
  await removeMessages(database, MARK)
  await database.sql`vacuum (analyze) messages`
  const path = join(run.folder, `growth-plans-${place.size}.txt`)
  await mkdir(run.folder, { recursive: true })
  await Bun.write(path, `${lines.join('\n')}\n`)
  run.say(`  plans: ${path}`)
}

async function time({ services }: Stack, operation: Operation, chats: number, { samples, size }: Place): Promise<void> {
  const times: number[] = []
  for (let n = 0; n < WARM_UP + TRIES; n++) {
    const startedAt = performance.now()
    await operation.run(services, n)
    if (n >= WARM_UP) times.push(performance.now() - startedAt)
  }
  samples.note(key(operation.name, size, chats, 'ms'), median(times))
}

/** Some runs before, so that the plans are those of a server that has run for a while. @returns the plans of the last one */
async function explain(stack: Stack, operation: Operation, chats: number, place: Place): Promise<string[]> {
  const { samples, size } = place
  const pages: number[] = []
  let texts: string[] = []
  let scans = 0
  for (let n = 0; n < WARM_UP + EXPLAINED; n++) {
    stack.takePlans()
    await operation.run(stack.services, n)
    const plans = stack.takePlans()
    if (n < WARM_UP) continue
    pages.push(plans.reduce((sum, { buffers }) => sum + buffers, 0))
    texts = plans.map(({ text }) => text)
    scans = texts.join('\n').match(BIG_TABLES)?.length ?? 0
  }
  samples.note(key(operation.name, size, chats, 'pages'), median(pages))
  samples.note(key(operation.name, size, chats, 'scans'), scans)
  const title = `=== ${operation.name}; ${size} messages, ${chats} chats a user: ${median(pages)} pages`
  return [title, ...texts, '']
}

function rowsOf(samples: Samples, sizes: readonly number[]): Row[] {
  const [least = 0, most = 0] = [sizes[0], sizes.at(-1)]
  const measured = Object.keys(samples.all).filter((name) => name !== INDEXING)
  const names = [...new Set(measured.map((name) => name.split(',')[0] ?? ''))]
  const of = (name: string, size: number, chats: number, what: 'ms' | 'pages') =>
    samples.of(key(name, size, chats, what))
  const bySize = (name: string, what: 'ms' | 'pages'): Row => ({
    what: `${name}, ${USUAL} chats, ${most.toLocaleString('en')} messages`,
    unit: what,
    ours: of(name, most, USUAL, what),
    against: { name: `at ${least.toLocaleString('en')}`, values: of(name, least, USUAL, what) },
    goal: what === 'pages' && !name.startsWith('search') ? { atMost: MOST } : undefined,
  })
  const byChats = (name: string, what: 'ms' | 'pages'): Row => ({
    what: `${name}, 1,000 chats, ${most.toLocaleString('en')} messages`,
    unit: what,
    ours: of(name, most, 1000, what),
    against: { name: 'with 100 chats', values: of(name, most, USUAL, what) },
  })
  const indexing: Row = {
    what: 'CPU of indexing a message for search, later',
    unit: 'µs',
    ours: samples.of(INDEXING).slice(-1),
    against: { name: `up to ${least.toLocaleString('en')}`, values: samples.of(INDEXING).slice(0, 1) },
  }
  const asked = names.flatMap((name) => [
    bySize(name, 'pages'),
    bySize(name, 'ms'),
    byChats(name, 'pages'),
    byChats(name, 'ms'),
  ])
  return [...asked, indexing]
}
