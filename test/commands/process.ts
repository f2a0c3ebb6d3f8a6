/** messenger as a process of its own. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Subprocess } from 'bun'

const MAIN = join(import.meta.dir, '../../src/main.ts')

export interface Finished {
  code: number
  out: string
  err: string
}

export interface Running {
  process: Subprocess<'ignore', 'pipe', 'pipe'>
  /** Its lines on the standard output so far. */
  lines: string[]
  /** The address in the line that says it is ready. Rejects when the process ends before. */
  ready: Promise<string>
  finished: Promise<Finished>
}

/** No setting comes from the environment of the tests. */
const environment = (settings: Record<string, string>) => ({
  PATH: process.env.PATH ?? '',
  HOME: process.env.HOME ?? '/tmp',
  ...settings,
})

/** Runs a command to its end. */
export async function run(args: string[], settings: Record<string, string> = {}, input = ''): Promise<Finished> {
  const child = Bun.spawn([process.execPath, MAIN, ...args], {
    env: environment(settings),
    stdin: new Blob([input]),
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { code, out, err }
}

/** Starts the server on a free port. */
export function start(settings: Record<string, string>): Running {
  return follow(
    Bun.spawn([process.execPath, MAIN, 'serve'], {
      env: environment({ PORT: '0', HOST: '127.0.0.1', ...settings }),
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    }),
  )
}

/** Reads what a server says. */
export function follow(child: Running['process']): Running {
  const lines: string[] = []
  const ready = Promise.withResolvers<string>()
  ready.promise.catch(() => {})
  const read = async () => {
    let rest = ''
    const decoder = new TextDecoder()
    for await (const chunk of child.stdout) {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = parts.pop() ?? ''
      lines.push(...parts)
      for (const part of parts) {
        const { message, url } = JSON.parse(part)
        if (message === 'messenger is ready') ready.resolve(url)
      }
    }
    ready.reject(new Error(`It ended before it was ready:\n${lines.join('\n')}`))
  }
  const finished = Promise.all([read(), new Response(child.stderr).text(), child.exited]).then(([, err, code]) => ({
    code,
    out: lines.join('\n'),
    err,
  }))
  return { process: child, lines, ready: ready.promise, finished }
}

/** A data directory, and what removes it. */
export async function makeDataDir(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'messenger-command-'))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

/** Processes of PostgreSQL that work in the directory. */
export async function countPostgres(dataDir: string): Promise<number> {
  const { stdout } = Bun.spawnSync(['sh', '-c', `for p in /proc/[0-9]*; do readlink $p/cwd; done 2>/dev/null`])
  return stdout
    .toString()
    .split('\n')
    .filter((directory) => directory.startsWith(dataDir)).length
}

/** PostgreSQL may need a moment to end after its parent was killed. */
export async function untilNoPostgres(dataDir: string, withinMs = 12_000): Promise<number> {
  const until = Date.now() + withinMs
  while ((await countPostgres(dataDir)) > 0 && Date.now() < until) await Bun.sleep(50)
  return countPostgres(dataDir)
}
