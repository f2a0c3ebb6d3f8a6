/** Statements that are asked often: written and planned once, and their rows are read by place, from the bytes that came. */
import { Column, fillPlaceholders, is, type Placeholder, type Query } from 'drizzle-orm'
import { PgBigInt53, PgInteger, PgTimestamp } from 'drizzle-orm/pg-core'
import type { PostgresJsSession } from 'drizzle-orm/postgres-js'
import type postgres from 'postgres'
import type { Db, Tx } from './client.ts'
import { type ReadValue, readText, readWhole } from './readers.ts'

/** A value, or what stands for it until the statement is asked. */
export type Given<T> = T | Placeholder

/** A select of Drizzle, with what was handed to `select`: columns, SQL, and objects of them. */
export interface Selection<Row> {
  fields: Record<string, object>
  query: PromiseLike<Row[]> & { toSQL(): Query }
}

/**
 * `build` is called once, with placeholders for what differs from one asking to the next; its statement stays parsed and
 * planned on each connection. One plan is for all values and sizes of tables, so write it such that there is one way to
 * answer it, along an index. The rows are those that Drizzle makes, at a fraction of what it takes for them, but for one
 * rule: an object within a row is null wherever its first column is, so put one there that its table has as `not null`. A
 * placeholder for which there is no value rejects.
 */
export function statement<Row>(build: (db: Db | Tx) => Selection<Row>) {
  let written: Written | undefined
  return async (db: Db | Tx, values: Record<string, unknown>): Promise<Row[]> => {
    written ??= write(build(db))
    const { text, params, options } = written
    const { client } = db._.session as unknown as Pick<PostgresJsSession<postgres.Sql, never, never>, 'client'>
    return await client.unsafe<Row[] & postgres.MaybeRow[]>(text, fillPlaceholders(params, values) as never[], options)
  }
}

interface Written {
  text: string
  params: unknown[]
  options: QueryOptions
}

/** `row` and `keep_plan` are the patched driver's. */
interface QueryOptions extends postgres.UnsafeQueryOptions {
  row(bytes: Buffer, start: number, columns: readonly DriverColumn[]): unknown
  keep_plan: true
}

/** How the driver reads a column, by its type. */
interface DriverColumn {
  reader?: ReadValue
  parser?: { (text: string): unknown; array?: boolean }
}

function write<Row>({ fields, query }: Selection<Row>): Written {
  const { sql: text, params } = query.toSQL()
  const { width, make } = rowMaker(fields)
  const readers = listReaders(fields)
  const row: QueryOptions['row'] = (bytes, start, columns) => {
    const values = new Array<unknown>(width)
    let at = start
    for (let place = 0; place < width; place++) {
      const length = bytes.readInt32BE(at)
      at += LENGTH_BYTES
      if (length === NULL) values[place] = null
      else {
        const end = at + length
        const read = readers[place]
        values[place] = read ? read(bytes, at, end) : readAsDriver(columns[place] as DriverColumn, bytes, at, end)
        at = end
      }
    }
    return make(values)
  }
  return { text, params, options: { prepare: true, keep_plan: true, row } }
}

const LENGTH_BYTES = 4
const NULL = -1

/** As the driver itself does. */
function readAsDriver({ reader, parser }: DriverColumn, bytes: Buffer, start: number, end: number): unknown {
  if (reader !== undefined) return reader(bytes, start, end)
  if (parser === undefined) return readText(bytes, start, end)
  return parser(readText(bytes, parser.array ? start + 1 : start, end))
}

/** For each place what reads it better than the driver, which gives an int8 as text. */
const listReaders = (fields: Record<string, object>): (ReadValue | undefined)[] =>
  Object.values(fields).flatMap((field) =>
    isObject(field) ? listReaders(field) : [is(field, PgBigInt53) ? readWhole : undefined],
  )

type MakeRow = (values: readonly unknown[]) => unknown

/**
 * Makes the row of its values. Its text is written out with all names in it, which are those of our own code: an object that
 * is filled name by name takes several times as long, and is a fifth of what a row costs.
 */
function rowMaker(fields: Record<string, object>): { width: number; make: MakeRow } {
  const maps: Map[] = []
  let width = 0
  const literalOf = (own: Record<string, object>): string => {
    const members = Object.entries(own).map(([name, field]) => `${JSON.stringify(name)}: ${textOf(field)}`)
    return `{ ${members.join(', ')} }`
  }
  const textOf = (field: object): string => {
    const value = `values[${width}]`
    if (isObject(field)) return `${value} === null ? null : ${literalOf(field)}`
    width++
    const map = mapOf(field)
    return map ? `${value} === null ? null : maps[${maps.push(map) - 1}](${value})` : value
  }
  const literal = literalOf(fields)
  const bind = new Function('maps', `return (values) => (${literal})`) as (maps: Map[]) => MakeRow
  return { width, make: bind(maps) }
}

const isObject = (field: object): field is Record<string, object> => Object.getPrototypeOf(field) === Object.prototype

type Map = (value: unknown) => unknown

/** Undefined for what is already as it is to be. */
function mapOf(field: object): Map | undefined {
  const isMapped = is(field, Column) && field.mapFromDriverValue !== Column.prototype.mapFromDriverValue
  if (!isMapped || is(field, PgBigInt53) || is(field, PgInteger) || is(field, PgTimestamp)) return undefined
  return field.mapFromDriverValue.bind(field)
}
