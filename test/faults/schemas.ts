/** Databases of every earlier version, with data in them, and of a later one. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectDatabase } from '../../src/db/client.ts'
import { migrate } from '../../src/db/migrate.ts'
import { migrations } from '../../src/db/migrations.ts'
import { createLog } from '../../src/observability/log.ts'
import { run } from '../commands/process.ts'
import { createDatabase } from '../support/postgres.ts'
import { allOf, noneOf, type Outcome, type Scenario } from '../support/scenario.ts'
import { startServer, TEST_SECRET } from '../support/server.ts'
import { type Contents, fillTables, listLosses, type Owners } from './schema-data.ts'

const log = createLog('error', () => {})
const MESSAGES = 50

/** Two users, a direct chat, a group, what was said there, and something in every table that there is. */
async function fill(url: string): Promise<{ owners: Owners; contents: Contents }> {
  const { sql, close } = connectDatabase({ url, poolMax: 1, name: 'tests' })
  const [ann = '', ben = '', dm = '', group = ''] = Array.from({ length: 4 }, () => Bun.randomUUIDv7())
  await sql`
    insert into users (id, phone, username, password_hash)
    values (${ann}, '+15550000001', 'ann', 'none'), (${ben}, '+15550000002', 'ben', 'none')`
  const dmKey = [ann, ben].sort().join(':')
  await sql`
    insert into chats (id, name, type, owner_id, member_count, last_seq, dm_key)
    values (${dm}, null, 'dm', null, 2, ${MESSAGES}, ${dmKey}), (${group}, 'Group', 'group', ${ann}, 2, ${MESSAGES}, null)`
  for (const chat of [dm, group]) {
    await sql`
      insert into chat_members (chat_id, user_id, role, last_read_seq)
      values (${chat}, ${ann}, ${chat === group ? 'admin' : 'member'}, 10), (${chat}, ${ben}, 'member', 0)`
    await sql`
      insert into messages (chat_id, id, seq, sender_id, client_id, content)
      select ${chat}, gen_random_uuid(), n, case when n % 2 = 0 then ${ann}::uuid else ${ben}::uuid end, 'key ' || n, 'lighthouse ' || n
      from generate_series(1, ${MESSAGES}) n`
  }
  const owners = { ann, ben, dm, group }
  const contents = await fillTables(sql, owners)
  await close()
  return { owners, contents }
}

/** What a user of the old data sees with this version. */
async function use(url: string, { ann, dm, group }: Owners): Promise<string[]> {
  const server = await startServer({ DATABASE_URL: url }, { instances: 1 })
  const faults: string[] = []
  const user = await server.addSession(ann)
  const list = (await user.get('/chats')).body
  if (list.chats?.length !== 2) faults.push(`the chat list has ${list.chats?.length}`)
  for (const chatId of [dm, group]) {
    const { body } = await user.get(`/chats/${chatId}/messages?limit=100`)
    const said = body.messages?.map(({ content, seq }: { content: string; seq: number }) => `${seq} ${content}`)
    const expected = Array.from({ length: MESSAGES }, (_, n) => `${MESSAGES - n} lighthouse ${MESSAGES - n}`)
    if (JSON.stringify(said) !== JSON.stringify(expected))
      faults.push(`the history is another one: ${said?.slice(0, 3)}`)
    const unread = list.chats?.find(({ id }: { id: string }) => id === chatId)?.unread_count
    if (unread !== MESSAGES - 10) faults.push(`${unread} are unread`)
    const repeat = await user.post('/messages', { chat_id: chatId, content: 'again', client_id: 'key 2' })
    if (repeat.body.seq !== 2) faults.push(`a repeat of an old message is number ${repeat.body.seq}`)
    const sent = await user.post('/messages', { chat_id: chatId, content: 'the next one' })
    if (sent.status !== 201 || sent.body.seq !== MESSAGES + 1)
      faults.push(`the next message: ${sent.status} ${sent.body.seq}`)
  }
  await server.stop()
  return faults
}

export const migrationScenario: Scenario = {
  name: 'migrations',
  bar: 'every earlier schema with data is brought here and used; an older binary on a newer schema refuses in one line',
  withinSeconds: 90,
  async run(): Promise<Outcome> {
    const faults: string[] = []
    let rows = 0
    for (const [index, { tag }] of migrations.entries()) {
      const url = await createDatabase()
      const database = connectDatabase({ url, poolMax: 1, name: 'tests', statementTimeoutSeconds: 0 })
      await migrate(database.sql, log, migrations.slice(0, index + 1))
      await database.close()
      const { owners, contents } = await fill(url)
      const newer = connectDatabase({ url, poolMax: 1, name: 'tests', statementTimeoutSeconds: 0 })
      await migrate(newer.sql, log)
      const losses = await listLosses(newer.sql, contents)
      await newer.close()
      rows += [...contents.values()].flat().length
      faults.push(...[...losses, ...(await use(url, owners))].map((fault) => `from ${tag}: ${fault}`))
    }

    const url = await createDatabase()
    const newer = connectDatabase({ url, poolMax: 1, name: 'tests' })
    await migrate(newer.sql, log)
    await newer.sql`insert into schema_migrations (id, tag) values (9999, '9999_of_the_future')`
    await newer.close()
    const dataDir = await mkdtemp(join(tmpdir(), 'messenger-schema-'))
    const old = await run(['serve'], { DATABASE_URL: url, DATA_DIR: dataDir, JWT_SECRET: TEST_SECRET, PORT: '0' })
    await rm(dataDir, { recursive: true, force: true })
    const errors = old.out.split('\n').filter((line) => line.includes('"level":"error"'))
    const isClean = old.code === 1 && errors.length === 1 && errors[0]?.includes('9999_of_the_future') === true
    return allOf([
      noneOf(faults, migrations.length, `schemas with ${rows} rows in all tables did not come here whole`),
      {
        figure: `the old binary ended with ${old.code} and ${errors.length} line`,
        isHeld: isClean,
        faults: isClean ? [] : errors,
      },
    ])
  },
}
