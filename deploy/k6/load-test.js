// @ts-check
/**
 * 50 users for 5 minutes, by k6 (https://k6.io, 1.0 or later):
 *
 *   RATE_LIMITS=off METRICS_TOKEN=a-token-of-your-own messenger
 *   k6 run --vus 50 --duration 5m -e URL=http://localhost:8080 -e METRICS_TOKEN=a-token-of-your-own deploy/k6/load-test.js
 *
 * Pairs of users write to each other in direct chats and ask by REST meanwhile. The same without k6: `npm run load`.
 */
import { check, fail } from 'k6'
import http from 'k6/http'
import { Counter, Trend } from 'k6/metrics'
import { WebSocket } from 'k6/websockets'
import { ASK_EVERY_MS, asksOf, personOf, quantileBetween, SECONDS, SEND_EVERY_MS, TARGETS, USERS } from './scenario.js'

const URL = __ENV.URL ?? 'http://localhost:8080'
const API = `${URL}/api/v1`
/** A socket lives so long; the next iteration opens another. */
const SESSION_MS = 30_000
/** For what is still on its way at the end of a session. */
const DRAIN_MS = 1000

const delivery = new Trend('delivery', true)
const database = new Trend('database_p95', true)
const acknowledged = new Counter('acknowledged')
const refused = new Counter('refused')

export const options = {
  vus: USERS,
  duration: `${SECONDS}s`,
  setupTimeout: '5m',
  thresholds: {
    // Signing in costs what a password's hash costs, on purpose: it is no part of this.
    'http_req_duration{kind:ask}': [`p(95)<${TARGETS.answerMs}`],
    delivery: [`p(95)<${TARGETS.deliveryMs}`],
    database_p95: [`max<${TARGETS.databaseMs}`],
    acknowledged: [`rate>${TARGETS.messagesPerSecond}`],
    refused: ['count==0'],
    checks: ['rate==1'],
  },
}

/** @param {string} [token] */
const headersOf = (token) => ({
  'Content-Type': 'application/json',
  ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
})

function readMetrics() {
  const answer = http.get(`${URL}/metrics`, { headers: headersOf(__ENV.METRICS_TOKEN) })
  if (answer.status !== 200) fail(`/metrics answers ${answer.status}: set METRICS_TOKEN for both`)
  return String(answer.body)
}

/** @param {number} n */
function signIn(n) {
  const { phone, username, password } = personOf(n)
  const post = (/** @type {string} */ path, /** @type {object} */ body) =>
    http.post(`${API}${path}`, JSON.stringify(body), { headers: headersOf() })
  const made = post('/auth/register', { phone, username, password })
  const answer = made.status === 409 ? post('/auth/login', { phone_or_email: phone, password }) : made
  if (answer.status > 201)
    fail(`Signing in answers ${answer.status}: ${answer.body} (start the server with RATE_LIMITS=off)`)
  return { id: String(answer.json('user_id')), token: String(answer.json('token')) }
}

export function setup() {
  const people = Array.from({ length: USERS }, (_, n) => signIn(n))
  const members = people.map(({ token }, n) => {
    const peer = people[n % 2 === 0 ? n + 1 : n - 1]
    const dm = http.get(`${API}/chats/dm/${peer?.id}`, { headers: headersOf(token) })
    return { token, chatId: String(dm.json('id')) }
  })
  return { members, before: readMetrics() }
}

/** @param {ReturnType<typeof setup>} data */
export default function talk({ members }) {
  const member = members[(__VU - 1) % members.length]
  if (member === undefined) return
  const { token, chatId } = member
  const asks = asksOf(chatId)
  const socket = new WebSocket(`${URL.replace('http', 'ws')}/ws?token=${token}`)
  let asked = 0

  async function ask() {
    const { method, path, body } = asks[asked++ % asks.length] ?? { method: 'GET', path: '/chats' }
    const answer = await http.asyncRequest(method, `${API}${path}`, body ? JSON.stringify(body) : null, {
      headers: headersOf(token),
      tags: { kind: 'ask', name: `${method} ${path.replace(chatId, ':id')}` },
    })
    check(answer, { 'is answered': ({ status }) => status === 200 || status === 201 })
  }

  socket.onopen = () => {
    const sending = setInterval(() => {
      socket.send(JSON.stringify({ type: 'message', ref: 1, chat_id: chatId, content: `sent ${Date.now()}` }))
    }, SEND_EVERY_MS)
    const asking = setInterval(ask, ASK_EVERY_MS)
    setTimeout(() => {
      clearInterval(sending)
      clearInterval(asking)
      setTimeout(() => socket.close(), DRAIN_MS)
    }, SESSION_MS - DRAIN_MS)
  }
  socket.onmessage = (event) => {
    const frame = JSON.parse(String(event?.data))
    if (frame.type === 'ack') acknowledged.add(1)
    else if (frame.type === 'error') refused.add(1)
    else if (frame.type === 'new_message') {
      const sentAt = /^sent (\d+)$/.exec(frame.message.content)?.[1]
      if (sentAt !== undefined) delivery.add(Date.now() - Number(sentAt))
    }
  }
  socket.onerror = () => refused.add(1)
}

/** @param {ReturnType<typeof setup>} data */
export function teardown({ before }) {
  database.add(quantileBetween(before, readMetrics(), 'messenger_db_query_seconds', 0.95) * 1000)
}
