import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { isRoot, nobody } from '../../src/embedded/identity.ts'
import { until } from '../support/until.ts'

export interface Person {
  readonly name: string
  readonly identity: { uid: number; gid: number } | undefined
}

const program = join(import.meta.dir, 'server.ts')

/** Whether nobody may read this tree and run this Bun; under /root they may not. */
const isOpenToAll = () =>
  Bun.spawnSync([process.execPath, 'build', '--no-bundle', program], { ...nobody, env: {}, stderr: 'ignore' }).success

/** Root cannot run the ordinary user's half where that one may not read the tree; a skipped test says so. */
export const isOrdinaryUserShutOut = isRoot() && !isOpenToAll()

/** Who runs the server: ourselves, and as root also an ordinary user. */
export const people: readonly Person[] = isRoot()
  ? [
      { name: 'root', identity: undefined },
      ...(isOrdinaryUserShutOut ? [] : [{ name: 'an ordinary user', identity: { ...nobody } }]),
    ]
  : [{ name: 'an ordinary user', identity: undefined }]

/** A directory of the person's, closed to all others: what lies below it can't be reached by its path. */
export function makeHome({ identity }: Person): string {
  const home = mkdtempSync(join(tmpdir(), 'embedded-test-'))
  if (identity) chownSync(home, identity.uid, identity.gid)
  chmodSync(home, 0o700)
  return home
}

export const removeHome = (home: string): void => rmSync(home, { recursive: true, force: true })

export interface Line {
  readonly level?: string
  readonly message: string
  readonly ready?: { socketDirectory: string; port: number; user: string; database: string }
  readonly failed?: { name: string; message: string }
}

/** A server process of the given person. */
export function launch(dataDir: string, { identity }: Person) {
  const child = Bun.spawn([process.execPath, program, dataDir], {
    ...identity,
    cwd: '/',
    env: { PATH: process.env.PATH ?? '', HOME: '/nonexistent' },
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'inherit',
    // A process group of its own, as a shell gives to a program in the foreground.
    detached: true,
  })
  const lines: Line[] = []
  const read = (async () => {
    let rest = ''
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + chunk).split('\n')
      rest = parts.pop() ?? ''
      lines.push(...parts.map((part): Line => JSON.parse(part)))
    }
  })()

  /** The first line, after the ones already asked for, that the test is waiting for. */
  const line = async (isWanted: (line: Line) => boolean, what: string): Promise<Line> => {
    let found: Line | undefined
    await until(
      () => {
        found = lines.find(isWanted)
        return found !== undefined
      },
      `${what} in ${JSON.stringify(lines, null, 1)}`,
    )
    if (!found) throw new Error('unreachable')
    return found
  }

  return {
    child,
    lines,
    said: (message: string) => line((candidate) => candidate.message.includes(message), `"${message}"`),
    ready: async () => {
      const { ready, failed } = await line(({ message }) => ['ready', 'failed'].includes(message), 'ready')
      if (!ready) throw new Error(`did not start: ${failed?.message}`)
      return ready
    },
    refused: async () => {
      const { failed } = await line(({ message }) => ['ready', 'failed'].includes(message), 'failed')
      if (!failed) throw new Error('it started')
      return failed
    },
    /** Ends it as a service manager does. */
    stop: async () => {
      child.kill('SIGTERM')
      const code = await child.exited
      await read
      return code
    },
    killHard: async () => {
      child.kill('SIGKILL')
      await child.exited
    },
  }
}

export type Server = ReturnType<typeof launch>

/** Runs a query on a connection of its own, so that none is open when a test kills the server. */
export async function query<Row extends object>(
  server: Server,
  run: (sql: postgres.Sql) => Promise<readonly Row[]>,
): Promise<readonly Row[]> {
  const { socketDirectory: host, port, user, database } = await server.ready()
  const sql = postgres({ host, port, user, database, max: 1, onnotice: () => {} })
  try {
    return await run(sql)
  } finally {
    await sql.end()
  }
}

export const postmasterPid = (dataDir: string): number =>
  Number.parseInt(readFileSync(join(dataDir, 'postgres/postmaster.pid'), 'utf8'), 10)

export function isRunning(pid: number): boolean {
  try {
    // A zombie keeps its number until its parent asks; it is gone all the same.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
