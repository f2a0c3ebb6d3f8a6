/** A real PostgreSQL 16 that can be replicated, its hot standbys, and everything that may befall these. */
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectDatabase } from '../../src/db/client.ts'
import { databaseName, prepareCluster, superuser } from '../../src/embedded/cluster.ts'
import { isRoot, nobody } from '../../src/embedded/identity.ts'
import { nativeFiles } from '../../src/embedded/native.ts'
import { createLog } from '../../src/observability/log.ts'

export interface TestReplica {
  /** The replica of a database of the primary, by the primary's URL. */
  urlOf(url: string): string
  /** Runs a statement there as the superuser. */
  ask(database: string, statement: string): Promise<Record<string, unknown>[]>
  /** Receives, but replays nothing any more. */
  pause(): Promise<void>
  resume(): Promise<void>
  /** SIGKILL. */
  kill(): Promise<void>
  start(): Promise<void>
  /** All of its processes are stopped (SIGSTOP): connections stay up, nothing is answered. */
  freeze(): Promise<void>
  thaw(): Promise<void>
  /** Makes it a primary of its own. */
  promote(): Promise<void>
}

export interface TestPrimary {
  /** A new, empty database, owned by an ordinary user. @returns its DATABASE_URL */
  createDatabase(): Promise<string>
  addReplica(): Promise<TestReplica>
  /** With all of its replicas. */
  stop(): Promise<void>
}

const log = createLog('error')
const identity = isRoot() ? nobody : undefined
const OWNER = 'app'
const PORT = 5432
// Nothing here must outlive a power cut.
const SETTINGS = {
  listen_addresses: '',
  fsync: 'off',
  shared_buffers: '32MB',
  max_connections: 100,
  wal_level: 'replica',
  wal_keep_size: '256MB',
  hot_standby: 'on',
  // Statements give way to what is replayed after this.
  max_standby_streaming_delay: '1s',
  jit: 'off',
}

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'messenger-replicated-'))
  await chmod(folder, 0o755)
  if (identity) await chown(folder, identity.uid, identity.gid)
  return folder
}

/** A postmaster on a Unix socket in `folder`, whose cluster is `folder`/data. */
function createServer(folder: string, bin: string, more: Record<string, string> = {}) {
  let child: ReturnType<typeof spawn> | undefined
  const settings = { ...SETTINGS, unix_socket_directories: folder, port: PORT, ...more }
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const spawn = () =>
    Bun.spawn([join(bin, 'postgres'), '-D', join(folder, 'data'), ...args], {
      ...identity,
      cwd: folder,
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8', TZ: 'UTC' },
      stdout: 'ignore',
      stderr: 'ignore',
    })
  const urlOf = (database: string, user = superuser) => `postgres://${user}@/${database}?host=${folder}`

  async function ask(database: string, statement: string): Promise<Record<string, unknown>[]> {
    const connection = connectDatabase({ url: urlOf(database), poolMax: 1, name: 'tests' })
    try {
      return [...(await connection.sql.unsafe(statement))]
    } finally {
      await connection.close()
    }
  }

  async function start(): Promise<void> {
    for (let n = 0; n < 600; n++) {
      // The processes of one that was killed are still going.
      if (!child || child.exitCode !== null || child.signalCode !== null) child = spawn()
      const isUp = await ask(databaseName, 'select 1').then(
        () => true,
        () => false,
      )
      if (isUp) return
      await Bun.sleep(50)
    }
    throw new Error('PostgreSQL does not start')
  }

  async function signal(name: NodeJS.Signals): Promise<void> {
    const { pid } = child ?? {}
    if (pid === undefined) return
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
    for (const id of [pid, ...children.trim().split(/\s+/).map(Number)]) process.kill(id, name)
  }

  async function end(how: NodeJS.Signals): Promise<void> {
    child?.kill(how)
    await child?.exited
  }

  return { folder, urlOf, ask, start, signal, end }
}

export async function startPrimary(): Promise<TestPrimary> {
  const folder = await makeFolder()
  const native = await nativeFiles(folder, identity, log)
  await prepareCluster(join(folder, 'data'), { dataDir: folder, nativeDir: native, identity, log })
  const bin = join(native, 'bin')
  const primary = createServer(folder, bin)
  const folders = [folder]
  const servers = [primary]
  await primary.start()
  await primary.ask(databaseName, `create role ${OWNER} login`)

  /** As PostgreSQL's documentation has it ("Making a Base Backup Using the Low Level API"). */
  async function copyTo(target: string): Promise<void> {
    const data = join(target, 'data')
    const connection = connectDatabase({ url: primary.urlOf(databaseName), poolMax: 1, name: 'tests' })
    try {
      await connection.sql`select pg_backup_start('replica', true)`
      const copied = Bun.spawn(['cp', '-a', join(folder, 'data'), data], { stdout: 'ignore', stderr: 'ignore' })
      await copied.exited
      const [label] = await connection.sql<{ labelfile: string }[]>`select labelfile from pg_backup_stop(false)`
      await rm(join(data, 'postmaster.pid'), { force: true })
      for (const name of await readdir(join(data, 'pg_wal'))) {
        if (/^[0-9A-F]{24}$/.test(name)) await rm(join(data, 'pg_wal', name))
      }
      await writeFile(join(data, 'backup_label'), label?.labelfile ?? '')
      await writeFile(join(data, 'standby.signal'), '')
      await mkdir(join(data, 'pg_wal'), { recursive: true })
      for (const name of ['backup_label', 'standby.signal']) {
        if (identity) await chown(join(data, name), identity.uid, identity.gid)
      }
    } finally {
      await connection.close()
    }
  }

  return {
    async createDatabase() {
      const name = `test_${Bun.randomUUIDv7().replaceAll('-', '')}`
      await primary.ask(databaseName, `create database ${name} owner ${OWNER}`)
      return primary.urlOf(name, OWNER)
    },

    async addReplica() {
      const target = await makeFolder()
      folders.push(target)
      await copyTo(target)
      const source = `host=${folder} port=${PORT} user=${superuser}`
      const replica = createServer(target, bin, { primary_conninfo: source })
      servers.push(replica)
      await replica.start()
      const order = async (statement: string) => void (await replica.ask(databaseName, statement))
      return {
        urlOf: (url) => url.replace(folder, target),
        ask: replica.ask,
        pause: () => order('select pg_wal_replay_pause()'),
        resume: () => order('select pg_wal_replay_resume()'),
        kill: () => replica.end('SIGKILL'),
        start: replica.start,
        freeze: () => replica.signal('SIGSTOP'),
        thaw: () => replica.signal('SIGCONT'),
        promote: () => order('select pg_promote(true, 30)'),
      }
    },

    async stop() {
      for (const server of servers.reverse()) {
        await server.signal('SIGCONT').catch(() => undefined)
        await server.end('SIGQUIT')
      }
      for (const one of folders) await rm(one, { recursive: true, force: true })
    },
  }
}
