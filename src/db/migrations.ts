/** The SQL of every migration, in order, inside the code, so that the binary carries it. */

import first from '../../drizzle/0000_first.sql' with { type: 'text' }
import fillfactor from '../../drizzle/0001_fillfactor.sql' with { type: 'text' }
import membersAndPremium from '../../drizzle/0002_members_and_premium.sql' with { type: 'text' }
import search from '../../drizzle/0003_search.sql' with { type: 'text' }
import accessRev from '../../drizzle/0004_access_rev.sql' with { type: 'text' }
import media from '../../drizzle/0005_media.sql' with { type: 'text' }
import calls from '../../drizzle/0006_calls.sql' with { type: 'text' }
import uploads from '../../drizzle/0007_uploads.sql' with { type: 'text' }
import journal from '../../drizzle/meta/_journal.json'

export interface Migration {
  /** Its place, from 0. */
  id: number
  tag: string
  statements: string[]
}

const texts: Record<string, string> = {
  '0000_first': first,
  '0001_fillfactor': fillfactor,
  '0002_members_and_premium': membersAndPremium,
  '0003_search': search,
  '0004_access_rev': accessRev,
  '0005_media': media,
  '0006_calls': calls,
  '0007_uploads': uploads,
}

export const migrations: readonly Migration[] = journal.entries.map(({ idx, tag }) => {
  const text = texts[tag]
  if (text === undefined) throw new Error(`drizzle/${tag}.sql is in the journal but not imported in db/migrations.ts`)
  return { id: idx, tag, statements: text.split('--> statement-breakpoint') }
})
