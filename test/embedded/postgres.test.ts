import { afterAll, afterEach, beforeAll, describe, expect, it, setDefaultTimeout } from 'bun:test'
import { existsSync, lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../support/until.ts'
import {
  isOrdinaryUserShutOut,
  isRunning,
  launch,
  makeHome,
  people,
  postmasterPid,
  query,
  removeHome,
  type Server,
} from './harness.ts'

setDefaultTimeout(30_000)

it.skipIf(isOrdinaryUserShutOut)('an ordinary user can read this tree, so that root runs their half too', () => {
  expect(people.some(({ name }) => name === 'an ordinary user')).toBe(true)
})

for (const person of people) {
  describe(`embedded PostgreSQL, run by ${person.name}`, () => {
    let home: string
    let template: string
    const servers: Server[] = []

    const start = (dataDir: string): Server => {
      const server = launch(dataDir, person)
      servers.push(server)
      return server
    }

    /** A data directory with a database and one table, as a clean stop left it. */
    const aDataDir = (name: string): string => {
      const dataDir = join(home, name)
      expect(Bun.spawnSync(['cp', '-a', template, dataDir]).success).toBe(true)
      return dataDir
    }

    const notes = (server: Server) =>
      query(server, (sql) => sql<{ text: string }[]>`select text from notes order by id`)

    beforeAll(async () => {
      home = makeHome(person)
      template = join(home, 'template')
      const server = start(template)
      await query(server, (sql) => sql`create table notes (id int generated always as identity, text text not null)`)
      await query(server, (sql) => sql`insert into notes (text) values ('first')`)
      expect(await server.stop()).toBe(0)
    })

    afterEach(async () => {
      for (const server of servers.splice(0)) {
        if (server.child.exitCode === null && server.child.signalCode === null) await server.stop()
      }
    })

    afterAll(() => removeHome(home))

    it('creates a durable database that listens on a private socket alone', async () => {
      const dataDir = join(home, 'fresh')
      const server = start(dataDir)
      const [row] = await query(
        server,
        (sql) => sql`
          select current_setting('server_version_num')::int / 10000 as major, current_setting('listen_addresses') as tcp,
            current_setting('fsync') || current_setting('synchronous_commit') || current_setting('full_page_writes') as safe,
            lower('ÄÖЖ') as lowered, current_database()::text as database, current_user::text as "user"`,
      )
      expect(row).toEqual({
        major: 16,
        tcp: '',
        safe: 'ononon',
        lowered: 'äöж',
        database: 'messenger',
        user: 'messenger',
      })
      const { socketDirectory } = await server.ready()
      expect(lstatSync(socketDirectory).mode & 0o777).toBe(0o700)
      expect(lstatSync(join(dataDir, 'postgres')).uid).not.toBe(0)

      expect(await server.stop()).toBe(0)
      expect(existsSync(socketDirectory)).toBe(false)
      expect(existsSync(join(dataDir, 'postgres/postmaster.pid'))).toBe(false)
    })

    it('keeps its data through a restart', async () => {
      const server = start(aDataDir('restart'))
      expect(await notes(server)).toEqual([{ text: 'first' }])
    })

    it('brings to the disk by itself what was committed without waiting for it', async () => {
      await query(start(aDataDir('lazily')), async (sql) => {
        await sql`set synchronous_commit = off`
        await sql`insert into notes (text) values ('second')`
        const [written] = await sql<{ upto: string }[]>`select pg_current_wal_insert_lsn()::text as upto`
        await until(async () => {
          const [row] = await sql<{ is: boolean }[]>`
            select pg_current_wal_flush_lsn() >= ${written?.upto ?? ''}::pg_lsn as is`
          return row?.is
        })
        return []
      })
    })

    it('works in a data directory with a long path and spaces', async () => {
      const dataDir = aDataDir(`long ${'x'.repeat(200)}`)
      expect(await notes(start(dataDir))).toEqual([{ text: 'first' }])
    })

    it('stops PostgreSQL when its parent is killed, and cleans up', async () => {
      const dataDir = aDataDir('orphan')
      const server = start(dataDir)
      const { socketDirectory } = await server.ready()
      const pid = postmasterPid(dataDir)
      await server.killHard()
      await until(() => !isRunning(pid), 'PostgreSQL to stop')
      await until(() => !existsSync(socketDirectory), 'the socket directory to go')
      expect(existsSync(join(dataDir, 'postgres/postmaster.pid'))).toBe(false)
    })

    it('waits for the PostgreSQL of a killed parent to finish stopping', async () => {
      const dataDir = aDataDir('takeover')
      const first = start(dataDir)
      await first.ready()
      const pid = postmasterPid(dataDir)
      // Halted, it can't even begin to stop.
      process.kill(pid, 'SIGSTOP')
      await first.killHard()
      const second = start(dataDir)
      await Bun.sleep(300)
      expect(second.lines.some((line) => line.message === 'ready' || line.message === 'failed')).toBe(false)
      process.kill(pid, 'SIGCONT')
      expect(await notes(second)).toEqual([{ text: 'first' }])
    })

    it('recovers every committed row when all its processes are killed', async () => {
      const dataDir = aDataDir('crash')
      const server = start(dataDir)
      await query(server, async (sql) => {
        for (let n = 0; n < 50; n++) await sql`insert into notes (text) values (${`note ${n}`})`
        return []
      })
      const { socketDirectory } = await server.ready()
      process.kill(postmasterPid(dataDir), 'SIGKILL')
      await server.killHard()

      const next = start(dataDir)
      expect(await notes(next)).toEqual([
        { text: 'first' },
        ...Array.from({ length: 50 }, (_, n) => ({ text: `note ${n}` })),
      ])
      await next.said('was interrupted')
      expect(existsSync(socketDirectory)).toBe(false)
    })

    it('starts although the process id of a dead server went to another process', async () => {
      const dataDir = aDataDir('reused')
      const lockFile = join(dataDir, 'postgres/postmaster.pid')
      const victim = Bun.spawn(['sleep', '60'], lstatSync(join(dataDir, 'postgres')))
      writeFileSync(lockFile, `${victim.pid}\n/proc/self/cwd\n1700000000\n5432\n/tmp/messenger-gone\n\n\nready\n`)
      try {
        expect(await notes(start(dataDir))).toEqual([{ text: 'first' }])
      } finally {
        victim.kill()
      }
    })

    it('refuses a second server on the same directory, and the first goes on', async () => {
      const dataDir = aDataDir('shared')
      const first = start(dataDir)
      await first.ready()
      const pid = postmasterPid(dataDir)
      const second = start(dataDir)
      expect(await second.refused()).toEqual({
        name: 'EmbeddedPostgresInUseError',
        message: `${dataDir}/postgres is in use by another running server (its PostgreSQL has process id ${pid})`,
      })
      expect(await notes(first)).toEqual([{ text: 'first' }])
      expect(postmasterPid(dataDir)).toBe(pid)
    })

    it('lets one of two servers win that start at the same moment in an empty directory', async () => {
      const dataDir = join(home, 'race')
      const pair = [start(dataDir), start(dataDir)]
      const outcomes = await Promise.all(
        pair.map((server) =>
          server.ready().then(
            () => 'ready',
            () => server.refused().then(({ name }) => name),
          ),
        ),
      )
      expect(outcomes.sort()).toEqual(['EmbeddedPostgresInUseError', 'ready'])
      expect(readdirSync(dataDir).filter((name) => name.startsWith('postgres.'))).toEqual([])
    })

    it('starts PostgreSQL again at the same socket when it dies', async () => {
      const dataDir = aDataDir('death')
      const server = start(dataDir)
      await server.ready()
      for (const times of [1, 2]) {
        const pid = postmasterPid(dataDir)
        process.kill(pid, 'SIGKILL')
        const isBack = () => server.lines.filter((line) => line.message === 'PostgreSQL runs again').length === times
        await until(isBack, `restart ${times}`)
        expect(postmasterPid(dataDir)).not.toBe(pid)
        expect(await notes(server)).toEqual([{ text: 'first' }])
      }
      expect(await server.stop()).toBe(0)
    })

    it('stops while PostgreSQL is being started again', async () => {
      const dataDir = aDataDir('stop-in-restart')
      const server = start(dataDir)
      await server.ready()
      process.kill(postmasterPid(dataDir), 'SIGKILL')
      await server.said('PostgreSQL died')
      expect(await server.stop()).toBe(0)
      expect(existsSync((await server.ready()).socketDirectory)).toBe(false)
    })

    it('survives an interrupt from the terminal, which reaches the whole process group', async () => {
      const server = start(aDataDir('interrupt'))
      await server.ready()
      process.kill(-server.child.pid, 'SIGINT')
      await server.said('interrupted')
      expect(await notes(server)).toEqual([{ text: 'first' }])
    })

    it('refuses the data of another major version, touches nothing and says the way out', async () => {
      const dataDir = aDataDir('older')
      const versionFile = join(dataDir, 'postgres/PG_VERSION')
      writeFileSync(versionFile, '15\n')
      const { name, message } = await start(dataDir).refused()
      expect(name).toBe('EmbeddedPostgresError')
      expect(message).toMatch(/PostgreSQL 15.*carries 16.*messenger backup DIR.*messenger restore DIR/)
      expect(readFileSync(versionFile, 'utf8')).toBe('15\n')
    })

    it('refuses a directory that holds something else', async () => {
      const dataDir = aDataDir('strange')
      expect(Bun.spawnSync(['rm', join(dataDir, 'postgres/PG_VERSION')]).success).toBe(true)
      expect((await start(dataDir).refused()).message).toContain('is not empty and holds no database')
    })

    it('begins anew when it was killed while it created the database', async () => {
      const dataDir = join(home, 'half')
      const first = start(dataDir)
      await first.said('creating the database')
      const drafts = () => readdirSync(dataDir).filter((name) => name.startsWith('postgres.init-'))
      await until(() => drafts().some((name) => existsSync(join(dataDir, name, 'base/1'))), 'initdb to be half way')
      await first.killHard()
      expect(existsSync(join(dataDir, 'postgres'))).toBe(false)

      const second = start(dataDir)
      expect(await query(second, (sql) => sql`select 1 as one`)).toEqual([{ one: 1 }])
      await second.said('never finished')
      expect(drafts()).toEqual([])
    })
  })
}
