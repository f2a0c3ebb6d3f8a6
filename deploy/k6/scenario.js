// @ts-check
/** The load and what is wanted of the server under it: for k6 (load-test.js) and for `npm run load` alike. */

export const USERS = 50
export const SECONDS = 300
/** Each user sends so often: 625 messages a second of all. */
export const SEND_EVERY_MS = 80
/** And asks by REST: 50 requests a second of all. */
export const ASK_EVERY_MS = 1000
export const PASSWORD = 'LoadTest123'

/** 95 of 100 are faster, in milliseconds; messages a second. */
export const TARGETS = { answerMs: 100, deliveryMs: 50, databaseMs: 20, messagesPerSecond: 500 }

/** @param {number} n from 0 */
export const personOf = (n) => ({ phone: `+1999${1_000_000 + n}`, username: `load_${n}`, password: PASSWORD })

/**
 * What a user asks for, in turn.
 * @param {string} chatId
 * @returns {{ method: 'GET' | 'POST', path: string, body?: object }[]}
 */
export const asksOf = (chatId) => [
  { method: 'GET', path: '/chats' },
  { method: 'GET', path: `/chats/${chatId}/messages?limit=50` },
  { method: 'POST', path: `/chats/${chatId}/read`, body: {} },
  { method: 'GET', path: '/users/me' },
  { method: 'POST', path: '/messages', body: { chat_id: chatId, content: 'By REST' } },
]

/**
 * A quantile of a histogram of Prometheus's between two readings of /metrics, all of its series together, as
 * histogram_quantile() computes it.
 * @param {string} before
 * @param {string} after
 * @param {string} name
 * @param {number} share 0.95
 * @returns {number} in the unit of the histogram; NaN when nothing was counted
 */
export function quantileBetween(before, after, name, share) {
  const [start, end] = [bucketsOf(before, name), bucketsOf(after, name)]
  const counts = [...end].map(([bound, count]) => ({ bound, count: count - (start.get(bound) ?? 0) }))
  counts.sort((a, b) => a.bound - b.bound)
  const total = counts[counts.length - 1]?.count ?? 0
  const wanted = total * share
  const at = counts.findIndex(({ count }) => count >= wanted)
  const bucket = counts[at]
  if (total === 0 || bucket === undefined) return Number.NaN
  const below = counts[at - 1] ?? { bound: 0, count: 0 }
  if (bucket.bound === Number.POSITIVE_INFINITY) return below.bound
  return below.bound + (bucket.bound - below.bound) * ((wanted - below.count) / (bucket.count - below.count))
}

/**
 * @param {string} text
 * @param {string} name
 * @returns {Map<number, number>} upper bound -> how many are not above it
 */
function bucketsOf(text, name) {
  const buckets = new Map()
  for (const line of text.split('\n')) {
    if (!line.startsWith(`${name}_bucket{`)) continue
    const [, bound = '', count = ''] = /le="([^"]+)"\} (\S+)$/.exec(line) ?? []
    const key = bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound)
    buckets.set(key, (buckets.get(key) ?? 0) + Number(count))
  }
  return buckets
}
