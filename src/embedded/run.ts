import { messageOf } from './errors.ts'
import type { Identity } from './identity.ts'

/** Children see none of our own environment: it holds secrets, and LC_* or PG* would change what they do. */
export const childEnvironment = {
  PATH: '/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin',
  LC_ALL: 'C.UTF-8',
  TZ: 'UTC',
}

export interface Outcome {
  readonly ok: boolean
  /** Standard output and error together. */
  readonly output: string
}

/** Runs a program to its end; a program that can't even be started is an outcome too. */
export async function run(
  command: string[],
  options: { cwd: string; identity: Identity; stdin?: string },
): Promise<Outcome> {
  try {
    const child = Bun.spawn(command, {
      ...options.identity,
      cwd: options.cwd,
      env: childEnvironment,
      stdin: new Blob([options.stdin ?? '']),
      stdout: 'pipe',
      stderr: 'pipe',
    })
    const [out, err, exitCode] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ])
    return { ok: exitCode === 0, output: `${out}\n${err}`.trim() }
  } catch (error) {
    return { ok: false, output: messageOf(error) }
  }
}

/** Whether the promise settles in time; the timer never keeps the process alive for longer than that. */
export async function settlesWithin(ms: number, promise: Promise<unknown>): Promise<boolean> {
  const timeUp = Promise.withResolvers<false>()
  const timer = setTimeout(() => timeUp.resolve(false), ms)
  try {
    return await Promise.race([promise.then(() => true), timeUp.promise])
  } finally {
    clearTimeout(timer)
  }
}
