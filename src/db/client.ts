import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { type ReadValue, readers } from './readers.ts'
import * as schema from './schema/index.ts'

export type Db = PostgresJsDatabase<typeof schema>
export type Tx = Parameters<Parameters<Db['transaction']>[0]>[0]

/** A pool of connections. It reconnects by itself, and whatever was asked of it settles, whatever becomes of PostgreSQL. */
export interface Database {
  readonly db: Db
  /** The driver under `db`, on the same connections: timestamptz is a Date here too, int8 a string. */
  readonly sql: postgres.Sql
  /** How many of the connections are in use, and how many queries wait for one. */
  load(): PoolLoad
  /** Lets running queries end, for `timeoutSeconds` (5 by default) at most; the rest are rejected. */
  close(options?: { timeoutSeconds?: number }): Promise<void>
}

export interface PoolLoad {
  idle: number
  busy: number
  connecting: number
  waiting: number
}

export interface DatabaseOptions {
  /** `postgres://user:password@host:port/database`; `?host=/directory` names a Unix socket. This or `socket` must be given. */
  url?: string
  /** A server behind a Unix socket. */
  socket?: { socketDirectory: string; port: number; user: string; database: string }
  poolMax: number
  /** PostgreSQL shows it as `application_name`. */
  name: string
  /** PostgreSQL ends a statement that runs longer. 0 lets statements take, and be silent, as long as they like: migrations. */
  statementTimeoutSeconds?: number
  /** A connection that owes an answer and sends no byte for so long is given up. Longer than any statement may be silent. */
  silenceSeconds?: number
  connectTimeoutSeconds?: number
  /** Settings of every connection of this pool, over ours: `{ enable_seqscan: false }`. */
  startup?: Record<string, string | number | boolean>
  onNotice?: (notice: postgres.Notice) => void
  /** Told of each answer: the statement without its parameters, and how long PostgreSQL took. It must not throw. */
  onAnswered?: (statement: string, ms: number) => void
}

/**
 * Set by deploy/patches/postgres@3.4.9.patch. With it
 * - whatever runs or waits on a connection is rejected when that closes, whichever way, and nothing is written to a closed
 *   one: stock either waits for ever or throws outside of every promise, which ends the process;
 * - a transaction or reserved connection that was lost stays lost: stock runs its next statement, committed by itself, on
 *   the session that took the connection's place;
 * - a transaction that begins behind a full pipeline has its connection to itself: stock lets others into it;
 * - a query whose parameters can't be sent fails alone: stock fails its neighbour and shifts all answers behind it by one;
 * - `silence_timeout` gives up a connection that owes an answer and sends no byte for so many seconds;
 * - when connecting fails and no connection is left, the queue is refused at once, not one query per attempt;
 * - a COPY whose rows PostgreSQL refuses fails, and one that is read slowly ends: stock waits for ever;
 * - `onanswered` is told of each answer, from when its query was the connection's next; `load()` tells of the pool;
 * - `readers` read values of their types from the bytes that came, not from text, and the `row` of a query whole rows;
 * - a piece of an answer is copied no further than to complete the message that began in the piece before; what a
 *   connection left of a message when it was lost is not taken for the beginning of its next session's: stock does both;
 * - a query with `keep_plan` brings two settings for its transaction alone, without asking twice: the plan that PostgreSQL
 *   makes of it is kept for all its values, and reads no table as a whole where there is an index;
 * - what went through a queue does not stay in it: stock's list of idle connections grows by a place with each query, and is
 *   searched from its start, until all connections are busy at once.
 * It goes into the build that Bun loads (src/) alone.
 */
const patchMark = 'messenger-5'

const timestamptz = 1184
const timestamptzArray = 1185

/** A transaction that waits so long for its client keeps locks that others need. */
const idleInTransactionSeconds = 30

/** Opens no connection yet: the first query does. Throws when the driver isn't the patched one. */
export function connectDatabase(options: DatabaseOptions): Database {
  requirePatch()
  const { url, socket } = options
  if ((url === undefined) === (socket === undefined)) throw new Error('connectDatabase needs a url or a socket')

  const sql = url === undefined ? postgres(driverOptions(options)) : connectToUrl(url, driverOptions(options))
  const db = drizzle(sql, { schema })
  readTimestampsAsDates(sql)
  return {
    db,
    sql,
    load: (sql as PatchedSql).load,
    close: ({ timeoutSeconds = 5 } = {}) => sql.end({ timeout: timeoutSeconds }),
  }
}

/** The stock driver dies with its process when PostgreSQL restarts under load, so nothing starts with it. */
function requirePatch(): void {
  const isPatched = 'patched' in postgres && postgres.patched === patchMark
  if (isPatched) return
  throw new Error(
    'the postgres package lacks the patch that lets it survive restarts of PostgreSQL: ' +
      'install the dependencies with "bun install", or run "npm start"',
  )
}

type DriverOptions = postgres.Options<Record<string, never>> & {
  silence_timeout: number
  onanswered: DatabaseOptions['onAnswered']
  readers: Record<number, ReadValue>
}
type PatchedSql = postgres.Sql & { load(): PoolLoad }

