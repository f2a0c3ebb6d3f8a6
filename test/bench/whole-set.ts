/** All that runs on the box, from the system's packages and our settings, on free ports: to see what it needs. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectDatabase } from '../../src/db/client.ts'
import {
  databaseName,
  dataDirectoryArgument,
  makeDataDirectory,
  prepareCluster,
  superuser,
} from '../../src/embedded/cluster.ts'
import { chooseIdentity } from '../../src/embedded/identity.ts'
import { nativeFiles } from '../../src/embedded/native.ts'
import { childEnvironment } from '../../src/embedded/run.ts'
import { createLog } from '../../src/observability/log.ts'
import { startProcess } from '../faults/server-process.ts'
import { startCaddy } from '../support/caddy.ts'
import { freePort } from '../support/redis.ts'

const DEPLOY = join(import.meta.dir, '../../deploy')
const log = createLog('error', (line) => process.stderr.write(`${line}\n`))

export interface WholeSet {
  /** Through Caddy. */
  url: string
  /** The server itself. */
  apiUrl: string
  databaseUrl: string
  /** The first process of each service. */
  pids: Record<'postgres' | 'redis' | 'api' | 'caddy' | 'coturn', number>
  stop(): Promise<void>
}

/** What ends the set, in the opposite order. */
type Undo = (() => Promise<unknown>)[]

interface Child {
  pid: number
  exited: Promise<number>
  kill(signal?: NodeJS.Signals): void
}

export async function startWholeSet(): Promise<WholeSet> {
  const folder = await mkdtemp(join(tmpdir(), 'messenger-set-'))
  const undo: Undo = [() => rm(folder, { recursive: true, force: true })]
  const stop = async () => {
    for (const step of undo.reverse()) await step()
  }
  const started = (child: Child): number => {
    undo.push(() => {
      child.kill('SIGTERM')
      return child.exited
    })
    return child.pid
  }
  try {
    const postgres = await startPostgres(join(folder, 'database'), undo)
    const redisPort = freePort()
    const redis = Bun.spawn(
      [
        need('redis-server'),
        join(DEPLOY, 'redis/redis.conf'),
        '--port',
        `${redisPort}`,
        '--bind',
        '127.0.0.1',
        '--dir',
        folder,
      ],
      { stdout: 'ignore', stderr: 'inherit' },
    )
    const coturn = Bun.spawn(
      [
        need('turnserver'),
        '-n',
        '--no-cli',
        '--no-tls',
        '--no-dtls',
        '--listening-ip=127.0.0.1',
        '--relay-ip=127.0.0.1',
        `--listening-port=${freePort()}`,
        '--min-port=50000',
        '--max-port=50100',
        '--use-auth-secret',
        '--static-auth-secret=bench',
        '--realm=bench',
        '--log-file=stdout',
        '--pidfile',
        join(folder, 'coturn.pid'),
        '--db',
        join(folder, 'turndb'),
      ],
      { stdout: 'ignore', stderr: 'ignore' },
    )
    const pids = { postgres: started(postgres.child), redis: started(redis), coturn: started(coturn) }
    const api = await startProcess(join(folder, 'data'), {
      DATABASE_URL: postgres.url,
      REDIS_URL: `redis://127.0.0.1:${redisPort}`,
      TRUSTED_PROXIES: '127.0.0.1',
    })
    undo.push(() => api.terminate())
    const caddy = await startCaddy([Number(new URL(api.url).port)])
    undo.push(caddy.stop)
    return {
      url: caddy.url,
      apiUrl: api.url,
      databaseUrl: postgres.url,
      pids: { ...pids, api: api.pid, caddy: caddy.pid },
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

function need(program: string): string {
  const found = Bun.which(program)
  if (!found) throw new Error(`${program} is not installed: \`npm test\` installs it`)
  return found
}

/** With the settings of a box of 4 GB, behind a Unix socket. */
async function startPostgres(dataDir: string, undo: Undo): Promise<{ child: Child; url: string }> {
  const clusterDir = join(dataDir, 'postgres')
  await makeDataDirectory(dataDir)
  const identity = await chooseIdentity(dataDir, clusterDir)
  const nativeDir = await nativeFiles(dataDir, identity, log)
  await prepareCluster(clusterDir, { dataDir, nativeDir, identity, log })
  const sockets = await mkdtemp(join(tmpdir(), 'messenger-set-'))
  undo.push(() => rm(sockets, { recursive: true, force: true }))
  if (identity) Bun.spawnSync(['chown', `${identity.uid}:${identity.gid}`, sockets])
  const text = await Bun.file(join(DEPLOY, 'postgres/messenger.conf')).text()
  const settings = [...text.matchAll(/^(\w+) = '?([^'\n]*)'?$/gm)].flatMap(([, name, value]) => [
    '-c',
    `${name}=${value}`,
  ])
  const child = Bun.spawn(
    [
      join(nativeDir, 'bin/postgres'),
      '-D',
      dataDirectoryArgument,
      '-c',
      'listen_addresses=',
      '-c',
      `unix_socket_directories=${sockets}`,
      ...settings,
    ],
    { ...identity, cwd: clusterDir, env: childEnvironment, stdout: 'ignore', stderr: 'ignore' },
  )
  const url = `postgres://${superuser}@/${databaseName}?host=${sockets}`
  const database = connectDatabase({ url, poolMax: 1, name: 'bench' })
  for (let tries = 0; ; tries++) {
    const isUp = await database.sql`select 1`.then(
      () => true,
      () => false,
    )
    if (isUp) break
    if (tries > 300 || child.exitCode !== null) throw new Error('PostgreSQL does not start')
    await Bun.sleep(100)
  }
  await database.close()
  return { child, url }
}
