import { describe, expect, it } from 'bun:test'
import { join, resolve } from 'node:path'
import { ConfigError, loadConfig, type SettingName, settings } from '../src/config.ts'

const SECRET = 'x'.repeat(32)

function faultsOf(environment: Record<string, string>): readonly string[] {
  try {
    loadConfig(environment)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
}

describe('the settings', () => {
  it('are these without an environment', () => {
    expect(loadConfig({})).toEqual({
      PORT: 8080,
      HOST: '0.0.0.0',
      DATA_DIR: resolve('data'),
      DATABASE_URL: undefined,
      DATABASE_REPLICA_URLS: [],
      DATABASE_REPLICA_MAX_LAG: 5,
      DATABASE_POOL_MAX: 10,
      REDIS_URL: undefined,
      JWT_SECRET: undefined,
      JWT_SECRET_PREVIOUS: undefined,
      ACCESS_TOKEN_TTL: 3600,
      REFRESH_TOKEN_TTL: 2_592_000,
      REGISTRATION: 'open',
      PASSWORD_HASH: 'bcrypt',
      CORS_ORIGINS: [],
      TRUSTED_PROXIES: [],
      PUBLIC_URL: undefined,
      WS_MAX_CONNECTIONS: 10_000,
      DRAIN_SECONDS: 0,
      RATE_LIMITS: 'on',
      RATE_LIMIT_API_FREE: 100,
      RATE_LIMIT_API_PREMIUM: 1000,
      RATE_LIMIT_ANONYMOUS: 100,
      RATE_LIMIT_REGISTER: 10,
      RATE_LIMIT_LOGIN_ACCOUNT: 5,
      RATE_LIMIT_LOGIN_ADDRESS: 50,
      RATE_LIMIT_MESSAGES: 30,
      RATE_LIMIT_FRAMES: 100,
      RATE_LIMIT_CALLS: 10,
      RATE_LIMIT_UPLOAD_FREE: 10,
      RATE_LIMIT_UPLOAD_PREMIUM: 100,
      MEDIA_MAX_BYTES_FREE: 52_428_800,
      MEDIA_MAX_BYTES_PREMIUM: 104_857_600,
      IMAGE_MAX_WIDTH: 500,
      IMAGE_MAX_WIDTH_PREMIUM: 1280,
      IMAGE_FORMAT: 'webp',
      MEDIA_STORAGE: 'local',
      S3_ENDPOINT: undefined,
      S3_BUCKET: undefined,
      S3_REGION: 'us-east-1',
      S3_ACCESS_KEY_ID: undefined,
      S3_SECRET_ACCESS_KEY: undefined,
      FFMPEG_PATH: undefined,
      PAYMENT_PROVIDER: 'stub',
      TURN_URLS: [],
      TURN_SECRET: undefined,
      METRICS_TOKEN: undefined,
      METRICS_CGROUPS: {},
      SLOW_QUERY_MS: 200,
      BACKUP_KEEP_DAYS: 30,
      BACKUP_S3_ENDPOINT: undefined,
      BACKUP_S3_REGION: 'us-east-1',
      BACKUP_S3_ACCESS_KEY_ID: undefined,
      BACKUP_S3_SECRET_ACCESS_KEY: undefined,
      LOG_LEVEL: 'info',
    })
  })

  it('are the same with empty variables, which count as unset', () => {
    const empty = Object.fromEntries(Object.keys(settings).map((name) => [name, '']))
    expect(loadConfig(empty)).toEqual(loadConfig({}))
  })

  it('cannot be changed', () => {
    const config = loadConfig({}) as { PORT: number }
    expect(() => {
      config.PORT = 1
    }).toThrow(TypeError)
  })

  it('ignore variables that are none of ours', () => {
    expect(Object.keys(loadConfig({ PATH: '/bin', NODE_ENV: 'x', PORTS: 'x' })).sort()).toEqual(
      Object.keys(settings).sort(),
    )
  })
})

describe('a fault', () => {
  const each: Record<SettingName, string[]> = {
    PORT: ['x', '-1', '65536', '8080.5', '8e3', ' 80', '0x50'],
    HOST: [],
    DATA_DIR: [],
    DATABASE_URL: ['x', 'mysql://u@h/d', 'http://localhost/x', 'postgres:/x', 'postgres://[x/y'],
    DATABASE_REPLICA_URLS: ['x', 'postgres://a/b,http://c'],
    DATABASE_REPLICA_MAX_LAG: ['0', '3601', '5s'],
    DATABASE_POOL_MAX: ['1', '101', 'ten'],
    REDIS_URL: ['localhost:6379', 'http://localhost', 'redis://a,http://b'],
    JWT_SECRET: ['short', 'x'.repeat(31)],
    JWT_SECRET_PREVIOUS: ['short'],
    ACCESS_TOKEN_TTL: ['4', '86401', '1h'],
    REFRESH_TOKEN_TTL: ['59', '99999999', '30d'],
    REGISTRATION: ['yes', 'Open'],
    PASSWORD_HASH: ['md5', 'argon2'],
    CORS_ORIGINS: ['example.org', 'https://a.example/', 'https://a.example/path', 'https://a.example,x', 'null'],
    TRUSTED_PROXIES: ['x', '10.0.0.0/33', '10.0.0.0/', '10.0.0/8', '::1/129', '10.0.0.0/8/8', '10.0.0.1, proxy'],
    PUBLIC_URL: ['example.org', 'ftp://example.org'],
    WS_MAX_CONNECTIONS: ['0', '-5', '1000001'],
    DRAIN_SECONDS: ['-1', '61', '1.5'],
    RATE_LIMITS: ['true', 'ON', '1'],
    RATE_LIMIT_API_FREE: ['0', 'x'],
    RATE_LIMIT_API_PREMIUM: ['0', 'x'],
    RATE_LIMIT_ANONYMOUS: ['0', 'x'],
    RATE_LIMIT_REGISTER: ['0', 'x'],
    RATE_LIMIT_LOGIN_ACCOUNT: ['0', 'x'],
    RATE_LIMIT_LOGIN_ADDRESS: ['0', 'x'],
    RATE_LIMIT_MESSAGES: ['0', 'x'],
    RATE_LIMIT_FRAMES: ['0', 'x'],
    RATE_LIMIT_CALLS: ['0', 'x'],
    RATE_LIMIT_UPLOAD_FREE: ['0', 'x'],
    RATE_LIMIT_UPLOAD_PREMIUM: ['0', 'x'],
    MEDIA_MAX_BYTES_FREE: ['0', '50MB'],
    MEDIA_MAX_BYTES_PREMIUM: ['0', '100MB'],
    IMAGE_MAX_WIDTH: ['15', '4097'],
    IMAGE_MAX_WIDTH_PREMIUM: ['15', '4097'],
    IMAGE_FORMAT: ['png', 'jpeg'],
    MEDIA_STORAGE: ['disk', 'S3'],
    S3_ENDPOINT: ['s3.example.org', 's3://example.org'],
    S3_BUCKET: ['My_Bucket', 'a', '-ab', 'a/b', 'x'.repeat(64)],
    S3_REGION: [],
    S3_ACCESS_KEY_ID: [],
    S3_SECRET_ACCESS_KEY: [],
    FFMPEG_PATH: [],
    PAYMENT_PROVIDER: [],
    TURN_URLS: [
      'turn.example.org',
      'http://a',
      'turn://a.example',
      'turn:',
      'turn:a?transport=sctp',
      'stun:a,turn:u@b',
    ],
    TURN_SECRET: ['short', 'x'.repeat(31)],
    METRICS_TOKEN: ['short', 'with a space in between'],
    METRICS_CGROUPS: ['postgres', '=x', 'a=/x,b', 'A B=/x'],
    SLOW_QUERY_MS: ['x', '-1', '60001'],
    BACKUP_KEEP_DAYS: ['0', '30d'],
    BACKUP_S3_ENDPOINT: ['localhost', 's3://bucket'],
    BACKUP_S3_REGION: [],
    BACKUP_S3_ACCESS_KEY_ID: [],
    BACKUP_S3_SECRET_ACCESS_KEY: [],
    LOG_LEVEL: ['trace', 'INFO'],
  }

  it.each(Object.entries(each))('is told by name: %s', (name, texts) => {
    for (const text of texts) {
      const faults = faultsOf({ JWT_SECRET: SECRET, [name]: text })
      expect({ text, faults: faults.length }).toEqual({ text, faults: 1 })
      expect(faults[0]).toStartWith(`${name} `)
      expect(faults[0]).not.toContain('\n')
    }
  })

  it('does not hide another: all are told at once', () => {
    const worst = Object.entries(each).flatMap(([name, [first]]) => (first === undefined ? [] : [[name, first]]))
    const faults = faultsOf(Object.fromEntries(worst))
    expect(faults.map((fault) => fault.split(' ')[0])).toEqual(worst.map(([name]) => name))
  })

  it('does not repeat a secret', () => {
    const faults = faultsOf({ JWT_SECRET: 'hunter2', JWT_SECRET_PREVIOUS: 'hunter2', DATABASE_URL: 'db:hunter2@x' })
    expect(faults).toHaveLength(3)
    expect(faults.join()).not.toContain('hunter2')
  })

  it('is a database without a secret of its own', () => {
    expect(faultsOf({ DATABASE_URL: 'postgres://u:p@h/d' })).toEqual([
      'JWT_SECRET must be set when DATABASE_URL is (at least 32 bytes)',
    ])
    expect(faultsOf({ DATABASE_URL: 'postgres://u:p@h/d', JWT_SECRET: SECRET })).toEqual([])
    expect(faultsOf({ DATABASE_URL: 'postgres://u:p@h/d', JWT_SECRET: 'short' })).toEqual([
      'JWT_SECRET must be at least 32 bytes long',
    ])
  })

  it('is a replica of the embedded database', () => {
    expect(faultsOf({ DATABASE_REPLICA_URLS: 'postgres://a/b' })).toEqual([
      'DATABASE_REPLICA_URLS needs DATABASE_URL: the embedded database has no replicas',
    ])
    expect(faultsOf({ DATABASE_REPLICA_URLS: 'postgres://a/b', DATABASE_URL: 'x', JWT_SECRET: SECRET })).toHaveLength(1)
    expect(faultsOf({ DATABASE_REPLICA_URLS: ',' })).toEqual([])
  })

  it('is a relay without the secret it shares', () => {
    const needed = 'TURN_SECRET must be set when TURN_URLS names a turn: server (at least 32 bytes)'
    expect(faultsOf({ TURN_URLS: 'stun:a.example,turn:b.example' })).toEqual([needed])
    expect(faultsOf({ TURN_URLS: 'turns:b.example', TURN_SECRET: SECRET })).toEqual([])
    expect(faultsOf({ TURN_URLS: 'turn:b.example', TURN_SECRET: 'x' })).toEqual([
      'TURN_SECRET must be at least 32 bytes long',
    ])
  })
})

describe('a service for files', () => {
  const s3 = {
    MEDIA_STORAGE: 's3',
    S3_ENDPOINT: 'https://s3.example.org',
    S3_BUCKET: 'media',
    S3_ACCESS_KEY_ID: 'key',
    S3_SECRET_ACCESS_KEY: 'hunter2',
  }

  it('needs to be known whole', () => {
    expect(faultsOf(s3)).toEqual([])
    expect(faultsOf({ MEDIA_STORAGE: 's3' })).toEqual([
      'S3_ENDPOINT must be set when MEDIA_STORAGE is s3',
      'S3_BUCKET must be set when MEDIA_STORAGE is s3',
      'S3_ACCESS_KEY_ID must be set when MEDIA_STORAGE is s3',
      'S3_SECRET_ACCESS_KEY must be set when MEDIA_STORAGE is s3',
    ])
    expect(faultsOf({ ...s3, S3_BUCKET: 'A' })).toEqual(['S3_BUCKET must be the name of a bucket'])
  })

  it('may be written down before it is used', () => {
    expect(faultsOf({ ...s3, MEDIA_STORAGE: 'local' })).toEqual([])
  })
})

describe('a value', () => {
  const given: [Partial<Record<SettingName, string>>, Record<string, unknown>][] = [
    [{ PORT: '0' }, { PORT: 0 }],
    [{ DATA_DIR: 'there' }, { DATA_DIR: resolve('there') }],
    [{ DATABASE_URL: 'postgresql://u@/d?host=/run/pg' }, { DATABASE_URL: 'postgresql://u@/d?host=/run/pg' }],
    [{ DATABASE_URL: 'postgres:///d?host=/run/pg' }, { DATABASE_URL: 'postgres:///d?host=/run/pg' }],
    [
      { DATABASE_URL: 'postgres://p/b', DATABASE_REPLICA_URLS: 'postgres://a/b, postgres://c/d,' },
      { DATABASE_REPLICA_URLS: ['postgres://a/b', 'postgres://c/d'] },
    ],
    [{ REDIS_URL: 'rediss://h:6380/1' }, { REDIS_URL: 'rediss://h:6380/1' }],
    [{ REDIS_URL: 'redis://a:1, redis://b:2' }, { REDIS_URL: 'redis://a:1,redis://b:2' }],
    [{ JWT_SECRET: 'ü'.repeat(16) }, { JWT_SECRET: 'ü'.repeat(16) }],
    [{ CORS_ORIGINS: '*' }, { CORS_ORIGINS: ['*'] }],
    [
      { CORS_ORIGINS: 'https://a.example , http://b.example:8080' },
      { CORS_ORIGINS: ['https://a.example', 'http://b.example:8080'] },
    ],
    [
      { TRUSTED_PROXIES: '127.0.0.1,10.0.0.0/8,::1,fd00::/8' },
      { TRUSTED_PROXIES: ['127.0.0.1', '10.0.0.0/8', '::1', 'fd00::/8'] },
    ],
    [{ PUBLIC_URL: 'https://chat.example.org/' }, { PUBLIC_URL: 'https://chat.example.org' }],
    [
      { REGISTRATION: 'closed', PASSWORD_HASH: 'argon2id' },
      { REGISTRATION: 'closed', PASSWORD_HASH: 'argon2id' },
    ],
    [
      { RATE_LIMITS: 'off', LOG_LEVEL: 'debug' },
      { RATE_LIMITS: 'off', LOG_LEVEL: 'debug' },
    ],
    [
      { IMAGE_FORMAT: 'original', IMAGE_MAX_WIDTH: '800' },
      { IMAGE_FORMAT: 'original', IMAGE_MAX_WIDTH: 800 },
    ],
    [
      { METRICS_CGROUPS: 'postgres=/sys/fs/cgroup/pg, redis=a.slice' },
      { METRICS_CGROUPS: { postgres: '/sys/fs/cgroup/pg', redis: 'a.slice' } },
    ],
    [
      { TURN_URLS: 'stun:a.example, turn:[::1]:3478?transport=udp,turns:b.example:5349', TURN_SECRET: SECRET },
      { TURN_URLS: ['stun:a.example', 'turn:[::1]:3478?transport=udp', 'turns:b.example:5349'], TURN_SECRET: SECRET },
    ],
    [{ TURN_URLS: 'stun:a.example' }, { TURN_URLS: ['stun:a.example'] }],
  ]
  it.each(given)('is understood: %j', (environment, expected) => {
    expect(loadConfig({ JWT_SECRET: SECRET, ...environment })).toMatchObject(expected)
  })
})

describe('deploy/.env.example', async () => {
  const text = await Bun.file(join(import.meta.dir, '../deploy/.env.example')).text()
  const lines = text.split('\n')
  const entries = lines.flatMap((line, index) => {
    const [, name, value] = /^#?([A-Z0-9_]+)=(.*)$/.exec(line) ?? []
    return name === undefined ? [] : [{ name, value: value ?? '', line, comment: lines[index - 1] ?? '' }]
  })

  it('lists every setting once, in order, commented out', () => {
    expect(entries.map(({ name }) => name)).toEqual(Object.keys(settings))
    expect(entries.filter(({ line }) => !line.startsWith('#'))).toEqual([])
  })

  it('says what each is for, and what holds without it', () => {
    const shown = Object.fromEntries(entries.map(({ name, value }) => [name, value]))
    expect(loadConfig({ ...shown })).toEqual(loadConfig({}))
    for (const [name, { help }] of Object.entries(settings)) {
      const entry = entries.find((one) => one.name === name)
      expect(entry?.comment).toStartWith(`# ${help}`)
    }
  })
})
