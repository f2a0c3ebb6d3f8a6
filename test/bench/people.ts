/** Users with open sessions and direct chats between them, put into a database directly: no password is hashed. */
import type { Database } from '../../src/db/client.ts'
import { createTokens } from '../../src/features/auth/tokens.ts'
import type { Member } from './talkers.ts'

export async function addPairs({ sql }: Database, pairs: number, secret: string): Promise<(Member & { id: string })[]> {
  const tokens = createTokens({ secret, ttlSeconds: 3600 })
  const users = Array.from({ length: pairs * 2 }, () => ({ id: Bun.randomUUIDv7(), sessionId: Bun.randomUUIDv7() }))
  const userIds = users.map(({ id }) => id)
  const chatIds = Array.from({ length: pairs }, () => Bun.randomUUIDv7())
  await sql`
    insert into users (id, phone, username, password_hash)
    select id, '+1' || (1000000000 + n)::text, 'bench_' || n, 'none' from unnest(${userIds}::uuid[]) with ordinality u (id, n)`
  await sql`
    insert into session_tokens (id, user_id, token_hash, next_token_hash, expires_at)
    select id, user_id, id::text, id::text, now() + interval '1 day'
    from unnest(${users.map(({ sessionId }) => sessionId)}::uuid[], ${userIds}::uuid[]) s (id, user_id)`
  await sql`insert into chats (id, type, member_count) select id, 'dm', 2 from unnest(${chatIds}::uuid[]) id`
  await sql`
    insert into chat_members (chat_id, user_id)
    select chat_id, user_id from unnest(${chatIds.flatMap((id) => [id, id])}::uuid[], ${userIds}::uuid[]) m (chat_id, user_id)`
  return await Promise.all(
    users.map(async ({ id, sessionId }, n) => ({
      id,
      token: await tokens.issue(id, sessionId),
      chatId: chatIds[Math.floor(n / 2)] ?? '',
    })),
  )
}
