/** The services and what they need of each other: the server without its doors. */
import { join } from 'node:path'
import type { Bus } from './bus/bus.ts'
import type { Cache } from './cache/cache.ts'
import { countRefusals, createRefusalCounter } from './cache/counted-limiter.ts'
import type { Holders } from './cache/holders.ts'
import type { RateLimiter } from './cache/limiter.ts'
import { createMemoryLimiter } from './cache/memory-limiter.ts'
import type { Config } from './config.ts'
import type { Database } from './db/client.ts'
import { noReplicas, type Replicas } from './db/replicas.ts'
import { createAccounts, type DeletionStep } from './features/auth/accounts.ts'
import { createGuard } from './features/auth/guard.ts'
import { wireAuth } from './features/auth/wiring.ts'
import { createIce } from './features/calls/ice.ts'
import { createCalls } from './features/calls/service.ts'
import { createChannels } from './features/channels/service.ts'
import { createInvites } from './features/chats/invites.ts'
import { createMembers } from './features/chats/members.ts'
import { createReads } from './features/chats/reads.ts'
import { createChats } from './features/chats/service.ts'
import { createAvatars } from './features/media/avatars.ts'
import { createDelivery } from './features/media/delivery.ts'
import type { FfmpegPaths } from './features/media/ffmpeg.ts'
import { createLinks } from './features/media/links.ts'
import { createRetention } from './features/media/retention.ts'
import { createUnmade } from './features/media/unmade.ts'
import { createWork } from './features/media/work.ts'
import { createWorkshop } from './features/media/workshop.ts'
import { createHistory } from './features/messages/history.ts'
import type { Message } from './features/messages/model.ts'
import { createSearch } from './features/messages/search.ts'
import { createSearchIndexer } from './features/messages/search-indexer.ts'
import { createMessages } from './features/messages/service.ts'
import { createMessageWriter } from './features/messages/writer.ts'
import { createPresence } from './features/presence/service.ts'
import { findPaymentProvider } from './features/subscriptions/payments.ts'
import { createPurchases } from './features/subscriptions/purchases.ts'
import { createSubscriptions } from './features/subscriptions/service.ts'
import { createTiers } from './features/subscriptions/tiers.ts'
import { createSync } from './features/sync/service.ts'
import { wireUploads } from './features/uploads/wiring.ts'
import { createAudit } from './features/users/audit.ts'
import { type BlockChange, createBlocks } from './features/users/blocks.ts'
import { createLastSeen } from './features/users/last-seen.ts'
import { createProfiles } from './features/users/profiles.ts'
import { createUsers } from './features/users/service.ts'
import { MAX_JSON_BYTES, readJson } from './http/body.ts'
import { createClientAddress } from './http/client-address.ts'
import { createLargeJsonReader } from './http/large-json.ts'
import { createOriginPolicy } from './http/origins.ts'
import { createTranscoding } from './jobs/transcoding.ts'
import type { Log } from './observability/log.ts'
import { createMetrics, type Metrics } from './observability/metrics.ts'
import { createFanout } from './realtime/fanout.ts'
import { mendGaps } from './realtime/gaps.ts'
import { createGateway } from './realtime/gateway.ts'
import type { Storage } from './storage/storage.ts'

export interface ServicesOptions {
  config: Config
  /** Signs tokens. */
  secret: string
  /** The pool of everything but new messages. */
  database: Database
  /** The message writer's own connection, with `writerStartup`. */
  writerDatabase: Database
  /** For history and search; none by default. */
  replicas?: Replicas
  /** What it has in common with other instances. */
  bus: Bus
  cache: Cache
  limiter: RateLimiter
  holders: Holders
  /** Files, for all instances. */
  storage: Storage
  /** Undefined: videos and sounds are served as they were sent. */
  ffmpeg: FfmpegPaths | undefined
  log: Log
  metrics?: Metrics
  /** Milliseconds since 1970, the same for all instances. */
  now?: () => number
}

export type Services = ReturnType<typeof createServices>

