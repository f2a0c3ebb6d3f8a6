/** Which instances may share a database, and which of them runs the jobs. */

import { afterEach, beforeAll, describe, expect, it } from 'bun:test'
import { holdInstanceLock, type InstanceLock } from '../../src/commands/instance-lock.ts'
import { connectDatabase, type Database } from '../../src/db/client.ts'
import { createLog } from '../../src/observability/log.ts'
import { createDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'

const log = createLog('error', () => {})
/** Longer than the pause between two looks at the locks. */

describe('instances of one database', () => {
  let url: string
  let held: InstanceLock[] = []
  let databases: Database[] = []
  beforeAll(async () => {
    url = await createDatabase()
  })
  afterEach(async () => {
    await Promise.all(held.map((lock) => lock.release()))
    await Promise.all(databases.map((database) => database.close()))
    held = []
    databases = []
  })

  async function join(isAlone: boolean, onLost = () => {}): Promise<InstanceLock> {
    const database = connectDatabase({ url, poolMax: 1, name: 'lock' })
    databases.push(database)
    const lock = await holdInstanceLock(database, log, { isAlone, onLost })
    held.push(lock)
    return lock
  }

  it('share it with Redis; one of them runs the jobs', async () => {
    const all = [await join(false), await join(false), await join(false)]
    expect(all.map((lock) => lock.isRunner())).toEqual([true, false, false])
  })

  it('lets another run the jobs when the runner goes', async () => {
    const [first, second] = [await join(false), await join(false)]
    await first.release()
    expect(first.isRunner()).toBe(false)
    await until(() => second.isRunner())
  })

  it('has one runner again after the runner lost its connection', async () => {
    const [first, second] = [await join(false), await join(false)]
    const admin = connectDatabase({ url, poolMax: 1, name: 'admin' })
    databases.push(admin)
    await admin.sql`select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and objid = 7301003 and granted`
    // The old one may believe in it until it looks again.
    await until(() => second.isRunner() !== first.isRunner())
    await Bun.sleep(2500)
    expect(second.isRunner()).not.toBe(first.isRunner())
  })

  it('refuses a second one that is alone, and says how several work', async () => {
    await join(true)
    await expect(join(true)).rejects.toThrow('REDIS_URL')
  })

  it('refuses one that is alone beside those with Redis, and the other way round', async () => {
    const shared = await join(false)
    await expect(join(true)).rejects.toThrow('REDIS_URL')
    await shared.release()
    held = []
    await join(true)
    await expect(join(false)).rejects.toThrow('without REDIS_URL')
  })
})
