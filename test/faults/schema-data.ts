/** Rows for every table of every version, and whether they are all still there after a migration. */
import type postgres from 'postgres'

type Sql = postgres.Sql

/** Whom the rows are about. */
export interface Owners {
  ann: string
  ben: string
  dm: string
  group: string
}

const uuid = () => Bun.randomUUIDv7()
const hash = '0'.repeat(64)

/** One or more rows for each table but those that the talk fills, by the columns that it had from its beginning. */
const rows: Record<string, (sql: Sql, owners: Owners) => Promise<unknown>> = {
  attempt_limits: (sql) => sql`insert into attempt_limits values ('login:somebody', 3, now() + interval '1 hour')`,
  audit_logs: (sql, { ann }) => sql`
    insert into audit_logs (id, user_id, action, ip_address, details) values (${uuid()}, ${ann}, 'login', '2001:db8::7', '{"a": 1}')`,
  channels: async (sql, { ben }) => {
    const id = uuid()
    await sql`insert into chats (id, name, type, owner_id, member_count) values (${id}, 'News', 'channel', ${ben}, 1)`
    await sql`insert into chat_members (chat_id, user_id, role) values (${id}, ${ben}, 'admin')`
    await sql`insert into channels (id, name, owner_id, subscriber_count) values (${id}, 'News', ${ben}, 1)`
  },
  known_addresses: (sql, { ann }) =>
    sql`insert into known_addresses (user_id, address) values (${ann}, '198.51.100.7')`,
  subscriptions: (sql, { ann }) => sql`
    insert into subscriptions (id, user_id, type, start_date, end_date)
    values (${uuid()}, ${ann}, 'premium_yearly', current_date, current_date + 300)`,
  payment_logs: (sql, { ann }) => sql`
    insert into payment_logs (id, user_id, amount, subscription_type, status)
    values (${uuid()}, ${ann}, 49.99, 'premium_yearly', 'completed_stub')`,
  session_tokens: (sql, { ann }) => sql`
    insert into session_tokens (id, user_id, token_hash, next_token_hash, device_info, expires_at)
    values (${uuid()}, ${ann}, ${hash}, ${hash}, '{"user_agent": "phone"}', now() + interval '9 days')`,
  bans: async (sql, { group }) => {
    const id = uuid()
    await sql`insert into users (id, phone, username, password_hash) values (${id}, '+15550000003', 'cem', 'none')`
    await sql`insert into bans (chat_id, user_id) values (${group}, ${id})`
  },
  invites: (sql, { ann, group }) => sql`
    insert into invites (code, chat_id, created_by, max_uses) values (${'A'.repeat(22)}, ${group}, ${ann}, 5)`,
  blocks: async (sql, { ann }) => {
    const id = uuid()
    await sql`insert into users (id, phone, username, password_hash) values (${id}, '+15550000004', 'dea', 'none')`
    await sql`insert into blocks (blocker_id, blocked_id) values (${ann}, ${id})`
  },
  search_heads: (sql, { dm }) => sql`insert into search_heads (chat_id, seq) values (${dm}, 1)`,
  search_words: (sql) => sql`insert into search_words (word) values ('lighthouse')`,
  message_search: (sql, { dm }) => sql`
    insert into message_search (chat_id, created_at, message_id, rev, tokens)
    select chat_id, created_at, id, rev, to_tsvector('simple', content) from messages where chat_id = ${dm} and seq = 1`,
  media: (sql, { ann, dm }) => sql`
    insert into media (id, chat_id, message_id, owner_id, kind, name, file_path, file_name, mime_type, file_size, sha256)
    select ${uuid()}, chat_id, id, ${ann}, 'file', 'uploads/2026/01/15/old', 'uploads/2026/01/15/old.txt', 'old.txt', 'text/plain', 3, ${hash}
    from messages where chat_id = ${dm} and seq = 2`,
  calls: (sql, { ann, ben, dm }) => sql`
    insert into calls (id, chat_id, message_id, caller_id, callee_id, media, state, outcome, created_at, ring_until, ended_at,
      caller_device, caller_session, caller_until, is_recorded)
    values (${uuid()}, ${dm}, ${uuid()}, ${ann}, ${ben}, 'audio', 'ended', 'missed', now(), now(), now(), ${uuid()}, ${uuid()}, now(), true)`,
  uploads: (sql, { ann, dm }) => sql`
    insert into uploads (id, owner_id, chat_id, file_name, size, content, client_id, expires_at)
    values (${uuid()}, ${ann}, ${dm}, 'half.bin', 1000, '', 'half', now() + interval '1 day')`,
  upload_pieces: (sql) => sql`insert into upload_pieces select id, 0, 'pieces/half/0' from uploads`,
}

async function listTables(sql: Sql): Promise<string[]> {
  const found = await sql<{ name: string }[]>`
    select relname as name from pg_class join pg_namespace n on n.oid = relnamespace
    where n.nspname = 'public' and relkind in ('r', 'p') and relname <> 'schema_migrations' order by 1`
  return found.map(({ name }) => name)
}

export type Contents = Map<string, Record<string, unknown>[]>

/** Fills what is there beside the talk. @returns all rows of all tables. @throws when a table has none */
export async function fillTables(sql: Sql, owners: Owners): Promise<Contents> {
  const tables = await listTables(sql)
  for (const [table, insert] of Object.entries(rows)) if (tables.includes(table)) await insert(sql, owners)
  const contents = await readContents(sql, tables)
  const empty = tables.filter((table) => contents.get(table)?.length === 0)
  if (empty.length > 0) throw new Error(`Nothing is known to put into ${empty.join(', ')}`)
  return contents
}

async function readContents(sql: Sql, tables: readonly string[]): Promise<Contents> {
  const contents: Contents = new Map()
  for (const table of tables) {
    const found = await sql<{ row: Record<string, unknown> }[]>`select to_jsonb(t) as row from ${sql(table)} t`
    contents.set(
      table,
      found.map(({ row }) => row),
    )
  }
  return contents
}

/** What is not there any more, or has another value. Columns and tables may have come, none may have gone. */
export async function listLosses(sql: Sql, before: Contents): Promise<string[]> {
  const losses: string[] = []
  const after = await readContents(sql, await listTables(sql))
  for (const [table, had] of before) {
    const has = after.get(table) ?? []
    for (const row of had) {
      const isKept = has.some((other) =>
        Object.entries(row).every(([name, value]) => Bun.deepEquals(other[name], value)),
      )
      if (!isKept) losses.push(`${table} has lost ${JSON.stringify(row).slice(0, 200)}`)
    }
    if (has.length !== had.length) losses.push(`${table} had ${had.length} rows and has ${has.length}`)
  }
  return losses
}