export function createServices(options: ServicesOptions) {
  const { config, secret, database, writerDatabase, bus, cache, holders, storage, log } = options
  const { metrics = createMetrics(), replicas = noReplicas, now = Date.now } = options
  const today = () => new Date(now())
  const onRefused = createRefusalCounter(metrics)
  const limiter = countRefusals(options.limiter, onRefused)
  const ownLimiter = countRefusals(createMemoryLimiter(), onRefused)
  const { db } = database
  const isLimited = config.RATE_LIMITS === 'on'
  const clientAddress = createClientAddress(config.TRUSTED_PROXIES, log)
  const origins = createOriginPolicy(config.CORS_ORIGINS, config.PUBLIC_URL)

  const profiles = createProfiles({ db, cache })
  const work = createWork(join(config.DATA_DIR, 'media', 'work'), log)
  const { images, films, maker } = createWorkshop({ ffmpeg: options.ffmpeg, config })
  const countUpload = async (userId: string) => admission.count(userId, await tiers.tierOf(userId))
  const avatars = createAvatars({ db, storage, work, images, publicUrl: config.PUBLIC_URL, countUpload, log })
  const users = createUsers({
    ...{ db, profiles, avatars },
    uploadMaxBytesOf: (userId) =>
      tiers.recall(userId)?.uploadMaxBytes ?? tiers.tierOf(userId).then(({ uploadMaxBytes }) => uploadMaxBytes),
  })
  const lastSeen = createLastSeen({ db, log, profiles, now })
  const keys = { secret, previousSecret: config.JWT_SECRET_PREVIOUS }
  const ofAuth = { db, bus, log, users, config, keys, isLimited, metrics, now, onRefused }
  const { sessions, passwords, attempts, auth, authenticate } = wireAuth(ofAuth)
  const tiers = createTiers({ db, bus, profiles, settings: config, now: today })
  const guard = createGuard({
    authenticate,
    limiter,
    limits: { isOn: isLimited, anonymous: config.RATE_LIMIT_ANONYMOUS },
    apiLimitOf: (userId) =>
      tiers.recall(userId)?.apiPerMinute ?? tiers.tierOf(userId).then(({ apiPerMinute }) => apiPerMinute),
    clientAddress,
    lastSeen,
    readBody: (request) => readJson(request, MAX_JSON_BYTES),
    readLargeBody: createLargeJsonReader(),
  })

  const listHeads = (userId: string) => chats.listHeads(userId)
  const presence = createPresence({
    db,
    bus,
    log,
    holders,
    listHeads,
    listBlockers: (viewerId, userIds) => users.listBlockers(db, viewerId, userIds),
    listBlockedBy: (userId) => blocks.listBlockedBy(userId),
    lastSeen,
  })
  const groupLimitOf = async (ownerId: string) => (await tiers.tierOf(ownerId)).groupMembers
  const ofChats = { db, bus, cache, users, avatars, listOnline: presence.listOnline, groupLimitOf }
  const chats = createChats(ofChats)
  const members = createMembers(ofChats)
  const invites = createInvites({ db, bus, users, chats, members })
  const followBlock = async (change: BlockChange) => {
    await presence.followBlock(change)
    await calls.followBlock(change)
  }
  const blocks = createBlocks({ db, users, followInDm: chats.followBlock, onChanged: followBlock })
  const reads = createReads({ db, bus, log })
  const channels = createChannels({ db, bus, users, avatars, chats, members })
  const provider = findPaymentProvider(config.PAYMENT_PROVIDER)
  const purchases = createPurchases({ db, tiers, log, provider, now: today })
  const subscriptions = createSubscriptions({ db, tiers, now: today })
  const leaveCalls: DeletionStep = (tx, userId) => calls.releaseAccount(tx, userId)
  const steps = [leaveCalls, blocks.forgetAccount, members.releaseAccount, subscriptions.releaseAccount]
  const accounts = createAccounts({ db, bus, users, passwords, sessions, attempts, steps })

  const retention = createRetention({ db, storage, work })
  const delivery = createDelivery({ db, storage, links: createLinks({ ...keys, now }), log })

  const searchIndexer = createSearchIndexer({ db, log })
  const onStored = ({ chat_id, sender_id, seq, message_type }: Message) => {
    // A call is stored when it is over: whoever called may not have read what was written meanwhile.
    if (sender_id && message_type !== 'call') reads.noteSent(chat_id, sender_id, seq)
    searchIndexer.note(chat_id)
  }
  const writer = createMessageWriter({ sql: writerDatabase.sql, bus, log, onStored, metrics })
  const sendLimit = isLimited ? { count: config.RATE_LIMIT_MESSAGES, periodSeconds: 10 } : undefined
  const messages = createMessages({
    db,
    bus,
    cache,
    writer,
    readHistory: createHistory({ db, replicas }),
    limiter: ownLimiter,
    sendLimit,
    onChanged: searchIndexer.note,
    releaseMedia: retention.release,
  })
  const unmade = createUnmade({ db, storage, work, films })
  metrics.gauge('messenger_media_unmade', 'Videos and sounds that are still to be made.', unmade.count)
  const { tierOf } = tiers
  const maxHeightOf = async (userId: string) => (await tierOf(userId)).videoMaxHeight
  const transcoding = createTranscoding({ unmade, messages, maxHeightOf, bus, log })
  const ofUploads = { db, storage, work, maker, messages, limiter, isLimited, tierOf, onUnmade: transcoding.nudge, log }
  const { admission, uploads, piecewise } = wireUploads(ofUploads)
  const inviteLimit = isLimited ? { count: config.RATE_LIMIT_CALLS, periodSeconds: 60 } : undefined
  const calls = createCalls({ db, bus, log, messages, reads, limiter: ownLimiter, inviteLimit })
  const ice = createIce({ urls: config.TURN_URLS, secret: config.TURN_SECRET, now })
  const sync = createSync({ db, chats, messages })

  const fanout = createFanout({
    bus,
    log,
    listHeads,
    listOwnIds: chats.listOwnIds,
    getChat: chats.get,
    onLostChat: presence.leaveChat,
    maxPerUser: config.WS_MAX_CONNECTIONS_PER_USER,
    onSent: (bytes) => gateway.noteSent(bytes),
  })
  mendGaps({ bus, fanout, listChatIds: chats.listChatIds, listInvites: calls.listInvites, log })
  // Of all sockets: what one tells a chat, every other member's hears.
  const framesOfUser = { count: 5 * config.RATE_LIMIT_FRAMES, periodSeconds: 10 }
  const ofSockets = { messages, reads, presence, calls, log, metrics, fanout, authenticate, lastSeen, limiter }
  const gateway = createGateway({
    ...ofSockets,
    frameLimit: isLimited ? config.RATE_LIMIT_FRAMES : undefined,
    countFrame: isLimited ? (userId) => ownLimiter.hit(`frames:${userId}`, framesOfUser) : undefined,
    onRefused: () => onRefused('frames'),
    listAliveSessions: sessions.listAlive,
    isSessionAlive: sessions.isAlive,
    clientAddress,
    isOriginAllowed: origins.isAllowed,
    anonymousLimit: isLimited ? config.RATE_LIMIT_ANONYMOUS : undefined,
    openingLimitOf: isLimited ? async (userId) => (await tierOf(userId)).apiPerMinute : undefined,
    maxConnections: config.WS_MAX_CONNECTIONS,
    now,
  })
  const audit = createAudit({ db })
  const search = createSearch({ db, replicas })

  return {
    metrics,
    origins,
    guard,
    auth,
    accounts,
    users,
    blocks,
    audit,
    subscriptions,
    purchases,
    chats,
    members,
    reads,
    invites,
    channels,
    messages,
    avatars,
    delivery,
    uploads,
    piecewise,
    search,
    sync,
    ice,
    calls,
    gateway,
    fanout,
    presence,
    sessions,
    attempts,
    work,
    retention,
    transcoding,
    searchIndexer,
    writer,
    lastSeen,
    images,
    /** Whether videos and sounds can be made. */
    hasFilms: films !== undefined,
  }
}
