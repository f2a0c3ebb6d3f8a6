/** deploy/postgres/partition-messages.sql: what it makes of a database, and that it is all or nothing. */
import { afterAll, beforeEach, describe, expect, it } from 'bun:test'
import { connectDatabase, type Database, isUniqueViolation } from '../../src/db/client.ts'
import { loadDump } from '../../src/db/load.ts'
import { migrate } from '../../src/db/migrate.ts'
import { migrations } from '../../src/db/migrations.ts'
import { createLog } from '../../src/observability/log.ts'
import { describeSchema, hashTables } from '../backup/hashes.ts'
import { dump } from '../support/dumped.ts'
import { partition } from '../support/partition.ts'
import { createDatabase } from '../support/postgres.ts'

const log = createLog('error')
const opened: Database[] = []
const CHATS = 40
const MESSAGES = 50

async function open(): Promise<Database> {
  const database = connectDatabase({ url: await createDatabase(), poolMax: 2, name: 'tests' })
  opened.push(database)
  return database
}

/** Messages of every kind: edited, deleted, with a file, from an account that is gone. */
async function fill({ sql }: Database): Promise<void> {
  await sql.unsafe(`
    insert into users (id, phone, username, password_hash)
      select gen_random_uuid(), n::text, 'user_' || n, 'none' from generate_series(1, 3) n;
    insert into chats (id, type, member_count, last_seq, last_rev)
      select gen_random_uuid(), 'group', 0, ${MESSAGES}, 10 from generate_series(1, ${CHATS});
    insert into messages (chat_id, id, seq, rev, sender_id, client_id, content, media, deleted_at)
      select c.id, gen_random_uuid(), n, case when n % 5 = 0 then n / 5 else 0 end,
        case when n % 7 = 0 then null else (select id from users where n % 3 + 1 = phone::int) end, 'key ' || n,
        'text' || chr(10) || 'no. ' || n, case when n % 9 = 0 then '{"a": "b"}'::jsonb end,
        case when n % 10 = 0 then now() end
      from chats c, generate_series(1, ${MESSAGES}) n`)
}

let database: Database
beforeEach(async () => {
  database = await open()
  await migrate(database.sql, log)
  await fill(database)
})
afterAll(async () => {
  for (const one of opened) await one.close()
})

const listPartitions = ({ sql }: Database) =>
  sql<{ name: string; rows: number }[]>`
    select c.relname as name, (select count(*)::int from messages m where m.tableoid = c.oid) as rows
    from pg_partition_tree('messages') p join pg_class c on c.oid = p.relid where p.isleaf order by 1`

/** The schema without the partitions and what is theirs. */
const describeWhole = async ({ sql }: Database) =>
  (await describeSchema(sql))
    .filter((line) => !/messages_\d{3}/.test(line))
    .map((line) => line.replace(' ON ONLY ', ' ON '))

