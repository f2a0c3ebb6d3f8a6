/** The tables as they were specified, and what was promised beyond that, in a database that the migrations made. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

/** Table -> column -> type as PostgreSQL names it, then `not null` and the default where the document gives one. */
const columns: Record<string, Record<string, string>> = {
  users: {
    id: 'uuid not null',
    // Null for deleted accounts alone: see the check below.
    phone: 'character varying(20)',
    email: 'character varying(255)',
    password_hash: 'character varying(255) not null',
    username: 'character varying(50)',
    avatar_url: 'text',
    bio: 'text',
    is_premium: 'boolean not null default false',
    last_seen_at: 'timestamptz',
    created_at: 'timestamptz not null default now()',
    updated_at: 'timestamptz not null default now()',
    deleted_at: 'timestamptz',
  },
  chats: {
    id: 'uuid not null',
    name: 'character varying(255)',
    type: 'chat_type not null',
    owner_id: 'uuid',
    created_at: 'timestamptz not null default now()',
    updated_at: 'timestamptz not null default now()',
  },
  chat_members: {
    chat_id: 'uuid not null',
    user_id: 'uuid not null',
    role: "member_role not null default 'member'",
    joined_at: 'timestamptz not null default now()',
    last_read_at: 'timestamptz',
  },
  messages: {
    id: 'uuid not null',
    sender_id: 'uuid',
    chat_id: 'uuid not null',
    content: 'text not null',
    message_type: "message_type not null default 'text'",
    media_url: 'text',
    created_at: 'timestamptz not null default now()',
    updated_at: 'timestamptz not null default now()',
  },
  channels: {
    id: 'uuid not null',
    name: 'character varying(255) not null',
    owner_id: 'uuid',
    description: 'text',
    subscriber_count: 'integer not null default 0',
    created_at: 'timestamptz not null default now()',
  },
  subscriptions: {
    id: 'uuid not null',
    user_id: 'uuid not null',
    type: 'subscription_type not null',
    start_date: 'date not null',
    end_date: 'date not null',
    auto_renew: 'boolean not null default false',
    status: "subscription_status not null default 'active'",
    created_at: 'timestamptz not null default now()',
  },
  payment_logs: {
    id: 'uuid not null',
    user_id: 'uuid',
    amount: 'numeric(10,2) not null',
    subscription_type: 'character varying(50) not null',
    status: "payment_status not null default 'pending'",
    payment_method: "character varying(50) not null default 'stub'",
    notes: 'text',
    created_at: 'timestamptz not null default now()',
  },
  session_tokens: {
    id: 'uuid not null',
    user_id: 'uuid not null',
    token_hash: 'character varying(255) not null',
    device_info: 'jsonb',
    ip_address: 'inet',
    expires_at: 'timestamptz not null',
    created_at: 'timestamptz not null default now()',
  },
  audit_logs: {
    id: 'uuid not null',
    user_id: 'uuid',
    action: 'audit_action not null',
    ip_address: 'inet',
    user_agent: 'text',
    details: 'jsonb',
    created_at: 'timestamptz not null default now()',
  },
}

/** The document's values first; ours may follow. */
const enums: Record<string, string[]> = {
  chat_type: ['dm', 'group'],
  member_role: ['admin', 'member'],
  message_type: ['text', 'image', 'video', 'audio', 'file'],
  subscription_type: ['premium_monthly', 'premium_yearly'],
  subscription_status: ['active', 'expired', 'cancelled'],
  payment_status: ['completed_stub', 'pending', 'failed'],
  audit_action: ['login', 'logout', 'register', 'password_change', 'profile_update', 'account_delete'],
}

