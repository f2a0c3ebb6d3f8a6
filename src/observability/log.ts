/** Structured logs: one JSON object a line, secrets redacted. */

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]
export type LogFields = Record<string, unknown>
export type WriteLine = (line: string, level: LogLevel) => void

export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /**
   * For a message that comes with every request: the same line at a fraction of the cost. Its fields come as JSON, without
   * the braces of their object; texts of others in it go through `quote`.
   */
  prepare(level: LogLevel, message: string): (fields: string) => void
}

const SECRET_FIELD = /^(.*_)?(password|token|secret|authorization|cookie|signature)(_hash)?$/i
// Query parameters that open something: access tokens and the media signature with its user and expiry.
const SECRET_PARAMETER = /([?&](?:token|s|u|t)=)[^&\s"]*/gi
const BEARER = /\b(bearer[,\s]+)[\w.~+/-]+=*/gi
// In a path: whoever reads one may join.
const INVITE_CODE = /(\/invites\/)[\w-]{22}(?![\w-])/g
const JWT = /\beyJ[\w-]+\.[\w-]+\.[\w-]*/g
// A part of each of them. Hardly any text has one, and to search it once is cheaper than to replace four times.
const MAY_HOLD_SECRET = /[?&](?:token|s|u|t)=|bearer|\/invites\/|eyJ/i

/** Removes tokens, passwords, signatures and invite codes from a text that is about to be logged. */
export function redactText(text: string): string {
  if (!MAY_HOLD_SECRET.test(text)) return text
  return text
    .replace(SECRET_PARAMETER, '$1[redacted]')
    .replace(BEARER, '$1[redacted]')
    .replace(INVITE_CODE, '$1[redacted]')
    .replace(JWT, '[redacted]')
}

/** The JSON of a text, without its secrets. */
export const quote = (text: string): string => JSON.stringify(redactText(text))

/** The names of fields stand in the code: there are few, and each line has the same ones. */
const MAX_JUDGED = 1000
const judgedFields = new Map<string, boolean>()
function isSecretField(name: string): boolean {
  const known = judgedFields.get(name)
  if (known !== undefined) return known
  const isSecret = SECRET_FIELD.test(name)
  if (judgedFields.size < MAX_JUDGED) judgedFields.set(name, isSecret)
  return isSecret
}

function redact(key: string, value: unknown): unknown {
  if (SECRET_FIELD.test(key)) return '[redacted]'
  if (typeof value === 'string') return redactText(value)
  if (value instanceof Error) return describeError(value)
  if (typeof value === 'bigint') return Number(value)
  return value
}

/** An error as log fields, with the chain of its causes: name, message, code and where it was thrown. */
function describeError(error: Error): LogFields {
  const code = 'code' in error ? error.code : undefined
  // A failed query's own message holds its parameters: people's messages and passwords' hashes.
  const message = 'query' in error && 'params' in error ? `Failed query: ${String(error.query)}` : error.message
  const frames = error.stack?.split('\n').filter((line) => /^\s+at /.test(line))
  return { name: error.name, message: redactText(message), code, stack: frames?.join('\n'), cause: error.cause }
}

/** Whether nothing of it needs a look but its texts. */
function isPlain(entry: LogFields): boolean {
  for (const key in entry) {
    const value = entry[key]
    if (isSecretField(key) || typeof value === 'bigint' || (typeof value === 'object' && value !== null)) return false
  }
  return true
}

/** The line of an entry, which may be changed. Most hold nothing to redact, which one look at the whole line tells. */
function toLine(entry: LogFields): string {
  if (!isPlain(entry)) return toRedactedLine(entry)
  const line = JSON.stringify(entry)
  // JSON escapes no letter that a secret is known by.
  return MAY_HOLD_SECRET.test(line) ? toRedactedLine(entry) : line
}

/** A replacer makes JSON.stringify many times slower: only what is nested needs it. */
function toRedactedLine(entry: LogFields): string {
  let isNested = false
  for (const key of Object.keys(entry)) {
    const value = redact(key, entry[key])
    entry[key] = value
    isNested ||= typeof value === 'object' && value !== null
  }
  return isNested ? JSON.stringify(entry, redact) : JSON.stringify(entry)
}

/** The text of an instant is made once in each millisecond. */
let lastInstant = { at: 0, text: '' }
function instant(): string {
  const at = Date.now()
  if (at !== lastInstant.at) lastInstant = { at, text: new Date(at).toISOString() }
  return lastInstant.text
}

/** `write` takes one finished line without its line feed, and its level. */
export function createLog(level: LogLevel, write: WriteLine = writeToStdout): Log {
  const lowest = LOG_LEVELS.indexOf(level)
  const at = (name: LogLevel) => {
    if (LOG_LEVELS.indexOf(name) < lowest) return () => {}
    return (message: string, fields?: LogFields) => {
      write(toLine({ time: instant(), level: name, message, ...fields }), name)
    }
  }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    prepare(name, message) {
      if (LOG_LEVELS.indexOf(name) < lowest) return () => {}
      const known = toLine({ level: name, message }).slice(1, -1)
      return (fields) => write(`{"time":"${instant()}",${known},${fields}}`, name)
    },
  }
}

function writeToStdout(line: string): void {
  process.stdout.write(`${line}\n`)
}
