/**
 * What a read replica takes off the primary: pages of history and searches with one and without, in turns, each with its
 * access check: `npm run bench:replicas`. About two minutes.
 */
import { cpus } from 'node:os'
import { connectDatabase } from '../../src/db/client.ts'
import { createQueryMeter } from '../../src/db/measure.ts'
import { migrate } from '../../src/db/migrate.ts'
import { noReplicas, openReplicas, type Replicas } from '../../src/db/replicas.ts'
import { accessChat } from '../../src/features/chats/access.ts'
import { createHistory } from '../../src/features/messages/history.ts'
import { createSearch } from '../../src/features/messages/search.ts'
import { createLog } from '../../src/observability/log.ts'
import { createMetrics } from '../../src/observability/metrics.ts'
import { startPrimary } from '../support/replicated-postgres.ts'
import { fill, indexForSearch, wordAt } from './many-messages.ts'
import { measureAll, type Variant } from './measure.ts'

const ROWS = 500_000
const CHATS = 200
const PAGE = 50
const PLAN = { rounds: 5, seconds: 2, flows: 4 }

const write = (text: string) => void process.stdout.write(`${text}\n`)
const pick = <T>(from: readonly T[]): T => from[Math.floor(Math.random() * from.length)] as T
const log = createLog('error')

async function bench(): Promise<void> {
  const primary = await startPrimary()
  const url = await primary.createDatabase()
  const database = connectDatabase({ url, poolMax: 10, name: 'bench', statementTimeoutSeconds: 0 })
  const { db, sql } = database
  let replicas: Replicas = noReplicas
  try {
    await migrate(sql, log)
    const { userId, searcherId, chatIds, perChat } = await fill(sql, ROWS, CHATS)
    await indexForSearch(database)
    await sql`vacuum (analyze)`
    const replica = await primary.addReplica()
    const metrics = createMetrics()
    const ofReplicas = { primary: database, log, metrics, queries: createQueryMeter(metrics, log, 0) }
    replicas = openReplicas({ urls: [replica.urlOf(url)], poolMax: 10, maxLagSeconds: 5, ...ofReplicas })
    while (!replicas.areUsable()) await Bun.sleep(100)

    const tasks: Record<string, (readers: Replicas) => Variant['run']> = {
      'a page of history': (readers) => {
        const readHistory = createHistory({ db, replicas: readers })
        return async () => {
          const chat = await accessChat(db, userId, pick(chatIds), 'read')
          return readHistory(chat, { beforeSeq: Math.ceil(Math.random() * perChat) }, PAGE)
        }
      },
      'search: a common word': (readers) => {
        const { search } = createSearch({ db, replicas: readers })
        return () => search(searcherId, { q: wordAt(2) })
      },
      'search: a rare word': (readers) => {
        const { search } = createSearch({ db, replicas: readers })
        return () => search(searcherId, { q: wordAt(20_000 + Math.floor(Math.random() * 20_000)) })
      },
    }
    const variants = Object.entries(tasks).flatMap(([task, runWith]) => [
      { task, way: 'the primary alone', run: runWith(noReplicas) },
      { task, way: 'with a replica', run: runWith(replicas) },
    ])
    const backends = async () =>
      (await sql<{ pid: number }[]>`select pid from pg_stat_activity where application_name = 'bench'`).map(
        ({ pid }) => pid,
      )
    const results = await measureAll(variants, { postgres: backends, redis: 0 }, PLAN)
    write(`${new Date().toISOString().slice(0, 10)}, ${cpus().length} x ${cpus()[0]?.model.trim()}, Bun ${Bun.version}`)
    write(`${ROWS} messages in ${CHATS} chats; the primary's CPU in microseconds an operation`)
    write('| what | from | operations/s | CPU of the primary | against it alone |')
    write('|---|---|---:|---:|---:|')
    for (const { task, way, perSecond, postgres } of results) {
      const alone = results.find((one) => one.task === task)?.postgres ?? Number.NaN
      const cells = [Math.round(perSecond), Math.round(postgres), (postgres / alone).toFixed(2)]
      write(`| ${[task, way, ...cells].join(' | ')} |`)
    }
    const lines = (await metrics.print()).split('\n').filter((line) => line.startsWith('messenger_replica_reads_total'))
    write(lines.join('\n'))
  } finally {
    await replicas.close()
    await database.close()
    await primary.stop()
  }
}

await bench()
process.exit(0)