describe('a database whose messages were partitioned', () => {
  it('has every row, and every index and key by its name', async () => {
    const [rows, schema] = [await hashTables(database.sql), await describeWhole(database)]
    await partition(database.sql)
    expect(await hashTables(database.sql)).toEqual(rows)
    expect(await describeWhole(database)).toEqual(schema)
    const parts = await listPartitions(database)
    expect(parts.map(({ name }) => name)).toEqual(
      Array.from({ length: 16 }, (_, n) => `messages_${String(n).padStart(3, '0')}`),
    )
    expect(parts.reduce((total, part) => total + part.rows, 0)).toBe(CHATS * MESSAGES)
    expect(parts.every((part) => part.rows % MESSAGES === 0)).toBe(true)
  })

  it('has as many partitions as were asked for, and belongs to whom it belonged', async () => {
    await database.sql.unsafe('create role keeper')
    try {
      await database.sql.unsafe('grant create on schema public to keeper; alter table messages owner to keeper')
      await partition(database.sql, 4)
      expect(await listPartitions(database)).toHaveLength(4)
      const owners = await database.sql`
        select distinct pg_get_userbyid(relowner) as owner from pg_class where relname like 'messages%'`
      expect([...owners]).toEqual([{ owner: 'keeper' }])
      const [row] = await database.sql`select current_user::text as role`
      expect(row?.role).toBe('messenger')
    } finally {
      await database.sql.unsafe('drop owned by keeper cascade; drop role keeper')
    }
  })

  it('still refuses the second of the same', async () => {
    await partition(database.sql)
    const again = (changed: string) =>
      database.sql.unsafe(`
        insert into messages (chat_id, id, seq, sender_id, client_id, content)
        select chat_id, ${changed}, content from messages where seq = 1 limit 1`)
    const isRefused = (error: unknown) => isUniqueViolation(error)
    for (const changed of [
      `id, 1000, sender_id, 'new'`,
      `gen_random_uuid(), seq, sender_id, 'new'`,
      `gen_random_uuid(), 1000, sender_id, client_id`,
    ]) {
      expect(await again(changed).then(() => false, isRefused)).toBe(true)
    }
  })

  it('looks for a chat in one partition, whatever plan is kept', async () => {
    await partition(database.sql)
    const connection = await database.sql.reserve()
    await connection`set plan_cache_mode = force_generic_plan`
    await connection.unsafe(
      'prepare page (uuid) as select * from messages where chat_id = $1 and seq < 100 order by seq desc limit 50',
    )
    const [chat] = await connection`select id from chats limit 1`
    const plan = await connection.unsafe(`explain (analyze, costs off, timing off) execute page ('${chat?.id}')`)
    const lines = plan.map((row) => String(row['QUERY PLAN']))
    expect(lines.filter((line) => / on messages_\d{3} /.test(line))).toHaveLength(1)
    expect(lines.join('\n')).toContain('Subplans Removed: 15')
    connection.release()
  })

  it('is backed up, and is restored as one table, which can be partitioned again', async () => {
    await partition(database.sql)
    const restored = await open()
    await loadDump(restored, log, await dump(database))
    expect(await hashTables(restored.sql)).toEqual(await hashTables(database.sql))
    expect(await listPartitions(restored)).toHaveLength(0)
    await partition(restored.sql, 8)
    expect(await hashTables(restored.sql)).toEqual(await hashTables(database.sql))
  })

  it('takes the migrations of later versions', async () => {
    await partition(database.sql)
    const later = {
      id: migrations.length,
      tag: 'later',
      statements: [
        'alter table messages add column mood text',
        'create index idx_messages_mood on messages (chat_id, mood) where mood is not null',
      ],
    }
    expect(await migrate(database.sql, log, [...migrations, later])).toEqual(['later'])
    await database.sql`update messages set mood = 'fine' where seq = 1`
    expect((await database.sql`select from messages where mood = 'fine'`).length).toBe(CHATS)
  })
})

describe('the script', () => {
  it('changes nothing where it does not finish, and finishes the next time', async () => {
    const [rows, schema] = [await hashTables(database.sql), await describeSchema(database.sql)]
    for (const count of [1, 257, 'many']) await expect(partition(database.sql, count)).rejects.toThrow()
    await database.sql.unsafe(`
      create function nothing() returns trigger language plpgsql as 'begin return new; end';
      create trigger something before insert on messages for each row execute function nothing()`)
    await expect(partition(database.sql)).rejects.toThrow('triggers')
    await database.sql`drop trigger something on messages`
    // The name of a partition is taken: this fails half way.
    await database.sql`create table messages_007 ()`
    await expect(partition(database.sql)).rejects.toThrow('messages_007')
    await database.sql`drop table messages_007`
    expect(await hashTables(database.sql)).toEqual(rows)
    expect(await describeSchema(database.sql)).toEqual(schema)
    await partition(database.sql)
    await expect(partition(database.sql)).rejects.toThrow('partitioned already')
    expect(await hashTables(database.sql)).toEqual(rows)
  })
})
