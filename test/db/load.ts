/**
 * Everything the server asks of a database, at once and without end, in a process of its own: whether that survives is
 * what the test wants to know. `bun load.ts OPTIONS`; a line on standard input asks, a line of JSON answers.
 */
import { sql as text } from 'drizzle-orm'
import { connectDatabase, type DatabaseOptions, isConnectionLoss } from '../../src/db/client.ts'

export interface LoadOptions {
  database: DatabaseOptions
  /** A piece of work that takes longer hangs. */
  deadlineMs: number
}

export interface Report {
  resolved: number
  rejected: number
  /** Rejected with something else than a connection loss. */
  strange: string[]
  /** Still waiting at the deadline: what, and how often. */
  hung: Record<string, number>
  slowestMs: number
  /** An answer to another question than the one asked. */
  wrongAnswers: number
  /** Transactions of which PostgreSQL kept a part. */
  brokenTransactions: number
  /** Connections that still do work, afterwards. */
  usableConnections: number
}

export type Answer = { ready: true } | { resolved: number } | { recoveredMs: number } | { report: Report }

const workers = 40
const { database: databaseOptions, deadlineMs }: LoadOptions = JSON.parse(process.argv[2] ?? '')
const { db, sql } = connectDatabase(databaseOptions)
const say = (answer: Answer) => process.stdout.write(`${JSON.stringify(answer)}\n`)

const report: Report = {
  resolved: 0,
  rejected: 0,
  strange: [],
  hung: {},
  slowestMs: 0,
  wrongAnswers: 0,
  brokenTransactions: 0,
  usableConnections: 0,
}
let isRunning = true
let lastNumber = 0

const expectSame = (asked: unknown, answered: unknown) => {
  if (asked !== answered) report.wrongAnswers += 1
}

const work: Record<string, () => Promise<unknown>> = {
  query: async () => {
    const n = ++lastNumber
    const [row] = await db.execute(text`select ${n}::int as n, pg_sleep(0.002)`)
    expectSame(n, row?.n)
  },
  pipelinedQueries: () =>
    Promise.all(
      Array.from({ length: 20 }, async () => {
        const n = ++lastNumber
        const [row] = await sql`select ${n}::int as n`
        expectSame(n, row?.n)
      }),
    ),
  largeQuery: async () => {
    const [row] = await sql`select length(${'x'.repeat(200_000)}) as n`
    expectSame(200_000, row?.n)
  },
  transaction: () => {
    const id = ++lastNumber
    return db.transaction(async (tx) => {
      await tx.execute(text`insert into halves values (${id}, 1)`)
      await tx.execute(text`insert into halves values (${id}, 2)`)
    })
  },
  // Its connection may die, and be made again, while it thinks.
  thoughtfulTransaction: () => {
    const id = ++lastNumber
    return db.transaction(async (tx) => {
      await tx.execute(text`insert into halves values (${id}, 1)`)
      await Bun.sleep(30)
      await tx.execute(text`insert into halves values (${id}, 2)`)
    })
  },
  pipelinedTransaction: () => {
    const id = ++lastNumber
    return sql.begin((tx) => [1, 2].map((half) => tx`insert into halves values (${id}, ${half})`))
  },
  nestedTransaction: () => {
    const id = ++lastNumber
    return db.transaction(async (tx) => {
      await tx.execute(text`insert into halves values (${id}, 1)`)
      await tx.transaction((nested) => nested.execute(text`insert into halves values (${id}, 2)`))
    })
  },
  reservedConnection: async () => {
    const connection = await sql.reserve()
    try {
      const [before] = await connection`select pg_backend_pid() as pid`
      await Bun.sleep(5)
      const [after] = await connection`select pg_backend_pid() as pid`
      expectSame(before?.pid, after?.pid)
    } finally {
      connection.release()
    }
  },
}

async function settle(name: string, run: () => Promise<unknown>): Promise<void> {
  const startedAt = performance.now()
  const late = Promise.withResolvers<'hung'>()
  const timer = setTimeout(() => late.resolve('hung'), deadlineMs)
  try {
    const outcome = await Promise.race([run(), late.promise])
    if (outcome === 'hung') report.hung[name] = (report.hung[name] ?? 0) + 1
    else report.resolved += 1
  } catch (error) {
    report.rejected += 1
    if (!isConnectionLoss(error)) report.strange.push(`${name}: ${Bun.inspect(error)}`.slice(0, 1000))
    // Nobody hammers a server that is away.
    await Bun.sleep(5)
  } finally {
    clearTimeout(timer)
    report.slowestMs = Math.max(report.slowestMs, Math.round(performance.now() - startedAt))
  }
}

async function workOn(index: number): Promise<void> {
  const names = Object.keys(work)
  for (let turn = index; isRunning; turn++) {
    const name = names[turn % names.length] ?? 'query'
    await settle(name, work[name] ?? (() => Promise.resolve()))
  }
}

async function measureRecovery(): Promise<number> {
  const startedAt = performance.now()
  const [answered, refused] = [() => true, () => false]
  while (!(await sql`select 1`.then(answered, refused))) await Bun.sleep(10)
  return Math.round(performance.now() - startedAt)
}

/** As many transactions at once as there are connections; each waits for all the others. */
async function countUsableConnections(): Promise<number> {
  const sessions = new Set<unknown>()
  const all = Promise.withResolvers<void>()
  const giveUp = setTimeout(all.resolve, 5_000)
  const occupy = () =>
    sql.begin(async (tx) => {
      const [row] = await tx`select pg_backend_pid() as pid`
      sessions.add(row?.pid)
      if (sessions.size === databaseOptions.poolMax) all.resolve()
      await all.promise
    })
  const occupied = Promise.allSettled(Array.from({ length: databaseOptions.poolMax }, occupy))
  await Promise.race([occupied, Bun.sleep(6_000)])
  clearTimeout(giveUp)
  return sessions.size
}

await sql`create table if not exists halves (id int, half int, primary key (id, half))`
await sql`truncate halves`
const running = Array.from({ length: workers }, (_, index) => workOn(index))
say({ ready: true })

for await (const line of console) {
  if (line === 'resolved') say({ resolved: report.resolved })
  if (line === 'recovery') say({ recoveredMs: await measureRecovery() })
  if (line === 'report') {
    isRunning = false
    await Promise.all(running)
    const broken = await sql`select id from halves group by id having count(*) <> 2`
    report.brokenTransactions = broken.length
    report.usableConnections = await countUsableConnections()
    say({ report })
  }
}
