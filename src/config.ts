/** The environment turned into one frozen, validated Config. Nothing else reads `process.env`. */
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { LOG_LEVELS } from './observability/log.ts'

type Parse<T> = (text: string) => T

/** A setting: how its text is understood, what holds without it, and what an operator should know. */
interface Setting<T> {
  parse: Parse<T>
  default: T
  help: string
}

const setting = <T>(parse: Parse<T>, fallback: NoInfer<T>, help: string): Setting<T> => ({
  parse,
  default: fallback,
  help,
})

function integer(min: number, max: number): Parse<number> {
  return (text) => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new Error(`must be a whole number from ${min} to ${max}`)
    }
    return value
  }
}

function oneOf<const T extends string>(...allowed: T[]): Parse<T> {
  return (text) => {
    const found = allowed.find((value) => value === text)
    if (found === undefined) throw new Error(`must be one of: ${allowed.join(', ')}`)
    return found
  }
}

function url(...protocols: string[]): Parse<string | undefined> {
  return (text) => {
    const parsed = URL.canParse(text) ? new URL(text) : undefined
    if (!parsed || !protocols.includes(parsed.protocol)) throw new Error(`must be a URL with ${protocols.join(' or ')}`)
    return text.replace(/\/+$/, '')
  }
}

/** A PostgreSQL URL; the host may be empty when `?host=/directory` names that of a Unix socket, as libpq reads it. */
function databaseUrl(text: string): string {
  const isPostgres = /^postgres(ql)?:\/\//.test(text)
  if (!isPostgres || !URL.canParse(text.replace(/@?\/(?=[^/@]*\?host=)/, '@localhost/'))) {
    throw new Error('must be a URL like postgres://user:password@host:5432/database')
  }
  return text
}

/** One server, or several nodes of a cluster. */
function redisUrls(text: string): string | undefined {
  return list(url('redis:', 'rediss:'))(text).join(',') || undefined
}

function list<T>(item: Parse<T>): Parse<readonly T[]> {
  return (text) =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
      .map(item)
}

const text: Parse<string | undefined> = (value) => value

function secret(value: string): string {
  if (Buffer.byteLength(value) < 32) throw new Error('must be at least 32 bytes long')
  return value
}

/** RFC 6750, 2.1. */
function bearerToken(value: string): string | undefined {
  if (!/^[\w.~+/-]{16,}=*$/.test(value)) throw new Error('must be 16 or more letters, digits or any of -._~+/')
  return value
}

/** `postgres=/sys/fs/cgroup/system.slice/postgresql.service,redis=...` */
function cgroups(value: string): Readonly<Record<string, string>> {
  const pairs = list((entry) => /^([a-z][a-z0-9_-]*)=([^=,]+)$/.exec(entry) ?? [])(value)
  return Object.fromEntries(
    pairs.map(([, name, path]) => {
      if (name === undefined || path === undefined) throw new Error('must be like postgres=path,redis=path')
      return [name, path]
    }),
  )
}

/** Amazon's rule for names, which the others keep. */
function bucket(value: string): string | undefined {
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(value)) throw new Error('must be the name of a bucket')
  return value
}

function origin(value: string): string {
  if (value === '*') return value
  if (!URL.canParse(value) || new URL(value).origin !== value) {
    throw new Error(`has an entry that is not an origin like https://chat.example.org: ${value}`)
  }
  return value
}

function addressOrNetwork(value: string): string {
  const [address = '', bits, ...rest] = value.split('/')
  const family = isIP(address)
  const widest = family === 6 ? 128 : 32
  const bitsAreFine = bits === undefined || (/^\d+$/.test(bits) && Number(bits) <= widest)
  if (family === 0 || !bitsAreFine || rest.length > 0) throw new Error(`has an entry that is no address: ${value}`)
  return value
}

/** RFC 7064, RFC 7065. */
function iceUrl(value: string): string {
  const isIceUrl = /^(?:stuns?:[^\s?@/]+|turns?:[^\s?@/]+(?:\?transport=(?:udp|tcp))?)$/.test(value)
  if (!isIceUrl) throw new Error(`has an entry that is no stun: or turn: URL like turn:turn.example.org:3478: ${value}`)
  return value
}

const seconds = { minute: 60, hour: 3600, day: 86_400 }
const MEBIBYTE = 1024 * 1024
const upTo = (max: number) => integer(1, max)

