import { heapStats } from 'bun:jsc'
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { sql as text } from 'drizzle-orm'
import { integer, pgTable, timestamp } from 'drizzle-orm/pg-core'
import postgresDriver from 'postgres'
import {
  connectDatabase,
  type Database,
  type DatabaseOptions,
  isConnectionLoss,
  isUniqueViolation,
} from '../../src/db/client.ts'
import { until } from '../support/until.ts'
import { type FaultyPostgres, startFaultyPostgres } from './faulty-postgres.ts'

const moments = pgTable('moments', { id: integer().primaryKey(), at: timestamp({ withTimezone: true }) })

let postgres: FaultyPostgres
const opened: Database[] = []
const connect = (options: Partial<DatabaseOptions> = {}) => {
  const server = options.url === undefined ? { socket: postgres.socket } : {}
  const database = connectDatabase({ ...server, poolMax: 2, name: 'test', ...options })
  opened.push(database)
  return database
}
/** What it rejects with; undefined if it does not. */
const failureOf = (work: PromiseLike<unknown>): Promise<unknown> =>
  Promise.resolve(work).then(
    () => undefined,
    (error) => error,
  )
const now = () => performance.now()
const QUERIES = 5000
/** What one more place takes in a list. */
const BYTES_PER_PLACE = 8
const objectBytes = () => {
  Bun.gc(true)
  const { heapSize, extraMemorySize } = heapStats()
  return heapSize - extraMemorySize
}

beforeAll(async () => {
  postgres = await startFaultyPostgres()
  const { sql } = connect()
  await sql`create table moments (id int primary key, at timestamptz)`
}, 30_000)

afterAll(async () => {
  await Promise.all(opened.map((database) => database.close({ timeoutSeconds: 0 })))
  await postgres.stop()
}, 30_000)

describe('connectDatabase', () => {
  it('refuses the driver without the patch', () => {
    const mark = Reflect.get(postgresDriver, 'patched')
    Reflect.deleteProperty(postgresDriver, 'patched')
    try {
      expect(() => connect()).toThrow(/bun install.*npm start/)
    } finally {
      Reflect.set(postgresDriver, 'patched', mark)
    }
  })

  it('keeps nothing of queries that are over while a connection is idle', async () => {
    const { sql } = connect()
    await Promise.all([sql`select pg_sleep(0.1)`, sql`select pg_sleep(0.1)`])
    const askOften = async () => {
      for (let asked = 0; asked < QUERIES; asked++) await sql`select 1`
    }
    await askOften()
    const before = objectBytes()
    await askOften()
    expect(objectBytes() - before).toBeLessThan((QUERIES * BYTES_PER_PLACE) / 2)
  })

  it('limits what statements, locks and idle transactions may take', async () => {
    const { sql } = connect({ statementTimeoutSeconds: 3, startup: { enable_seqscan: false, work_mem: '5MB' } })
    const rows = await sql<{ name: string; setting: string }[]>`select name, setting from pg_settings where name in
      ('application_name', 'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'enable_seqscan', 'work_mem')`
    expect(Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))).toEqual({
      application_name: 'test',
      statement_timeout: '3000',
      lock_timeout: '2001',
      idle_in_transaction_session_timeout: '30000',
      enable_seqscan: 'off',
      work_mem: '5120',
    })
  })

  it('compiles no statements, whatever the server would', async () => {
    const { sql } = connect()
    const [jit] = await sql`select setting, source from pg_settings where name = 'jit'`
    expect(jit).toEqual({ setting: 'off', source: 'client' })
  })

  it('sets no limits for migrations', async () => {
    const { sql } = connect({ statementTimeoutSeconds: 0 })
    const [row] = await sql`select current_setting('statement_timeout') as s, current_setting('lock_timeout') as l`
    expect(row).toEqual({ s: '0', l: '0' })
  })

  it('takes a URL, with a socket and settings in it', async () => {
    const { socketDirectory, user, database } = postgres.socket
    const { sql } = connect({ url: `postgres://${user}@/${database}?host=${socketDirectory}&work_mem=5MB` })
    const [row] = await sql`select current_database() as name, current_setting('work_mem') as memory`
    expect(row).toEqual({ name: database, memory: '5MB' })
  })

  it('wants a url or a socket', () => {
    expect(() => connectDatabase({ poolMax: 1, name: 'test' })).toThrow('a url or a socket')
  })

  it('reads and writes timestamps as Dates, with Drizzle and without', async () => {
    const { db, sql } = connect()
    const at = new Date('2024-02-29T12:34:56.789Z')
    await db.insert(moments).values({ id: 1, at })
    await sql`insert into moments values (2, ${at})`
    await sql`insert into moments select * from unnest(${[3, 4]}::int[], ${sql.array([at, null], 1184)})`
    expect(await db.select().from(moments).orderBy(moments.id)).toEqual([
      { id: 1, at },
      { id: 2, at },
      { id: 3, at },
      { id: 4, at: null },
    ])
    expect([...(await db.execute(text`select at from moments where at = ${at} and id = 1`))]).toEqual([{ at }])
    expect([...(await sql`select array_agg(at) as all from moments where id < 3`)]).toEqual([{ all: [at, at] }])
  })

  it('passes notices on', async () => {
    const messages: unknown[] = []
    const { sql } = connect({ onNotice: ({ message }) => messages.push(message) })
    await sql`drop table if exists nowhere`
    expect(messages).toEqual(['table "nowhere" does not exist, skipping'])
  })

  it('rejects what still runs when its time to close is over', async () => {
    const { sql, close } = connect()
    const failure = failureOf(sql`select pg_sleep(10)`)
    await Bun.sleep(100)
    const startedAt = now()
    await close({ timeoutSeconds: 0.2 })
    expect(isConnectionLoss(await failure)).toBe(true)
    expect(isConnectionLoss(await failureOf(sql`select 1`))).toBe(true)
    expect(now() - startedAt).toBeLessThan(1_000)
  })
})

