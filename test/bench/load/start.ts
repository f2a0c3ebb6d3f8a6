/** Starts the process that makes the load, and tells it what to do. */
import { join } from 'node:path'
import type { Command, LoadOptions, Saturated, Scheduled } from './options.ts'

export interface Load {
  pid: number
  /** `onTurn` is awaited when counting begins, and when it is over, before what is still under way has arrived. */
  saturate(window: number, seconds: number, onTurn?: () => Promise<unknown>): Promise<Saturated>
  schedule(rate: number, seconds: number): Promise<Scheduled>
  stop(): Promise<unknown>
}

/** Resolves when every socket is open. @throws Error when one can't be */
export async function startLoad(options: LoadOptions): Promise<Load> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'generator.ts')], {
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const lines = readLines(child.stdout)
  const say = async (value: LoadOptions | Command) => {
    child.stdin.write(`${JSON.stringify(value)}\n`)
    await child.stdin.flush()
  }
  const hear = async (): Promise<unknown> => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`The load ended with ${await child.exited}`)
    return JSON.parse(value)
  }
  await say(options)
  await hear()
  return {
    pid: child.pid,
    async saturate(window, seconds, onTurn) {
      await say({ do: 'saturate', window, seconds })
      await hear()
      await onTurn?.()
      const counts = (await hear()) as Saturated
      await onTurn?.()
      await hear()
      return counts
    },
    async schedule(rate, seconds) {
      await say({ do: 'schedule', rate, seconds })
      return (await hear()) as Scheduled
    },
    stop: () => {
      child.stdin.end()
      child.kill()
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
