/** Every secret that the tests' clients send or get, and whether one of them is in the log of a server. */

/** Of bodies, sent and answered: what stands there opens something. */
const SECRET_FIELDS = new Set([
  'password',
  'old_password',
  'new_password',
  'token',
  'refresh_token',
  'credential',
  'code',
])
/** Shorter ones are words of any log line. */
const MIN_LENGTH = 10

/** By its longest word: a token by one of its parts, say. */
const secrets = new Map<string, string>()
let [servers, lines] = [0, 0]

const wordsOf = (text: string): string[] => text.split(/[^\w+-]+/)

function note(name: string, secret: string): void {
  // Of a JSON Web Token the signature: its head is the same for all.
  const words = name === 'token' ? [secret.split('.')[2] ?? ''] : wordsOf(secret)
  const longest = words.toSorted((a, b) => b.length - a.length)[0] ?? ''
  const isTelling = longest.length >= MIN_LENGTH && /\d/.test(longest) && /[a-z]/i.test(longest)
  if (isTelling) secrets.set(longest, name)
}

/** Notes what a body holds of them, at any depth. */
export function noteSecrets(body: unknown): void {
  if (typeof body !== 'object' || body === null) return
  for (const [name, value] of Object.entries(body)) {
    if (typeof value === 'string' && SECRET_FIELDS.has(name)) note(name, value)
    else if (name === 'url' && typeof value === 'string') note('signature', value.split('&s=')[1] ?? '')
    else noteSecrets(value)
  }
}

/** @throws when one that was noted up to now is in the log of a server that ends */
export function requireNoSecrets(log: readonly unknown[]): void {
  servers++
  lines += log.length
  for (const entry of log) {
    const line = JSON.stringify(entry)
    for (const word of wordsOf(line)) {
      const name = secrets.get(word)
      if (name !== undefined) throw new Error(`a ${name} is in the log: ${line.slice(0, 1000)}`)
    }
  }
}

/** For people. */
export const describeSearch = (): string =>
  `${lines} lines of ${servers} servers' logs hold none of the ${secrets.size} secrets that were used`