describe('a lost connection', () => {
  it('rejects the transaction, and none of its later statements runs', async () => {
    const { db, sql } = connect()
    const lost = Promise.withResolvers<void>()
    const late = Promise.withResolvers<unknown>()
    const failure = await failureOf(
      db
        .transaction(async (tx) => {
          await tx.insert(moments).values({ id: 100 })
          const [session] = await tx.execute<{ pid: number }>(text`select pg_backend_pid() as pid`)
          await sql`select pg_terminate_backend(${session?.pid ?? 0})`
          await lost.promise
          late.resolve(await failureOf(tx.insert(moments).values({ id: 101 })))
        })
        .finally(lost.resolve),
    )
    expect(isConnectionLoss(failure)).toBe(true)
    // Both connections are in use again, so one of them is the one that was lost.
    await Promise.all([sql`select pg_sleep(0.1)`, sql`select pg_sleep(0.1)`])
    expect(isConnectionLoss(await late.promise)).toBe(true)
    expect([...(await sql`select id from moments where id >= 100`)]).toEqual([])
  })

  it('in the middle of a row leaves nothing of it to the next session', async () => {
    const { sql } = connect({ poolMax: 1 })
    const { sql: other } = connect({ poolMax: 1 })
    const [session] = await sql`select pg_backend_pid() as pid`
    const failure = failureOf(sql`select repeat('x', 200000000) as text, pg_sleep(0)`)
    // It is sending, which waits for the socket.
    await until(async () => {
      const [row] = await other`
        select from pg_stat_activity where pid = ${session?.pid} and wait_event = 'ClientWrite'`
      return row !== undefined
    })
    await other`select pg_terminate_backend(${session?.pid})`
    expect(isConnectionLoss(await failure)).toBe(true)
    expect([...(await sql`select 1 as one`)]).toEqual([{ one: 1 }])
  })

  it('makes a reserved connection useless, and its release harmless', async () => {
    const { sql } = connect()
    const reserved = await sql.reserve()
    const [session] = await reserved`select pg_backend_pid() as pid`
    await sql`select pg_terminate_backend(${session?.pid})`
    expect(isConnectionLoss(await failureOf(reserved`select pg_sleep(1)`))).toBe(true)
    await Promise.all([sql`select pg_sleep(0.1)`, sql`select pg_sleep(0.1)`])
    expect(isConnectionLoss(await failureOf(reserved`select 1`))).toBe(true)
    reserved.release()
    const answers = await Promise.all([1, 2, 3, 4].map((n) => sql`select ${n}::int as n, pg_sleep(0.02)`))
    expect(answers.map(([row]) => row?.n)).toEqual([1, 2, 3, 4])
  })

  it('is noticed by its silence, and another takes its place', async () => {
    const { sql } = connect({ poolMax: 1, silenceSeconds: 0.5 })
    await sql`select 1`
    postgres.freeze({ whole: false })
    try {
      const startedAt = now()
      const failures = await Promise.all([failureOf(sql`select 1`), failureOf(sql`select 2`)])
      expect(failures.map((failure) => Reflect.get(Object(failure), 'code'))).toEqual(
        Array(2).fill('CONNECTION_SILENT'),
      )
      expect(failures.every(isConnectionLoss)).toBe(true)
      expect(now() - startedAt).toBeLessThan(1_500)
      expect([...(await sql`select 1 as n`)]).toEqual([{ n: 1 }])
    } finally {
      postgres.thaw()
    }
  })

  it('is not suspected while nothing is asked, or while answers arrive', async () => {
    const { sql } = connect({ poolMax: 1, silenceSeconds: 0.3 })
    const pid = async () => (await sql`select pg_backend_pid() as pid`)[0]?.pid
    const before = await pid()
    await Bun.sleep(700)
    await Promise.all(Array.from({ length: 5 }, () => sql`select pg_sleep(0.15)`))
    // We slept, not the server: the answer is there when we wake up.
    const answer = sql`select 1`.execute()
    await Bun.sleep(1)
    Bun.sleepSync(700)
    await answer
    expect(await pid()).toBe(before)
  })
})

