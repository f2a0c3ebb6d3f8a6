import type { Log } from '../observability/log.ts'

type Level = 'debug' | 'info' | 'warn' | 'error'

/** SQLSTATE and severity, as `log_line_prefix` has them. */
const head = /^([0-9A-Z]{5}) ([A-Z]+\d?): +(.*)$/

/** Out of resources (53), a fault of the system (58) or of PostgreSQL itself (XX). */
const isServerFault = (state: string): boolean => /^(53|58|XX)/.test(state)

/** Somebody shuts down or starts up; whoever did it has logged that. */
const isRoutine = (state: string): boolean => ['57P01', '57P03'].includes(state)

export function levelOf(state: string, severity: string, text: string): Level {
  switch (severity) {
    case 'PANIC':
      return 'error'
    case 'FATAL':
      return isRoutine(state) ? 'debug' : 'warn'
    case 'ERROR':
      // A failed statement is its caller's business, and often expected (a duplicate).
      return isServerFault(state) ? 'error' : 'debug'
    case 'WARNING':
      return 'warn'
    default:
      if (/terminated by signal/.test(text)) return 'warn'
      return /was not properly shut down|was interrupted/.test(text) ? 'info' : 'debug'
  }
}

/** Hands PostgreSQL's standard error on to our log, line by line; `onLine` sees every line too. */
export async function forwardLog(
  stream: ReadableStream<Uint8Array>,
  log: Log,
  onLine: (line: string) => void,
): Promise<void> {
  let level: Level = 'debug'
  const forward = (line: string) => {
    if (line.trim() === '') return
    onLine(line)
    const [, state, severity, text] = head.exec(line) ?? []
    if (state === undefined || severity === undefined || text === undefined) {
      // A message goes on over several lines, indented by a tab; anything else came before the log was set up.
      log[line.startsWith('\t') ? level : 'warn'](`PostgreSQL: ${line.trim()}`)
      return
    }
    level = levelOf(state, severity, text)
    log[level](`PostgreSQL: ${text}`, state === '00000' ? undefined : { sqlstate: state })
  }

  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) forward(line)
  }
  forward(rest)
}
