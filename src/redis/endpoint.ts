/** Where Redis is, and how one gets in. */

export interface Endpoint {
  host: string
  port: number
}

/** The same for every node. */
export interface Access {
  tls: boolean
  username: string | undefined
  password: string | undefined
  /** Of a single server; a cluster has 0 alone. */
  database: number
}

export const addressOf = ({ host, port }: Endpoint): string => `${host}:${port}`

/**
 * @param urls `redis[s]://[[user]:password@]host[:port][/database]`, several of a cluster with commas between them; the
 *   first one's credentials are those of all
 * @throws when one is malformed
 */
export function readRedisUrls(urls: string): { seeds: Endpoint[]; access: Access } {
  const [first, ...others] = urls.split(',').map((url) => readUrl(url.trim()))
  if (!first) throw new Error('The URL of Redis is empty')
  return { seeds: [first.endpoint, ...others.map(({ endpoint }) => endpoint)], access: first.access }
}

function readUrl(url: string): { endpoint: Endpoint; access: Access } {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const isRedis = parsed?.protocol === 'redis:' || parsed?.protocol === 'rediss:'
  const database = Number(parsed?.pathname.slice(1) || 0)
  // Never with the URL: it may hold a password.
  if (!parsed || !isRedis || !parsed.hostname || !Number.isInteger(database)) {
    throw new Error('A URL of Redis is malformed: redis[s]://[user:password@]host[:port][/database]')
  }
  return {
    endpoint: { host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(parsed.port || 6379) },
    access: {
      tls: parsed.protocol === 'rediss:',
      username: decodeURIComponent(parsed.username) || undefined,
      password: decodeURIComponent(parsed.password) || undefined,
      database,
    },
  }
}
