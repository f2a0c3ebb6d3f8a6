/** A real Redis on a port of its own, and everything that may befall it. Nothing of it outlives the tests. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TestRedis {
  /** For REDIS_URL. */
  url: string
  port: number
  /** Runs redis-cli. @returns what it printed */
  cli(...args: string[]): Promise<string>
  /** SIGKILL: gone at once, with all it held. */
  kill(): Promise<void>
  /** Starts it again on the same port, empty. */
  start(): Promise<void>
  /** Frozen (SIGSTOP): connections stay up, nothing is answered. */
  freeze(): void
  thaw(): void
  /** For good. */
  stop(): Promise<void>
}

/** A port that was free a moment ago. */
export function freePort(): number {
  const probe = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: () => {} } })
  const { port } = probe
  probe.stop(true)
  return port
}

/** `options` are those of redis-server: `['--cluster-enabled', 'yes']`. */
export async function startRedis(options: readonly string[] = [], port = freePort()): Promise<TestRedis> {
  const binary = Bun.which('redis-server')
  if (!binary) throw new Error('redis-server is not installed: `npm test` installs it')
  const directory = await mkdtemp(join(tmpdir(), 'messenger-redis-'))
  const fixed = ['--bind', '127.0.0.1', '--port', `${port}`, '--dir', directory, '--save', '', '--appendonly', 'no']
  let child: ReturnType<typeof spawn>

  const spawn = () => Bun.spawn([binary, ...fixed, ...options], { stdout: 'ignore', stderr: 'ignore' })
  async function cli(...args: string[]): Promise<string> {
    const asked = Bun.spawn(['redis-cli', '-h', '127.0.0.1', '-p', `${port}`, ...args], {
      stdout: 'pipe',
      stderr: 'ignore',
    })
    return (await new Response(asked.stdout).text()).trim()
  }
  async function start(): Promise<void> {
    child = spawn()
    for (let i = 0; i < 500; i++) {
      // It answers, if only that it wants a password.
      if (/^(PONG|NOAUTH)/.test(await cli('ping'))) return
      if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}`)
      await Bun.sleep(10)
    }
    throw new Error('redis-server does not answer')
  }
  async function end(signal: NodeJS.Signals): Promise<void> {
    child.kill('SIGCONT')
    child.kill(signal)
    await child.exited
  }
  async function stop(): Promise<void> {
    await end('SIGKILL')
    await rm(directory, { recursive: true, force: true })
  }

  try {
    await start()
  } catch (error) {
    await stop()
    throw error
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    cli,
    start,
    kill: () => end('SIGKILL'),
    freeze: () => child.kill('SIGSTOP'),
    thaw: () => child.kill('SIGCONT'),
    stop,
  }
}
