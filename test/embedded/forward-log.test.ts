import { describe, expect, it } from 'bun:test'
import { forwardLog } from '../../src/embedded/forward-log.ts'
import { createLog } from '../../src/observability/log.ts'

async function forwarded(text: string): Promise<{ level: string; message: string }[]> {
  const written: string[] = []
  const log = createLog('debug', (line) => written.push(line))
  const bytes = new TextEncoder().encode(text)
  // In the smallest pieces, as a pipe may deliver it.
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte))
      controller.close()
    },
  })
  await forwardLog(stream, log, () => {})
  return written.map((line) => JSON.parse(line)).map(({ level, message }) => ({ level, message }))
}

describe('the log of PostgreSQL', () => {
  const scenarios: [line: string, level: string][] = [
    ['00000 LOG:  database system is ready to accept connections', 'debug'],
    ['00000 LOG:  server process (PID 7) was terminated by signal 9: Killed', 'warn'],
    ['00000 LOG:  database system was not properly shut down; automatic recovery in progress', 'info'],
    ['01000 WARNING:  there is no transaction in progress', 'warn'],
    ['23505 ERROR:  duplicate key value violates unique constraint "users_username"', 'debug'],
    ['53100 ERROR:  could not extend file: No space left on device', 'error'],
    ['57P01 FATAL:  terminating connection due to administrator command', 'debug'],
    ['53300 FATAL:  sorry, too many clients already', 'warn'],
    ['XX000 PANIC:  could not write to file', 'error'],
    ['sh: postgres: not found', 'warn'],
  ]
  for (const [line, level] of scenarios) {
    it(`has "${line}" at level ${level}`, async () => {
      const message = `PostgreSQL: ${line.replace(/^[0-9A-Z]{5} [A-Z]+: +/, '')}`
      expect(await forwarded(`${line}\n`)).toEqual([{ level, message }])
    })
  }

  it('keeps the lines of one message at one level, and characters whole', async () => {
    expect(await forwarded('53100 ERROR:  größte\n\tZeile\n00000 LOG:  end')).toEqual([
      { level: 'error', message: 'PostgreSQL: größte' },
      { level: 'error', message: 'PostgreSQL: Zeile' },
      { level: 'debug', message: 'PostgreSQL: end' },
    ])
  })
})
