/**
 * Messages a second between 200 users in 100 direct chats, beside what the same PostgreSQL takes at most:
 * `bun test/bench/dm.ts`. Both are measured in turns in one run, so that what else the machine does meets both.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { connectDatabase } from '../../src/db/client.ts'
import { findRunningPostgres } from '../../src/embedded/running.ts'
import { childrenOf, SECRET, type ServerProcess, startProcess } from '../faults/server-process.ts'
import { measureCeiling } from './ceiling.ts'
import type { GeneratorOptions, RoundCounts } from './generator.ts'
import { addPairs } from './people.ts'

const ROUNDS = 5
const CEILING_SECONDS = 3
const SERVER_SECONDS = 6
const CHATS = 100
const WINDOW = 16
const CONTENT = 'A message of an ordinary length: fifty characters.'
/** Ratio of the server to the ceiling. */
const GOAL = 0.4

const write = (text: string) => void process.stdout.write(`${text}\n`)
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
const whole = (value: number) => Math.round(value).toLocaleString('en')

type SocketOptions = NonNullable<Awaited<ReturnType<typeof findRunningPostgres>>>

async function addChats(socket: SocketOptions): Promise<GeneratorOptions['chats']> {
  const database = connectDatabase({ socket, poolMax: 1, name: 'bench setup' })
  const members = await addPairs(database, CHATS, SECRET)
  await database.close()
  return [...Map.groupBy(members, ({ chatId }) => chatId)].map(([id, users]) => ({
    id,
    users: users.map((user) => ({ id: user.id, token: user.token })),
  }))
}

async function startGenerator(options: GeneratorOptions) {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'generator.ts'), JSON.stringify(options)], {
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const lines = readLines(child.stdout)
  const hear = async (): Promise<string> => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`The generator ended with ${await child.exited}`)
    return value
  }
  await hear()
  return {
    pid: child.pid,
    async run(seconds: number): Promise<RoundCounts> {
      child.stdin.write(`${seconds}\n`)
      child.stdin.flush()
      const counts = JSON.parse(await hear()) as RoundCounts
      await hear()
      return counts
    },
    stop: () => {
      child.stdin.end()
      return child.exited
    },
  }
}

async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  let rest = ''
  const decoder = new TextDecoder()
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  return undefined
}

// proc(5): utime, stime and those of the children waited for, in ticks of 10 ms, after the name in parentheses.
async function cpuSeconds(pid: number, withEnded = false): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const at = (place: number) => Number(fields[place - 3] ?? 0)
  return (at(14) + at(15) + (withEnded ? at(16) + at(17) : 0)) / 100
}

async function cpuOf(server: ServerProcess, generatorPid: number) {
  const postmaster = server.postmaster()
  const parts = await Promise.all([
    cpuSeconds(postmaster, true),
    ...childrenOf(postmaster).map((pid) => cpuSeconds(pid)),
  ])
  return {
    server: await cpuSeconds(server.pid),
    postgres: parts.reduce((total, part) => total + part, 0),
    generator: await cpuSeconds(generatorPid),
  }
}

async function bench(): Promise<number> {
  const dataDir = await mkdtemp(join(tmpdir(), 'messenger-bench-'))
  const server = await startProcess(dataDir, profiling)
  const socket = await findRunningPostgres(dataDir)
  if (!socket) throw new Error('No PostgreSQL')
  const generator = await startGenerator({
    url: server.url,
    chats: await addChats(socket),
    window: WINDOW,
    content: CONTENT,
  })
  const rounds: { ceiling: number; acknowledged: number; delivered: number; cpu: Record<string, number> }[] = []
  try {
    // Everything is compiled and every plan is made.
    await generator.run(2)
    await measureCeiling(socket, 1, CONTENT)
    for (let round = 0; round < ROUNDS; round++) {
      const ceiling = await measureCeiling(socket, CEILING_SECONDS, CONTENT)
      const before = await cpuOf(server, generator.pid)
      const { acknowledged, delivered, refused, seconds } = await generator.run(SERVER_SECONDS)
      const after = await cpuOf(server, generator.pid)
      if (refused > 0) throw new Error(`${refused} sends were refused`)
      const perMessage = (part: keyof typeof before) => ((after[part] - before[part]) / acknowledged) * 1e6
      const cpu = { server: perMessage('server'), postgres: perMessage('postgres'), generator: perMessage('generator') }
      rounds.push({ ceiling, acknowledged: acknowledged / seconds, delivered: delivered / seconds, cpu })
    }
  } finally {
    await generator.stop()
    await server.terminate()
    await rm(dataDir, { recursive: true, force: true })
  }

  const row = (name: string, values: number[], show = whole) =>
    write(`| ${name.padEnd(44)} | ${show(median(values)).padStart(8)} | ${values.map(show).join('  ')} |`)
  const ratios = rounds.map(({ acknowledged, ceiling }) => acknowledged / ceiling)
  write(
    `${new Date().toISOString().slice(0, 10)}, ${cpus().length} x ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Bun ${Bun.version}`,
  )
  write(
    `${CHATS * 2} users in ${CHATS} DMs, ${WINDOW} sends under way each, ${CONTENT.length} characters; the load runs on the same machine`,
  )
  write(`| ${''.padEnd(44)} |   median | rounds |`)
  write(`|${'-'.repeat(46)}|---------:|--------|`)
  row(
    'ceiling: 64 rows an insert, two flows, rows/s',
    rounds.map((r) => r.ceiling),
  )
  row(
    'messenger: acknowledged messages/s',
    rounds.map((r) => r.acknowledged),
  )
  row(
    'messenger: delivered to the peer/s',
    rounds.map((r) => r.delivered),
  )
  row('ratio messenger / ceiling', ratios, (value) => value.toFixed(2))
  for (const part of ['server', 'postgres', 'generator'])
    row(
      `CPU µs a message: ${part}`,
      rounds.map((r) => r.cpu[part] ?? Number.NaN),
      (value) => value.toFixed(1),
    )
  const isReached = median(ratios) >= GOAL
  write(isReached ? `The goal of ${GOAL} is reached.` : `The goal of ${GOAL} is missed.`)
  return isReached ? 0 : 1
}

/** Options for Bun in the server's process: BENCH_SERVER_OPTIONS="--cpu-prof". */
const profiling: Record<string, string> = process.env.BENCH_SERVER_OPTIONS
  ? { BUN_OPTIONS: process.env.BENCH_SERVER_OPTIONS }
  : {}

process.exit(await bench())
