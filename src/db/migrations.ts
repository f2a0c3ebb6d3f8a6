/** The SQL of every migration, in order, inside the code, so that the binary carries it. */

import first from '../../drizzle/0000_first.sql' with { type: 'text' }
import fillfactor from '../../drizzle/0001_fillfactor.sql' with { type: 'text' }
import journal from '../../drizzle/meta/_journal.json'

export interface Migration {
  /** Its place, from 0. */
  id: number
  tag: string
  statements: string[]
}

const texts: Record<string, string> = { '0000_first': first, '0001_fillfactor': fillfactor }

export const migrations: readonly Migration[] = journal.entries.map(({ idx, tag }) => {
  const text = texts[tag]
  if (text === undefined) throw new Error(`drizzle/${tag}.sql is in the journal but not imported in db/migrations.ts`)
  return { id: idx, tag, statements: text.split('--> statement-breakpoint') }
})
