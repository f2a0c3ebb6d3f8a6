/** Searching by REST, and waiting for what was sent to be indexed. */
import type { Json, TestUser } from '../../support/client.ts'
import type { TestServer } from '../../support/server.ts'

export interface SearchOptions {
  chat_id?: string
  limit?: number
  cursor?: string
}

/** The answer of a search; throws when it was refused. */
export async function search(user: TestUser, q: string, options: SearchOptions = {}): Promise<Json> {
  const { status, body } = await user.get(searchPath(q, options))
  if (status !== 200) throw new Error(`Not searched: ${status} ${JSON.stringify(body)}`)
  return body
}

export function searchPath(q: string, options: SearchOptions = {}): string {
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  return `/messages/search?${new URLSearchParams({ q, ...Object.fromEntries(given) })}`
}

/** What was found, newest first. */
export const textsOf = (found: Json): string[] =>
  found.results.map(({ message }: { message: { content: string } }) => message.content)

/** Resolves when every message and change is indexed, of one chat or of all. */
export async function indexed({ database: { sql } }: Pick<TestServer, 'database'>, chatId?: string): Promise<void> {
  const isBehind = async () => {
    const rows = await sql`
      select from chats c left join search_heads h on h.chat_id = c.id
      where (c.last_seq > coalesce(h.seq, 0) or c.last_rev > coalesce(h.rev, 0))
        and (${chatId ?? null}::uuid is null or c.id = ${chatId ?? null})`
    return rows.length > 0
  }
  for (let n = 0; await isBehind(); n++) {
    if (n > 1000) throw new Error('Not indexed in time')
    await Bun.sleep(20)
  }
}
