/**
 * What a cache saves on the way a request takes, and what it costs: the same services without one, with Redis and with
 * this process's own, in turns: `npm run bench:caches`. Every reading from a cache is a hit unless the way says otherwise,
 * so this is the best a cache can do. An argument says how many operations are under way at any time: with one alone,
 * nothing shares a write.
 */
import { cpus } from 'node:os'
import { createMemoryBus } from '../../src/bus/memory.ts'
import { type Cache, remember } from '../../src/cache/cache.ts'
import { createMemoryCache } from '../../src/cache/memory-cache.ts'
import { createMemoryHolders } from '../../src/cache/memory-holders.ts'
import { createMemoryLimiter } from '../../src/cache/memory-limiter.ts'
import { createRedisCache } from '../../src/cache/redis-cache.ts'
import { createRedisHolders } from '../../src/cache/redis-holders.ts'
import { createRedisLimiter } from '../../src/cache/redis-limiter.ts'
import type { Db } from '../../src/db/client.ts'
import { noReplicas } from '../../src/db/replicas.ts'
import { accessChat } from '../../src/features/chats/access.ts'
import { createChats } from '../../src/features/chats/service.ts'
import { createHistory } from '../../src/features/messages/history.ts'
import { toMessage } from '../../src/features/messages/model.ts'
import { createRecent, RECENT_LIMIT } from '../../src/features/messages/recent.ts'
import { createLastSeen } from '../../src/features/users/last-seen.ts'
import { createProfiles } from '../../src/features/users/profiles.ts'
import { createUsers } from '../../src/features/users/service.ts'
import { createLog } from '../../src/observability/log.ts'
import { connectRedis } from '../../src/redis/client.ts'
import { noAvatars, noTier } from '../support/no-avatars.ts'
import { stopPostgres } from '../support/postgres.ts'
import { startRedis } from '../support/redis.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { listLiveOverviews } from './live-overview.ts'
import { measureAll, type Variant } from './measure.ts'

const ROUNDS = 5
const SECONDS = 1
const FLOWS = Number(process.argv[2] ?? 16)
const USERS = 1000
/** Of the user whose list is read; as many direct ones as groups with the same two. */
const CHATS = 50
const MESSAGES = 200
const TTL_SECONDS = 300

const log = createLog('error')
const bus = createMemoryBus(log)
const write = (text: string) => void process.stdout.write(`${text}\n`)
const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(Math.random() * items.length)] as Item

interface World {
  db: Db
  userIds: string[]
  /** Has a direct chat, and a group, with each of `peerIds`. */
  userId: string
  peerIds: string[]
  groupIds: string[]
}

async function addWorld({ database: { db, sql } }: TestServer): Promise<World> {
  const userIds = Array.from({ length: USERS }, () => Bun.randomUUIDv7())
  const [userId = '', ...others] = userIds
  const peerIds = others.slice(0, CHATS / 2)
  const newIds = () => peerIds.map(() => Bun.randomUUIDv7())
  const [dmIds, groupIds] = [newIds(), newIds()]
  const chatIds = [...dmIds, ...groupIds]
  const dmKeys = peerIds.map((peerId) => [userId, peerId].sort().join(':'))
  await sql`
    insert into users (id, phone, username, bio, password_hash)
    select id, '+1' || (1000000000 + n)::text, 'bench_' || n, 'A few words about oneself, as people write them', 'none'
    from unnest(${userIds}::uuid[]) with ordinality u (id, n)`
  await sql`
    insert into chats (id, type, dm_key, member_count, last_seq)
    select id, 'dm', key, 2, ${MESSAGES} from unnest(${dmIds}::uuid[], ${dmKeys}::text[]) c (id, key)`
  await sql`
    insert into chats (id, type, name, owner_id, member_count, last_seq)
    select id, 'group', 'A group of the bench', ${userId}, 2, ${MESSAGES} from unnest(${groupIds}::uuid[]) id`
  await sql`
    insert into chat_members (chat_id, user_id)
    select chat_id, user_id from unnest(
      ${[...chatIds, ...chatIds]}::uuid[],
      ${[...peerIds, ...peerIds, ...chatIds.map(() => userId)]}::uuid[]) m (chat_id, user_id)`
  await sql`
    insert into messages (chat_id, id, seq, sender_id, client_id, content)
    select chat_id, gen_random_uuid(), seq, ${userId}, chat_id::text || seq, 'A message of an ordinary length: fifty characters.'
    from unnest(${chatIds}::uuid[]) chat_id, generate_series(1, ${MESSAGES}) seq`
  await sql`analyze`
  return { db, userIds, userId, peerIds, groupIds }
}

const NO_CACHE: Cache = {
  recall: () => undefined,
  get: async () => ({ permit: undefined }),
  set: async () => {},
  forget: async () => {},
  replace: async () => {},
}

/** Asks the cache, and hands over what it did not have. */
const allMisses = (cache: Cache): Cache => ({
  ...cache,
  get: async (key) => ({ permit: (await cache.get(`${key}:missing`)).permit }),
})

type Caches = Record<string, Cache>

/** A task on services that were given each of these caches. */
const variantsOf = (task: string, caches: Caches, runWith: (cache: Cache) => Variant['run']): Variant[] =>
  Object.entries(caches).map(([way, cache]) => ({ task, way, run: runWith(cache) }))