/** Every setting there is, in the order of the README's table. */
export const settings = {
  PORT: setting(integer(0, 65_535), 8080, 'TCP port; 0 takes a free one'),
  HOST: setting<string | undefined>(text, '0.0.0.0', 'address to listen on'),
  DATA_DIR: setting((value) => resolve(value), resolve('data'), 'embedded database, media and generated secret'),
  DATABASE_URL: setting<string | undefined>(
    databaseUrl,
    undefined,
    'PostgreSQL 16; unset: an embedded one in DATA_DIR',
  ),
  DATABASE_REPLICA_URLS: setting(
    list(databaseUrl),
    [],
    'read replicas of DATABASE_URL, comma-separated: for history and search',
  ),
  DATABASE_REPLICA_MAX_LAG: setting(upTo(3600), 5, 'seconds; a replica that is further behind is not asked'),
  DATABASE_POOL_MAX: setting(integer(2, 100), 10, 'PostgreSQL connections of this instance'),
  REDIS_URL: setting(
    redisUrls,
    undefined,
    'Redis 7, or some nodes of a cluster, comma-separated; unset: this instance is alone',
  ),
  JWT_SECRET: setting<string | undefined>(
    secret,
    undefined,
    'signs tokens, at least 32 bytes; unset with the embedded database: made once and kept in DATA_DIR',
  ),
  JWT_SECRET_PREVIOUS: setting<string | undefined>(
    secret,
    undefined,
    'the secret before, still accepted after a change',
  ),
  ACCESS_TOKEN_TTL: setting(integer(5, seconds.day), seconds.hour, 'life of an access token in seconds'),
  REFRESH_TOKEN_TTL: setting(integer(60, 365 * seconds.day), 30 * seconds.day, 'life of an unused session in seconds'),
  REGISTRATION: setting(oneOf('open', 'closed'), 'open', 'may strangers register: open or closed'),
  PASSWORD_HASH: setting(oneOf('bcrypt', 'argon2id'), 'bcrypt', 'how new passwords are hashed: bcrypt or argon2id'),
  CORS_ORIGINS: setting(list(origin), [], 'origins of web clients elsewhere, comma-separated; * without credentials'),
  TRUSTED_PROXIES: setting(list(addressOrNetwork), [], 'addresses or networks whose X-Forwarded-For counts'),
  PUBLIC_URL: setting(url('http:', 'https:'), undefined, 'how browsers reach this server; needed for absolute links'),
  WS_MAX_CONNECTIONS: setting(upTo(1_000_000), 10_000, 'sockets of this instance; beyond: 503'),
  DRAIN_SECONDS: setting(
    integer(0, 60),
    0,
    'a stopping server goes on serving so long, while /health/ready sends new requests elsewhere',
  ),
  RATE_LIMITS: setting(oneOf('on', 'off'), 'on', 'off is for load tests alone'),
  RATE_LIMIT_API_FREE: setting(upTo(1e6), 100, 'requests a minute of a user'),
  RATE_LIMIT_API_PREMIUM: setting(upTo(1e6), 1000, 'requests a minute of a premium user'),
  RATE_LIMIT_ANONYMOUS: setting(upTo(1e6), 100, 'requests a minute of an address without a token'),
  RATE_LIMIT_REGISTER: setting(upTo(1e6), 10, 'registrations an hour of an address'),
  RATE_LIMIT_LOGIN_ACCOUNT: setting(upTo(1e6), 5, 'login attempts at an account in 15 minutes'),
  RATE_LIMIT_LOGIN_ADDRESS: setting(upTo(1e6), 50, 'login attempts of an address in 15 minutes'),
  RATE_LIMIT_MESSAGES: setting(upTo(1e6), 30, 'messages of a user in 10 seconds'),
  RATE_LIMIT_FRAMES: setting(upTo(1e6), 100, 'other frames of a socket in 10 seconds'),
  RATE_LIMIT_CALLS: setting(upTo(1e6), 10, 'calls that a user begins in a minute'),
  RATE_LIMIT_UPLOAD_FREE: setting(upTo(1e6), 10, 'uploads an hour of a user'),
  RATE_LIMIT_UPLOAD_PREMIUM: setting(upTo(1e6), 100, 'uploads an hour of a premium user'),
  MEDIA_MAX_BYTES_FREE: setting(upTo(1e12), 50 * MEBIBYTE, 'largest upload of a user'),
  MEDIA_MAX_BYTES_PREMIUM: setting(upTo(1e12), 100 * MEBIBYTE, 'largest upload of a premium user'),
  IMAGE_MAX_WIDTH: setting(integer(16, 4096), 500, 'pixels'),
  IMAGE_MAX_WIDTH_PREMIUM: setting(integer(16, 4096), 1280, 'pixels, for premium users'),
  IMAGE_FORMAT: setting(oneOf('webp', 'original'), 'webp', 'webp, or original: JPEG photos and PNG graphics'),
  MEDIA_STORAGE: setting(oneOf('local', 's3'), 'local', 'where files are kept: local (in DATA_DIR) or s3'),
  S3_ENDPOINT: setting(url('http:', 'https:'), undefined, 'the service that speaks S3, for MEDIA_STORAGE=s3'),
  S3_BUCKET: setting(bucket, undefined, 'a bucket there that is private, for MEDIA_STORAGE=s3'),
  S3_REGION: setting<string | undefined>(text, 'us-east-1', 'the region that requests are signed for'),
  S3_ACCESS_KEY_ID: setting<string | undefined>(text, undefined, 'the key that may read, write, list and delete there'),
  S3_SECRET_ACCESS_KEY: setting<string | undefined>(text, undefined, 'its secret'),
  FFMPEG_PATH: setting<string | undefined>(text, undefined, 'unset: ffmpeg of the PATH, if any'),
  PAYMENT_PROVIDER: setting<string | undefined>(text, 'stub', 'stub: nobody is charged; else nothing can be bought'),
  TURN_URLS: setting(list(iceUrl), [], 'stun: and turn: URLs for calls, comma-separated'),
  TURN_SECRET: setting<string | undefined>(secret, undefined, "coturn's static-auth-secret, at least 32 bytes"),
  METRICS_TOKEN: setting<string | undefined>(
    bearerToken,
    undefined,
    'opens /metrics from elsewhere, as a Bearer token; unset: from this machine alone, not by a proxy',
  ),
  METRICS_CGROUPS: setting(
    cgroups,
    {},
    'control groups of services where they are not found by themselves: postgres=path,redis=path,...',
  ),
  SLOW_QUERY_MS: setting(integer(0, 60_000), 200, 'statements that take longer are logged, without values; 0: none'),
  BACKUP_KEEP_DAYS: setting(upTo(3650), 30, 'older sets of backup are removed when a newer one is whole'),
  BACKUP_S3_ENDPOINT: setting(
    url('http:', 'https:'),
    undefined,
    "for backups to s3://...; unset: Amazon's, by the region",
  ),
  BACKUP_S3_REGION: setting<string>((value) => value, 'us-east-1', 'the region of the bucket'),
  BACKUP_S3_ACCESS_KEY_ID: setting<string | undefined>(text, undefined, 'who may write there'),
  BACKUP_S3_SECRET_ACCESS_KEY: setting<string | undefined>(text, undefined, 'and the secret of that key'),
  LOG_LEVEL: setting(oneOf(...LOG_LEVELS), 'info', 'debug, info, warn or error'),
} as const

