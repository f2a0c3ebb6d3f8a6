/** Messages to search in: words as common as words are (Zipf's law), some of them Chinese. The same in every run. */
import type postgres from 'postgres'

const WORDS = 50_000
const WORDS_A_MESSAGE = 9
const BATCH = 5000
/** Every so many messages are Chinese. */
const HAN_EVERY = 5
const HAN_CHARACTERS = 2000

const SYLLABLES = [...'бвгдклмнпрст'].flatMap((consonant) => [...'аеиоуя'].map((vowel) => consonant + vowel))

/** A number below 1, always the same for the same two. */
const noise = (a: number, b: number): number => Number(Bun.hash.wyhash(`${a}:${b}`) % 1_000_003n) / 1_000_003

const words = Array.from({ length: WORDS }, (_, rank) =>
  Array.from({ length: 3 + (rank % 3) }, (_, n) => SYLLABLES[Math.floor(noise(rank, n) * SYLLABLES.length)]).join(''),
)

/** The word of this rank, 0 the most common: three to five syllables. */
export const wordAt = (rank: number): string => words[rank] ?? ''

const hanAt = (rank: number) => String.fromCodePoint(0x4e00 + rank)

/** Two of the most common characters; and a pair that one message in some thousands has. */
export const HAN_COMMON = hanAt(0) + hanAt(1)
export const HAN_RARE = hanAt(300) + hanAt(700)

/** Ranks as Zipf has them: the logarithm is spread evenly. */
const rankOf = (chance: number, ranks: number) => Math.floor(ranks ** chance) - 1

function contentOf(n: number): string {
  const isHan = n % HAN_EVERY === 0
  if (!isHan) {
    return Array.from({ length: WORDS_A_MESSAGE }, (_, at) => wordAt(rankOf(noise(n, at), WORDS))).join(' ')
  }
  const text = Array.from({ length: 16 }, (_, at) => hanAt(rankOf(noise(n, at), HAN_CHARACTERS))).join('')
  return n % (HAN_EVERY * 1000) === 0 ? text + HAN_RARE : text
}

/** A user in the first `own` of so many chats; the others have another member. */
export async function addChats(sql: postgres.Sql, count: number, own: number) {
  const [userId, otherId] = [Bun.randomUUIDv7(), Bun.randomUUIDv7()]
  const chatIds = Array.from({ length: count }, () => Bun.randomUUIDv7())
  await sql`
    insert into users (id, phone, username, password_hash)
    values (${userId}, '+1000000001', 'bench_1', 'none'), (${otherId}, '+1000000002', 'bench_2', 'none')`
  await sql`insert into chats (id, type, member_count) select id, 'group', 1 from unnest(${chatIds}::uuid[]) id`
  const memberIds = chatIds.map((_, index) => (index < own ? userId : otherId))
  await sql`
    insert into chat_members (chat_id, user_id)
    select chat_id, user_id from unnest(${chatIds}::uuid[], ${memberIds}::uuid[]) m (chat_id, user_id)`
  return { userId, chatIds }
}

/** Messages `from` to `to`, one chat after the other, a second apart. */
export async function addMessages(sql: postgres.Sql, chatIds: readonly string[], from: number, to: number) {
  for (let start = from; start < to; start += BATCH) {
    const numbers = Array.from({ length: Math.min(BATCH, to - start) }, (_, index) => start + index)
    await sql`
      insert into messages (chat_id, id, seq, client_id, content, created_at, updated_at)
      select chat_id, id, seq, id::text, content, at, at from (
        select chat_id, id, seq, content, timestamptz '2026-01-01' + n * interval '1 second' as at from unnest(
          ${numbers.map((n) => chatIds[n % chatIds.length] ?? '')}::uuid[], ${numbers.map(() => Bun.randomUUIDv7())}::uuid[],
          ${numbers.map((n) => Math.floor(n / chatIds.length) + 1)}::bigint[], ${numbers.map(contentOf)}::text[],
          ${numbers}::bigint[]
        ) row (chat_id, id, seq, content, n)
      ) row`
  }
  await sql`update chats set last_seq = ${to / chatIds.length} where id = any(${[...chatIds]}::uuid[])`
}
