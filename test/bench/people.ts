/** Users with open sessions and chats between them, put into a database directly: no password is hashed. */
import type { Database } from '../../src/db/client.ts'
import { createTokens } from '../../src/features/auth/tokens.ts'
import type { Member } from './talkers.ts'

export interface Person {
  id: string
  token: string
}

const TOKEN_SECONDS = 4 * 3600

let added = 0

export async function addPeople(
  { sql }: Database,
  count: number,
  secret: string,
  passwordHash = 'none',
): Promise<Person[]> {
  const tokens = createTokens({ secret, ttlSeconds: TOKEN_SECONDS })
  const people = Array.from({ length: count }, () => ({ id: Bun.randomUUIDv7(), sessionId: Bun.randomUUIDv7() }))
  const ids = people.map(({ id }) => id)
  await sql`
    insert into users (id, phone, username, password_hash)
    select id, '+1' || (1000000000 + ${added}::int + n)::text, 'bench_' || (${added}::int + n)::text, ${passwordHash}
    from unnest(${ids}::uuid[]) with ordinality u (id, n)`
  added += count
  await sql`
    insert into session_tokens (id, user_id, token_hash, next_token_hash, expires_at)
    select id, user_id, id::text, id::text, now() + interval '1 day'
    from unnest(${people.map(({ sessionId }) => sessionId)}::uuid[], ${ids}::uuid[]) s (id, user_id)`
  return await Promise.all(people.map(async ({ id, sessionId }) => ({ id, token: await tokens.issue(id, sessionId) })))
}

/** @returns the chat's id of each of `groups` of users, who become its members; two of them are a direct chat */
export async function addChats({ sql }: Database, groups: readonly (readonly Person[])[]): Promise<string[]> {
  const ids = groups.map(() => Bun.randomUUIDv7())
  const keys = groups.map((group) =>
    group.length === 2
      ? group
          .map(({ id }) => id)
          .sort()
          .join(':')
      : null,
  )
  await sql`
    insert into chats (id, type, name, dm_key, member_count)
    select id, (case when key is null then 'group' else 'dm' end)::chat_type,
      case when key is null then 'A group' end, key, members
    from unnest(${ids}::uuid[], ${keys}::text[], ${groups.map(({ length }) => length)}::int[]) c (id, key, members)`
  const members = groups.flatMap((group, n) => group.map(({ id }) => ({ chatId: ids[n] ?? '', userId: id })))
  await sql`
    insert into chat_members (chat_id, user_id)
    select * from unnest(${members.map(({ chatId }) => chatId)}::uuid[], ${members.map(({ userId }) => userId)}::uuid[])`
  await sql`analyze users, chats, chat_members`
  return ids
}

/** Users in direct chats, two by two. */
export async function addPairs(database: Database, pairs: number, secret: string): Promise<(Member & Person)[]> {
  const people = await addPeople(database, pairs * 2, secret)
  const chatIds = await addChats(database, pairsOf(people))
  return people.map((person, n) => ({ ...person, chatId: chatIds[Math.floor(n / 2)] ?? '' }))
}

export const pairsOf = <T>(people: readonly T[]): T[][] =>
  Array.from({ length: Math.floor(people.length / 2) }, (_, n) => people.slice(2 * n, 2 * n + 2))