type Settings = typeof settings
type ValueOf<S> = S extends Setting<infer T> ? T : never
export type SettingName = keyof Settings
/** Every setting under its own name, validated. */
export type Config = { readonly [Name in SettingName]: ValueOf<Settings[Name]> }

/** All that is wrong with the environment, one line a fault. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  constructor(readonly faults: readonly string[]) {
    super(faults.join('\n'))
  }
}

/**
 * Reads and validates every setting. An empty variable counts as unset.
 * @throws ConfigError with every fault at once
 */
export function loadConfig(environment: Record<string, string | undefined> = process.env): Config {
  const faults: string[] = []
  const values: Record<string, unknown> = {}
  for (const [name, { parse, default: fallback }] of Object.entries(settings)) {
    const given = environment[name]
    try {
      values[name] = given === undefined || given === '' ? fallback : parse(given)
    } catch (error) {
      faults.push(`${name} ${error instanceof Error ? error.message : 'is not understood'}`)
    }
  }
  if (
    values.DATABASE_URL !== undefined &&
    values.JWT_SECRET === undefined &&
    !faults.some((f) => f.startsWith('JWT_SECRET '))
  ) {
    faults.push('JWT_SECRET must be set when DATABASE_URL is (at least 32 bytes)')
  }
  const hasReplicas = Array.isArray(values.DATABASE_REPLICA_URLS) && values.DATABASE_REPLICA_URLS.length > 0
  if (hasReplicas && values.DATABASE_URL === undefined && !faults.some((f) => f.startsWith('DATABASE_URL '))) {
    faults.push('DATABASE_REPLICA_URLS needs DATABASE_URL: the embedded database has no replicas')
  }
  if (values.MEDIA_STORAGE === 's3') {
    for (const name of ['S3_ENDPOINT', 'S3_BUCKET', 'S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY']) {
      const isToldOf = faults.some((fault) => fault.startsWith(`${name} `))
      if (values[name] === undefined && !isToldOf) faults.push(`${name} must be set when MEDIA_STORAGE is s3`)
    }
  }
  const isRelayNamed = Array.isArray(values.TURN_URLS) && values.TURN_URLS.some((entry) => /^turns?:/.test(entry))
  if (isRelayNamed && values.TURN_SECRET === undefined && !faults.some((f) => f.startsWith('TURN_SECRET '))) {
    faults.push('TURN_SECRET must be set when TURN_URLS names a turn: server (at least 32 bytes)')
  }
  if (faults.length > 0) throw new ConfigError(faults)
  return Object.freeze(values) as Config
}
