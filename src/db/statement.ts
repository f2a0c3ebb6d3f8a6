/** Statements that are asked often: the text is written once, and rows are read by place. */
import { Column, is, type Placeholder, type Query } from 'drizzle-orm'
import type { Db, Tx } from './client.ts'

/** A value, or what stands for it until the statement is asked. */
export type Given<T> = T | Placeholder

/** A select of Drizzle, with what was handed to `select`: columns, SQL, and objects of them. */
export interface Selection<Row> {
  fields: Record<string, object>
  query: PromiseLike<Row[]> & { toSQL(): Query }
}

/**
 * `build` is called once, with placeholders for what differs from one asking to the next; its statement stays parsed on
 * each connection. The rows are those that Drizzle makes, at a fraction of what it takes for them, but for one rule: an
 * object within a row is null wherever its first column is, so put one there that its table has as `not null`. A placeholder
 * for which there is no value rejects.
 */
export function statement<Row>(build: (db: Db | Tx) => Selection<Row>) {
  let written: { query: Query; read: (values: readonly unknown[]) => Row } | undefined
  return (db: Db | Tx, values: Record<string, unknown>): Promise<Row[]> => {
    written ??= write(build(db))
    const { query, read } = written
    return db._.session
      .prepareQuery<Answer<Row>>(query, undefined, 'stays parsed', true, (rows) => rows.map(read))
      .execute(values)
  }
}

interface Answer<Row> {
  execute: Row[]
  all: unknown
  values: unknown
}

function write<Row>({ fields, query }: Selection<Row>) {
  const { read } = objectReader(fields)
  return { query: query.toSQL(), read: (values: readonly unknown[]) => read(values, 0) as Row }
}

/** Reads what stands from a place on, and is so many values wide. */
interface Reader {
  width: number
  read(values: readonly unknown[], at: number): unknown
}

function objectReader(fields: Record<string, object>): Reader {
  let width = 0
  const parts = Object.entries(fields).map(([name, field]) => {
    const { width: ownWidth, read } = isObject(field)
      ? nullable(objectReader(field))
      : { width: 1, read: readerOf(field) }
    const part = { name, offset: width, read }
    width += ownWidth
    return part
  })
  return {
    width,
    read(values, at) {
      const row: Record<string, unknown> = {}
      for (const { name, offset, read } of parts) row[name] = read ? read(values, at + offset) : values[at + offset]
      return row
    },
  }
}

const isObject = (field: object): field is Record<string, object> => Object.getPrototypeOf(field) === Object.prototype

const nullable = ({ width, read }: Reader): Reader => ({
  width,
  read: (values, at) => (values[at] === null ? null : read(values, at)),
})

/** Undefined for what comes from the driver as it is to be. */
function readerOf(field: object): Reader['read'] | undefined {
  if (!is(field, Column) || field.mapFromDriverValue === Column.prototype.mapFromDriverValue) return undefined
  const map = field.mapFromDriverValue.bind(field)
  return (values, at) => (values[at] === null ? null : map(values[at]))
}