function listReadings({ db, userIds, userId, peerIds, groupIds }: World, caches: Caches): Variant[] {
  const chatsWith = (cache: Cache) => {
    const users = createUsers({
      db,
      profiles: createProfiles({ db, cache }),
      avatars: noAvatars,
      uploadMaxBytesOf: noTier,
    })
    const listOnline = async () => new Set<string>()
    return createChats({ db, bus, cache, users, avatars: noAvatars, listOnline, groupLimitOf: async () => CHATS })
  }
  const newest = (cache: Cache) => {
    const recent = createRecent({ cache, readHistory: createHistory({ db, replicas: noReplicas }) })
    return async () => recent.list(await accessChat(db, userId, pick(groupIds), 'read'), RECENT_LIMIT)
  }
  const misses = Object.entries(caches).map(([way, cache]) => [`${way}, all misses`, allMisses(cache)])

  /** What could be kept of the chat list: names, and the other one's profile. */
  const listWith = (cache: Cache) => {
    const profiles = createProfiles({ db, cache })
    return async () => {
      const rows = await listLiveOverviews(db, userId, CHATS + 1)
      const names = await Promise.all(
        rows.map(({ id, peerId }) =>
          peerId ? profiles.get(userId, peerId) : remember(cache, `name:${id}`, TTL_SECONDS, async () => 'A group'),
        ),
      )
      return rows.map(({ lastMessage, ...row }, n) => ({
        ...row,
        last_message: lastMessage && toMessage(lastMessage),
        of: names[n],
      }))
    }
  }

  const all: Caches = { 'no cache': NO_CACHE, ...caches }
  return [
    ...variantsOf('a profile', all, (cache) => {
      const profiles = createProfiles({ db, cache })
      return () => profiles.get(userId, pick(userIds))
    }),
    ...variantsOf('a direct chat by its two', all, (cache) => {
      const chats = chatsWith(cache)
      return () => chats.getOrCreateDm(userId, pick(peerIds))
    }),
    ...variantsOf('newest 50 of a group', { ...all, ...Object.fromEntries(misses) }, newest),
    { task: 'list of 50 chats', way: 'no cache', run: () => chatsWith(NO_CACHE).list(userId, { limit: CHATS }) },
    ...variantsOf('list of 50 chats', caches, listWith).map((one) => ({
      ...one,
      way: `names and profiles: ${one.way}`,
    })),
  ]
}

async function bench(): Promise<void> {
  const server = await startServer()
  const redisServer = await startRedis()
  const redis = await connectRedis(redisServer.url, log)
  try {
    const world = await addWorld(server)
    const { db, userIds } = world
    const caches = { Redis: createRedisCache({ redis, log }), 'in process': createMemoryCache() }

    const lastSeen = createLastSeen({ db, log, profiles: createProfiles({ db, cache: NO_CACHE }) })
    const limit = { count: 1_000_000_000, periodSeconds: 60 }
    const limiters = { Redis: createRedisLimiter({ redis, log }), 'in process': createMemoryLimiter() }
    const elsewhere = createRedisHolders({ redis: await connectRedis(redisServer.url, log), log })
    const holders = { Redis: createRedisHolders({ redis, log }), 'in process': createMemoryHolders() }
    const online = userIds.slice(0, 50).map((id) => ({ group: `online:${id}`, member: id }))
    for (const holding of online) for (const one of [elsewhere, holders['in process']]) await one.hold(holding)

    const variants: Variant[] = [
      ...listReadings(world, caches),
      {
        task: 'last seen, once a minute',
        way: 'Redis',
        run: () => {
          const key = `seen:${pick(userIds)}`
          return redis.send(key, ['SET', key, '1', 'NX', 'EX', '60'])
        },
      },
      { task: 'last seen, once a minute', way: 'in process', run: () => lastSeen.touch(pick(userIds)) },
      ...Object.entries(holders).map(([way, one]) => ({
        task: 'presence of 50',
        way,
        run: () => one.areHeld(online),
      })),
      ...Object.entries(limiters).map(([way, limiter]) => ({
        task: 'a rate limit',
        way,
        run: () => limiter.hit(pick(userIds), limit),
      })),
    ]
    const backends = () =>
      server.database.sql<{ pid: number }[]>`
        select pid from pg_stat_activity where backend_type = 'client backend' and datname = current_database()`
    const [, redisPid = '0'] = /process_id:(\d+)/.exec(await redisServer.cli('info', 'server')) ?? []
    const processes = { postgres: async () => (await backends()).map(({ pid }) => pid), redis: Number(redisPid) }
    print(await measureAll(variants, processes, { rounds: ROUNDS, seconds: SECONDS, flows: FLOWS }))
    for (const one of [elsewhere, holders.Redis]) await one.close()
  } finally {
    await redis.close()
    await redisServer.stop()
    await server.stop()
    await stopPostgres()
  }
}

function print(results: Awaited<ReturnType<typeof measureAll>>): void {
  write(`${new Date().toISOString().slice(0, 10)}, ${cpus().length} x ${cpus()[0]?.model.trim()}, Bun ${Bun.version}`)
  write(`${ROUNDS} rounds of ${SECONDS} s in turns, ${FLOWS} at a time, medians; CPU in microseconds an operation`)
  write('| what | from | ops/s | server | PostgreSQL | Redis | CPU in all | against the first |')
  write('|---|---|---:|---:|---:|---:|---:|---:|')
  for (const { task, way, perSecond, server, postgres, redis } of results) {
    const first = results.find((one) => one.task === task)
    const all = server + postgres + redis
    const firstAll = first ? first.server + first.postgres + first.redis : all
    const cells = [server, postgres, redis, all].map((value) => value.toFixed(1))
    write(
      `| ${[task, way, Math.round(perSecond).toLocaleString('en'), ...cells, `${(all / firstAll).toFixed(2)} x`].join(' | ')} |`,
    )
  }
}

await bench()
process.exit(0)
