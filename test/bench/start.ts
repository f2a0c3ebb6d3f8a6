/** `npm run bench:start`: the binary's size, how long it takes to start, and what it needs while nothing happens. */
import { mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { built, ownTarget } from '../binary/built.ts'
import { follow } from '../commands/process.ts'

const STARTS = 5
const IDLE_AFTER_MS = 20_000

const say = (line: string) => process.stdout.write(`${line}\n`)
const binary = await built()
const directory = await mkdtemp(join(tmpdir(), 'messenger-start-'))
const environment = { DATA_DIR: join(directory, 'data'), PORT: '0', HOST: '127.0.0.1' }

/** @returns how long it took until it could serve */
async function start() {
  const started = performance.now()
  const server = follow(Bun.spawn([binary], { env: environment, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' }))
  await server.ready
  return { server, ms: performance.now() - started }
}

/** Proportional share of memory: pages that processes have in common are counted once (proc(5), smaps_rollup). */
async function memoryOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
  return Number(/^Pss: +(\d+)/m.exec(text)?.[1]) / 1024
}

async function listPostgres(): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const places = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => '')))
  return pids.filter((_, at) => places[at]?.startsWith(directory))
}

async function end({ process, finished }: Awaited<ReturnType<typeof start>>['server']): Promise<void> {
  process.kill('SIGTERM')
  await finished
}

say(`size of ${ownTarget}: ${((await stat(binary)).size / 1e6).toFixed(0)} MB`)
const first = await start()
say(`first start, which unpacks PostgreSQL and makes the database: ${Math.round(first.ms)} ms`)
await end(first.server)
const times: number[] = []
for (let i = 0; i < STARTS; i++) {
  const { server, ms } = await start()
  times.push(Math.round(ms))
  await end(server)
}
say(`later starts: ${times.sort((a, b) => a - b)[STARTS >> 1]} ms (${times[0]} to ${times.at(-1)})`)

const idle = await start()
await Bun.sleep(IDLE_AFTER_MS)
const own = await memoryOf(idle.server.process.pid)
const postgres = await listPostgres()
const theirs = (await Promise.all(postgres.map(memoryOf))).reduce((sum, one) => sum + one, 0)
say(
  `idle after ${IDLE_AFTER_MS / 1000} s: messenger ${own.toFixed(0)} MB, PostgreSQL ${theirs.toFixed(0)} MB (${postgres.length} processes)`,
)
await end(idle.server)
await rm(directory, { recursive: true, force: true })