function driverOptions(options: DatabaseOptions): DriverOptions {
  const { socket, poolMax, name, statementTimeoutSeconds = 15, connectTimeoutSeconds = 5, onNotice } = options
  const { silenceSeconds = statementTimeoutSeconds === 0 ? 0 : statementTimeoutSeconds + 5 } = options
  const server = socket && {
    path: `${socket.socketDirectory}/.s.PGSQL.${socket.port}`,
    user: socket.user,
    database: socket.database,
    ssl: false,
  }
  return {
    ...server,
    max: poolMax,
    connect_timeout: connectTimeoutSeconds,
    silence_timeout: silenceSeconds,
    // Never long: PostgreSQL must be in use again within seconds after it is back.
    backoff: (failures: number) => Math.min(0.01 * 2 ** failures, 1),
    connection: startupParameters(name, statementTimeoutSeconds, options.startup),
    onnotice: onNotice ?? (() => {}),
    onanswered: options.onAnswered,
    readers,
  }
}

/** The driver knows no Unix sockets in URLs. The form is libpq's (PostgreSQL's documentation, "Connection URIs"). */
function connectToUrl(url: string, options: DriverOptions): postgres.Sql {
  // A host may be left out there, which the URL of the web doesn't allow after a user.
  const complete = url.replace('@/', '@localhost/')
  if (!URL.canParse(complete)) throw new Error('the URL of the database is malformed')
  const parsed = new URL(complete)
  const directory = parsed.searchParams.get('host')
  if (!directory?.startsWith('/')) return postgres(url, options)
  parsed.searchParams.delete('host')
  return postgres(parsed.href, { ...options, path: `${directory}/.s.PGSQL.${parsed.port || 5432}` })
}

/** The driver leaves out whatever is falsy (0, false), so all are strings. A bare number is in milliseconds to PostgreSQL. */
function startupParameters(
  name: string,
  statementTimeoutSeconds: number,
  startup: Record<string, string | number | boolean> = {},
): Record<string, string> {
  const settings = {
    application_name: name,
    statement_timeout: `${statementTimeoutSeconds}s`,
    // Shorter, so that the error names the lock as the cause.
    lock_timeout: `${Math.floor(statementTimeoutSeconds * 667)}ms`,
    idle_in_transaction_session_timeout: `${idleInTransactionSeconds}s`,
    // What `.prepare(name)` of Drizzle, or the driver, keeps parsed on a connection is planned anew each time: a plan that
    // was made while tables were small would be kept when they are not. statement.ts alone keeps plans.
    plan_cache_mode: 'force_custom_plan',
    // As the embedded PostgreSQL has it for all; another one may compile what is too short to be worth it.
    jit: 'off',
    ...startup,
  }
  return Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, String(value)]))
}

/**
 * Drizzle switches the driver's dates off and parses those of its own columns. That leaves strings wherever it knows no
 * column, and lets no Date into a raw query; Dates suit its columns just as well.
 */
function readTimestampsAsDates({ options }: postgres.Sql): void {
  options.parsers[timestamptz] = (text: string) => new Date(text)
  options.serializers[timestamptz] = (value: unknown) => (value instanceof Date ? value.toISOString() : value)
  // The driver derives the array's from the element's when it connects, unless there are some.
  delete options.parsers[timestamptzArray]
  delete options.serializers[timestamptzArray]
}

/** Whether a unique constraint or index (any, or the one named) refused the row. Sees through Drizzle's wrapping. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  return causes(error).some(
    (cause) =>
      codeOf(cause) === '23505' && (constraint === undefined || fieldOf(cause, 'constraint_name') === constraint),
  )
}

const lossCodes = new Set([
  // PostgreSQL: admin_shutdown, crash_shutdown, cannot_connect_now, idle_session_timeout,
  // idle_in_transaction_session_timeout, too_many_connections.
  ...['57P01', '57P02', '57P03', '57P05', '25P03', '53300'],
  // The driver.
  ...['CONNECTION_CLOSED', 'CONNECTION_ENDED', 'CONNECTION_DESTROYED', 'CONNECTION_SILENT', 'CONNECT_TIMEOUT'],
  // The network.
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'],
  ...['EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN'],
])

/**
 * Whether the database is away: it can't be reached, restarts, or left while it worked. A statement that was under way
 * may have been committed all the same. A statement that took too long (57014, 55P03) is no loss.
 */
export function isConnectionLoss(error: unknown): boolean {
  return causes(error).some((cause) => {
    const code = codeOf(cause)
    // Class 08 is connection_exception; a Unix socket that is gone is ENOENT, but so is any missing file.
    return (
      lossCodes.has(code) || /^08\w{3}$/.test(code) || (code === 'ENOENT' && fieldOf(cause, 'syscall') === 'connect')
    )
  })
}

// query_canceled (by a time-out), lock_not_available, deadlock_detected, serialization_failure.
const contentionCodes = new Set(['57014', '55P03', '40P01', '40001'])

/** Whether PostgreSQL gave a statement up because too much else was going on. Nothing of it was stored. */
export function isContention(error: unknown): boolean {
  return causes(error).some((cause) => contentionCodes.has(codeOf(cause)))
}

/**
 * Whether PostgreSQL has no room left: disk, memory, connections (class 53, insufficient_resources). Nothing of the
 * statement was stored, and only the operator can help.
 */
export function isExhausted(error: unknown): boolean {
  return causes(error).some((cause) => /^53\w{3}$/.test(codeOf(cause)))
}

/** The error and what caused it, outermost first. */
function causes(error: unknown): Error[] {
  const chain: Error[] = []
  for (let next = error; next instanceof Error && !chain.includes(next); next = next.cause) chain.push(next)
  return chain
}

function codeOf(error: Error): string {
  return String(fieldOf(error, 'code') ?? '')
}

function fieldOf(error: Error, field: string): unknown {
  return Reflect.get(error, field)
}
