/** A server under load, whatever it is. */

export interface BenchServer {
  name: string
  url: string
  pid: number
  /** Stands still (SIGSTOP) until it is let go on, so that its work in the background meets nobody else's turn. */
  freeze(): void
  thaw(): void
  stop(): Promise<unknown>
}

/** Starts a program that prints its port as its first line. */
export async function startProgram(
  name: string,
  command: readonly string[],
  env: Record<string, string> = {},
): Promise<BenchServer> {
  const { PATH = '', HOME = '' } = process.env
  const child = Bun.spawn([...command], { env: { PATH, HOME, ...env }, stdout: 'pipe', stderr: 'inherit' })
  const { value } = await child.stdout.getReader().read()
  const port = Number(new TextDecoder().decode(value).split('\n')[0])
  if (!port) throw new Error(`${name} did not start: it ended with ${await child.exited}`)
  return {
    name,
    url: `http://127.0.0.1:${port}`,
    pid: child.pid,
    ...turnsOf(child.pid),
    stop: () => {
      process.kill(child.pid, 'SIGCONT')
      child.kill()
      return child.exited
    },
  }
}

export const turnsOf = (pid: number): Pick<BenchServer, 'freeze' | 'thaw'> => ({
  freeze: () => void process.kill(pid, 'SIGSTOP'),
  thaw: () => void process.kill(pid, 'SIGCONT'),
})