describe('a server that is away', () => {
  const refuseAll = async (options: Partial<DatabaseOptions>, withinMs: number) => {
    const { sql } = connect(options)
    const startedAt = now()
    const failures = await Promise.all(Array.from({ length: 200 }, () => failureOf(sql`select 1`)))
    expect(failures.filter(isConnectionLoss)).toHaveLength(200)
    expect(isConnectionLoss(await failureOf(sql.begin((tx) => tx`select 1`)))).toBe(true)
    expect(isConnectionLoss(await failureOf(sql.reserve()))).toBe(true)
    expect(now() - startedAt).toBeLessThan(withinMs)
  }

  it('refuses everything soon: no socket', () =>
    refuseAll({ socket: { socketDirectory: '/nonexistent', port: 1, user: 'a', database: 'b' } }, 3_000))

  it('refuses everything soon: no listener', () => refuseAll({ url: 'postgres://a@127.0.0.1:1/b' }, 3_000))

  it('refuses everything soon: it accepts and hangs up', async () => {
    using server = Bun.listen({
      hostname: '127.0.0.1',
      port: 0,
      socket: { open: (socket) => void socket.end(), data() {} },
    })
    await refuseAll({ url: `postgres://a@127.0.0.1:${server.port}/b` }, 3_000)
  })

  it('refuses everything soon: it accepts and says nothing', async () => {
    using server = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
    await refuseAll({ url: `postgres://a@127.0.0.1:${server.port}/b`, connectTimeoutSeconds: 0.5 }, 4_500)
  })
})

describe('a query', () => {
  it('that cannot be sent fails alone: those around it on its connection get their own answers', async () => {
    const { sql } = connect({ poolMax: 1 })
    const unsendable = (): never => {
      throw new Error('unsendable')
    }
    const query = (n: number, value: unknown) => sql`select ${n}::int as n, ${value as string}::text as value`
    await query(0, 'prepared')
    const asked = [1, 2, 3, 4, 5].map((n) => query(n, n === 3 ? { toString: unsendable } : 'sound'))
    const outcomes = await Promise.allSettled(asked)
    const answers = outcomes.map((outcome) =>
      outcome.status === 'fulfilled' ? outcome.value[0]?.n : outcome.reason.message,
    )
    expect(answers).toEqual([1, 2, 'unsendable', 4, 5])
  })

  it('that takes too long is ended, which is no loss of the connection', async () => {
    const { sql } = connect({ statementTimeoutSeconds: 1 })
    const failure = await failureOf(sql`select pg_sleep(3)`)
    expect(Reflect.get(Object(failure), 'code')).toBe('57014')
    expect(isConnectionLoss(failure)).toBe(false)
  })

  it('stays out of a transaction that began behind a full pipeline', async () => {
    const { sql } = connect({ poolMax: 1 })
    const count = () => sql`select count(*)::int as n from moments where id >= 200`
    await count()
    // As many as the driver sends ahead, so that `begin` is the one too many.
    const ahead = Array.from({ length: 100 }, () => count().execute())
    const transaction = sql.begin(async (tx) => {
      await tx`insert into moments values (200, null)`
      await Bun.sleep(50)
      throw new Error('rolled back')
    })
    const beside = sql`insert into moments values (201, null)`.execute()
    expect(await failureOf(transaction)).toEqual(new Error('rolled back'))
    await Promise.all([...ahead, beside])
    expect([...(await sql`select id from moments where id >= 200`)]).toEqual([{ id: 201 }])
  })
})

describe('isUniqueViolation', () => {
  it('sees through what Drizzle wraps around it, and knows the constraint', async () => {
    const { db, sql } = connect()
    await db.insert(moments).values({ id: 300 })
    const wrapped = await failureOf(db.insert(moments).values({ id: 300 }))
    const raw = await failureOf(sql`insert into moments values (300, null)`)
    for (const failure of [wrapped, raw]) {
      expect(isUniqueViolation(failure)).toBe(true)
      expect(isUniqueViolation(failure, 'moments_pkey')).toBe(true)
      expect(isUniqueViolation(failure, 'others_pkey')).toBe(false)
      expect(isConnectionLoss(failure)).toBe(false)
    }
    expect(isUniqueViolation(await failureOf(sql`select * from nowhere`))).toBe(false)
    expect(isUniqueViolation('23505')).toBe(false)
  })
})