/** Index -> how its definition goes on after the table's name. */
const indexes: Record<string, string> = {
  idx_messages_chat_created: 'messages USING btree (chat_id, created_at DESC',
  idx_messages_sender: 'messages USING btree (sender_id, chat_id, client_id)',
  idx_chat_members_user: 'chat_members USING btree (user_id)',
  idx_users_phone: 'users USING btree (phone)',
  idx_users_email: 'users USING btree (lower((email)::text))',
  idx_subscriptions_user_status: 'subscriptions USING btree (user_id, status)',
  idx_session_tokens_user: 'session_tokens USING btree (user_id)',
  idx_session_tokens_expires: 'session_tokens USING btree (expires_at)',
  idx_audit_logs_user: 'audit_logs USING btree (user_id)',
  idx_audit_logs_action: 'audit_logs USING btree (action)',
  // "indexed" in the table of users.
  idx_users_last_seen: 'users USING btree (last_seen_at)',
}

/** Table and column -> what it refers to, and what becomes of the row. Those of messages are left out on purpose. */
const references: Record<string, string> = {
  'chats.owner_id': 'users no action',
  'chat_members.chat_id': 'chats cascade',
  'chat_members.user_id': 'users cascade',
  'channels.owner_id': 'users cascade',
  'subscriptions.user_id': 'users cascade',
  'payment_logs.user_id': 'users set null',
  'session_tokens.user_id': 'users cascade',
  'audit_logs.user_id': 'users set null',
}

const primaryKeys: Record<string, string> = {
  users: 'id',
  chats: 'id',
  chat_members: 'chat_id, user_id',
  channels: 'id',
  subscriptions: 'id',
  payment_logs: 'id',
  session_tokens: 'id',
  audit_logs: 'id',
}

