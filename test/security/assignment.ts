/** Fields that nobody may set: a body that carries them is taken without them, or refused; they change nothing. */
import { fillPath, routes, type Stage } from '../http/inputs.ts'
import { noneOf, type Outcome, type Scenario } from '../support/scenario.ts'
import { startServer } from '../support/server.ts'

/** Of all tables, in the spelling of JSON and of the code. */
const smuggled = (victimId: string): Record<string, unknown> => ({
  id: Bun.randomUUIDv7(),
  user_id: victimId,
  userId: victimId,
  sender_id: victimId,
  senderId: victimId,
  owner_id: victimId,
  ownerId: victimId,
  is_premium: true,
  isPremium: true,
  is_admin: true,
  isAdmin: true,
  is_disabled: false,
  last_seq: 1_000_000,
  lastSeq: 1_000_000,
  rev: 77,
  deleted_at: '2020-01-01T00:00:00.000Z',
  deletedAt: '2020-01-01T00:00:00.000Z',
  created_at: '2020-01-01T00:00:00.000Z',
  createdAt: '2020-01-01T00:00:00.000Z',
  end_date: '9999-12-31',
  amount: 0,
  status: 'completed_stub',
  subscriber_count: 1_000_000,
  member_count: 1_000_000,
  media_url: 'uploads/2026/01/15/theirs.webp',
  avatar_url: 'https://evil.example/x.png',
  password_hash: 'x',
  passwordHash: 'x',
  uses: -1000,
  code: 'A'.repeat(22),
  ['__proto__']: { isAdmin: true },
  constructor: { prototype: { isAdmin: true } },
})

/** Nothing of that may be found anywhere. */
const TRACES = [
  "select count(*)::int as n from users where is_premium or created_at < '2021-01-01' or deleted_at is not null or avatar_url like 'https://evil%' or password_hash = 'x'",
  "select count(*)::int as n from chats where last_seq >= 1000000 or created_at < '2021-01-01' or member_count >= 1000000 or id = '0190f6a2-0000-7000-8000-000000000000'",
  "select count(*)::int as n from messages where rev = 77 or created_at < '2021-01-01' or deleted_at < '2021-01-01' or media_url is not null",
  "select count(*)::int as n from channels where subscriber_count >= 1000000 or created_at < '2021-01-01'",
  "select count(*)::int as n from subscriptions where end_date > '2200-01-01'",
  'select count(*)::int as n from payment_logs where amount = 0',
  "select count(*)::int as n from invites where uses < 0 or code = repeat('A', 22)",
]

export const massAssignment: Scenario = {
  name: 'mass-assignment',
  bar: '0 fields set that are not the caller’s to set',
  withinSeconds: 60,
  async run(): Promise<Outcome> {
    const server = await startServer()
    const [attacker, victim, member] = [await server.addUser(), await server.addUser(), await server.addUser()]
    const chatId = await server.addGroup(attacker, member)
    const channelId = String((await attacker.post('/channels', { name: 'Channel' })).body.id)
    const messageId = String((await attacker.post('/messages', { chat_id: chatId, content: 'hello' })).body.id)
    const stage: Stage = { chatId, channelId, memberId: member.id, messageId }
    const faults: string[] = []
    let taken = 0
    for (const route of routes) {
      // It makes the attacker premium by right.
      if (route.path === '/subscriptions/purchase') continue
      const own = route.body(stage)
      const answer = await attacker.call(route.method, fillPath(route.path, stage), { ...smuggled(victim.id), ...own })
      if (answer.status < 300) taken++
      const theirs = ['owner_id', 'sender_id', 'user_id'].filter((name) => answer.body?.[name] === victim.id)
      if (theirs.length > 0) faults.push(`${route.method} ${route.path} answered ${theirs.join()} of the victim`)
      for (const trace of TRACES) {
        const [row] = await server.database.sql.unsafe(trace)
        if (row?.n !== 0) faults.push(`${route.method} ${route.path}: ${trace}`)
      }
      if (Object.hasOwn(Object.prototype, 'isAdmin')) faults.push(`${route.method} ${route.path} changed the prototype`)
    }
    const [owned] = await server.database.sql<{ n: number }[]>`
      select count(*)::int as n from (
        select 1 from chats where owner_id = ${victim.id} union all select 1 from messages where sender_id = ${victim.id}
        union all select 1 from chat_members where user_id = ${victim.id}
      ) x`
    if (owned?.n !== 0) faults.push(`the victim owns ${owned?.n} things`)
    await server.stop()
    const outcome = noneOf(faults, routes.length - 1, 'routes took what is not theirs')
    return {
      ...outcome,
      isHeld: outcome.isHeld && taken > 5,
      figure: `${outcome.figure}, ${taken} of them answered 2xx`,
    }
  },
}
