import { join } from 'node:path'
import type { Answer, LoadOptions, Report } from './load.ts'

/** The load in its own process. Whatever is asked of a dead one throws, with what it said when it died. */
export async function startLoad(options: LoadOptions) {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'load.ts'), JSON.stringify(options)], {
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const lastWords = new Response(child.stderr).text()
  const lines = readLines(child.stdout)

  const hear = async (): Promise<Answer> => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`the process died with exit code ${await child.exited}:\n${await lastWords}`)
    return JSON.parse(value)
  }
  const ask = (question: 'resolved' | 'recovery' | 'report'): Promise<Answer> => {
    child.stdin.write(`${question}\n`)
    child.stdin.flush()
    return hear()
  }
  await hear()

  return {
    /** How much went well so far. */
    resolved: async (): Promise<number> => {
      const answer = await ask('resolved')
      return 'resolved' in answer ? answer.resolved : Number.NaN
    },
    /** How long from now until a query succeeds. */
    recoveryMs: async (): Promise<number> => {
      const answer = await ask('recovery')
      return 'recoveredMs' in answer ? answer.recoveredMs : Number.NaN
    },
    /** Ends the load and says how all of it fared. */
    report: async (): Promise<Report> => {
      const answer = await ask('report')
      if (!('report' in answer)) throw new Error(`not a report: ${JSON.stringify(answer)}`)
      return answer.report
    },
    kill: () => child.kill('SIGKILL'),
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