/** As PostgreSQL spells it, made comparable to the tables above. */
const spell = (type: string) =>
  type.replace(/timestamp\(\d\) with time zone/, 'timestamptz').replace(/('[^']*')::[\w ]+/, '$1')

describe('the schema', () => {
  it('has every column that was specified, of its type, with its default', async () => {
    const rows = await server.database.sql<{ name: string; column: string; type: string }[]>`
      select c.relname as name, a.attname as column, format_type(a.atttypid, a.atttypmod)
        || case when a.attnotnull then ' not null' else '' end
        || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') as type
      from pg_attribute a join pg_class c on c.oid = a.attrelid
      left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped`
    const found: Record<string, Record<string, string>> = {}
    for (const { name, column, type } of rows) found[name] = { ...found[name], [column]: spell(type) }
    for (const [name, expected] of Object.entries(columns))
      expect({ [name]: found[name] }).toMatchObject({ [name]: expected })
  })

  it('has every enum that was specified', async () => {
    const rows = await server.database.sql<{ name: string; labels: string[] }[]>`
      select t.typname as name, array_agg(e.enumlabel::text order by e.enumsortorder) as labels
      from pg_type t join pg_enum e on e.enumtypid = t.oid group by 1`
    const found = new Map(rows.map(({ name, labels }) => [name, labels]))
    for (const [name, labels] of Object.entries(enums))
      expect({ name, labels: found.get(name)?.slice(0, labels.length) }).toEqual({ name, labels })
  })

  it('has every index that was specified', async () => {
    const rows = await server.database.sql<{ name: string; definition: string }[]>`
      select indexname as name, indexdef as definition from pg_indexes where schemaname = 'public'`
    const found = new Map(rows.map(({ name, definition }) => [name, definition]))
    for (const [name, on] of Object.entries(indexes)) expect(`${name}: ${found.get(name)}`).toContain(`public.${on}`)
    // Unique among the living.
    for (const name of ['idx_users_phone', 'idx_users_email', 'idx_users_username']) {
      expect(found.get(name)).toStartWith('CREATE UNIQUE INDEX')
      expect(found.get(name)).toContain('deleted_at IS NULL')
    }
  })

  it('has the keys and references that were specified', async () => {
    const rows = await server.database.sql<
      { name: string; kind: string; keys: string[]; target: string; on_delete: string }[]
    >`
      select c.conrelid::regclass::text as name, c.contype::text as kind, c.confrelid::regclass::text as target,
        case c.confdeltype when 'c' then 'cascade' when 'n' then 'set null' else 'no action' end as on_delete,
        (select array_agg(a.attname::text order by k.at) from unnest(c.conkey) with ordinality k (num, at)
          join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.num) as keys
      from pg_constraint c where c.connamespace = 'public'::regnamespace and c.contype in ('p', 'f')`
    const primary = rows.filter(({ kind }) => kind === 'p').map(({ name, keys }) => [name, keys.join(', ')])
    expect(Object.fromEntries(primary)).toMatchObject(primaryKeys)
    const foreign = rows
      .filter(({ kind }) => kind === 'f')
      .map(({ name, keys, target, on_delete }) => [`${name}.${keys.join()}`, `${target} ${on_delete}`])
    expect(Object.fromEntries(foreign)).toMatchObject(references)
  })

  it('keeps every instant with its zone', async () => {
    const rows = await server.database.sql`
      select table_name, column_name from information_schema.columns
      where table_schema = 'public' and data_type in ('timestamp without time zone', 'time without time zone')`
    expect([...rows]).toEqual([])
  })

  it('has chat_id in every unique key of messages, so that the table can be split by it', async () => {
    const rows = await server.database.sql<{ name: string; keys: string[] }[]>`
      select i.indexrelid::regclass::text as name, (select array_agg(a.attname::text) from unnest(i.indkey::int[]) k
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k) as keys
      from pg_index i where i.indrelid = 'messages'::regclass and i.indisunique`
    expect(rows.length).toBeGreaterThanOrEqual(3)
    for (const { name, keys } of rows)
      expect({ name, keys }).toEqual({ name, keys: expect.arrayContaining(['chat_id']) })
  })

  it('indexes no column that each message changes in its chat', async () => {
    const rows = await server.database.sql`
      select a.attname from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
      where i.indrelid = 'chats'::regclass and a.attname in ('last_seq', 'last_rev', 'last_message_at')`
    expect([...rows]).toEqual([])
  })

  it('lets no living account be without a phone', async () => {
    const { sql } = server.database
    const insert = (deletedAt: Date | null) => sql`
      insert into users (id, password_hash, deleted_at) values (${Bun.randomUUIDv7()}, '', ${deletedAt})`
    const refusal = await insert(null).catch((error: Error) => error.message)
    expect(refusal).toContain('users_living_have_phone')
    await insert(new Date())
  })
})

describe('messages, which have no foreign keys', () => {
  it('are gone with their chat, also while others write in it', async () => {
    const [owner, writer] = [await server.addUser(), await server.addUser()]
    const chatId = await server.addGroup(owner, writer)
    const socket = await writer.socket()
    const asking = Array.from({ length: 200 }, (_, n) =>
      socket.ask({ type: 'message', chat_id: chatId, content: `${n}` }),
    )
    await asking[20]
    expect((await owner.delete(`/chats/${chatId}`)).status).toBe(200)
    const answers = await Promise.all(asking)
    const refused = answers.filter(({ type }) => type === 'error')
    for (const { error } of refused) expect(error).toBe('Chat not found')
    const [row] = await server.database.sql`select count(*)::int as count from messages where chat_id = ${chatId}`
    expect(row?.count).toBe(0)
    await socket.close()
  })

  it('always belong to a chat and to an account, deleted ones included', async () => {
    const [user, peer] = [await server.addUser(), await server.addUser()]
    const chatId = await server.addDm(user, peer)
    await user.post('/messages', { chat_id: chatId, content: 'hello' })
    expect((await user.delete('/users/me')).status).toBe(200)
    const orphans = await server.database.sql`
      select m.id from messages m left join chats c on c.id = m.chat_id left join users u on u.id = m.sender_id
      where c.id is null or u.id is null`
    expect([...orphans]).toEqual([])
    expect((await peer.get(`/chats/${chatId}/messages`)).body.messages).toMatchObject([{ sender_id: user.id }])
  })
})
