/**
 * Every key in Redis and how long it lives. All of them expire: what is lost with Redis costs speed, never truth. Each
 * command and script touches one key, so that a cluster may put every key on another node.
 */

/** A rate limit; it lives until the limit is whole again. */
export const limitKey = (name: string) => `limit:${name}`

/** Of a cached value: it holds the value, or the lease of whoever is loading it. */
export const profileKey = (userId: string) => `user:profile:${userId}`
/** As its owner sees it. */
export const ownProfileKey = (userId: string) => `user:own_profile:${userId}`
export const PROFILE_SECONDS = 300
/** `dmKey` names both, the smaller id first, joined by a colon. */
export const dmChatKey = (dmKey: string) => `chat:dm:${dmKey}`
export const DM_CHAT_SECONDS = 300
export const recentMessagesKey = (chatId: string) => `chat:recent:${chatId}`
export const RECENT_MESSAGES_SECONDS = 1800
/** Values live no longer, whatever is asked for. */
export const MAX_CACHE_SECONDS = 1800
/** Loading a value may take so long; what comes later is not kept. */
export const LEASE_MS = 10_000

/** Who is held in a group, by which instance, and until when: a sorted set of `<member> <instance>` by Unix milliseconds. */
export const holdersKey = (group: string) => `holders:${group}`
export const HOLDERS_KEY_MS = 300_000
/** What an instance holds lives so long without being held anew, */
export const HOLD_MS = 60_000
/** which is done this often. */
export const HOLD_ANEW_MS = 20_000
/** An instance that stops leaves its holds for so long: its clients come back elsewhere meanwhile. */
export const LAST_HOLD_MS = 10_000

/** All that an instance holds, as a set of `<group> <member>`: for whoever clears up after its death. */
export const holdsKey = (instance: string) => `holds:${instance}`
export const HOLDS_KEY_MS = 300_000

/** The instances, a sorted set: until when each is alive, in Unix milliseconds; below zero, when it was cleared up after. */
export const INSTANCES_KEY = 'instances'
export const INSTANCES_KEY_MS = 3_600_000
