/** The server as its users run it: a process of its own with an embedded PostgreSQL, and everything that may befall it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { requireNoSecrets } from '../support/secrets.ts'

const ROOT = join(import.meta.dir, '../..')
export const SECRET = 'a secret of the fault tests, long enough to be one'

export interface ServerProcess {
  url: string
  pid: number
  /** From being started to being ready, as the clock on the wall has it. */
  readyMs: number
  /** Lines of the log so far, parsed. */
  logs: Record<string, unknown>[]
  exited: Promise<number>
  /** All processes of it that live now: its own, the database's, the guard between them. */
  pids(): number[]
  postmaster(): number
  /** What a power cut does: everything is gone at once. */
  killAll(): Promise<void>
  /** Only the server: its database has to notice. */
  killServer(): Promise<void>
  /** PostgreSQL drops everything and goes, as in a crash; the server is to start it again. */
  crashPostgres(): void
  /** @returns the exit code and how long it took */
  terminate(): Promise<{ code: number; ms: number }>
}

/** They do not outlive a run that breaks off. */
const running = new Set<{ kill(signal: NodeJS.Signals): void }>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGTERM')
})

/** @param options `preload`: a module that runs in its process before anything of the server does */
export async function startProcess(
  dataDir: string,
  settings: Record<string, string> = {},
  { preload }: { preload?: string } = {},
): Promise<ServerProcess> {
  const startedAt = performance.now()
  const child = Bun.spawn([process.execPath, ...(preload ? ['--preload', preload] : []), 'src/main.ts'], {
    cwd: ROOT,
    stdout: 'pipe',
    stderr: 'pipe',
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      DATA_DIR: dataDir,
      PORT: '0',
      HOST: '127.0.0.1',
      RATE_LIMITS: 'off',
      JWT_SECRET: SECRET,
      ...settings,
    },
  })
  running.add(child)
  child.exited.then(() => running.delete(child))
  const logs: Record<string, unknown>[] = []
  const ready = Promise.withResolvers<string>()
  const errors = new Response(child.stderr).text()
  readLog(child.stdout, (entry) => {
    logs.push(entry)
    if (entry.message === 'messenger is ready') ready.resolve(String(entry.url))
  })
  child.exited.then(async (code) => ready.reject(new Error(`It ended with ${code}: ${await errors}`)))
  const url = await ready.promise
  const postmaster = () => Number(readFileSync(join(dataDir, 'postgres/postmaster.pid'), 'utf8').split('\n')[0])
  const databasePids = () => {
    const main = postmaster()
    return [main, ...childrenOf(main)]
  }
  const exit = () => child.exited.then(() => undefined)

  return {
    url,
    pid: child.pid,
    readyMs: Math.round(performance.now() - startedAt),
    logs,
    exited: child.exited,
    pids: () => [child.pid, ...databasePids()],
    postmaster,
    killAll: () => {
      // The postmaster first: it would restart a backend that dies alone.
      signal([child.pid, ...databasePids()], 'SIGKILL')
      return exit()
    },
    killServer: () => {
      signal([child.pid], 'SIGKILL')
      return exit()
    },
    crashPostgres: () => signal([postmaster()], 'SIGQUIT'),
    terminate: async () => {
      const at = performance.now()
      signal([child.pid], 'SIGTERM')
      const code = await child.exited
      requireNoSecrets(logs)
      return { code, ms: Math.round(performance.now() - at) }
    },
  }
}

async function readLog(stream: ReadableStream<Uint8Array>, onEntry: (entry: Record<string, unknown>) => void) {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.startsWith('{')) onEntry(JSON.parse(line) as Record<string, unknown>)
  }
}

export function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
    return text === '' ? [] : text.split(' ').map(Number)
  } catch {
    return []
  }
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name)
    } catch {
      // It has just gone by itself.
    }
  }
}
