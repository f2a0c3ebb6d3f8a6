/** Clocks that are an hour wrong and jump: order, tokens, links, limits, calls and presence go by the database's. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTokens } from '../../src/features/auth/tokens.ts'
import { createLinks } from '../../src/features/media/links.ts'
import { type Json, request, TestSocket, TestUser } from '../support/client.ts'
import { noneOf, type Outcome, type Scenario } from '../support/scenario.ts'
import { listFaults, readHistory, startLoad } from './load.ts'
import { type Pair, startPair } from './pair.ts'
import { SECRET } from './server-process.ts'
import { createSkewedClock, type SkewedClock } from './skewed-clock.ts'

const HOUR_MS = 3_600_000
/** How wrong a time may be that is not an hour wrong. */
const SLACK_MS = 30_000

/** What is wrong, and how much was looked at. */
interface Findings {
  check(isRight: boolean, fault: string): void
  faults: string[]
  count: number
}

function createFindings(): Findings {
  const findings: Findings = {
    faults: [],
    count: 0,
    check(isRight, fault) {
      findings.count++
      if (!isRight) findings.faults.push(fault)
    },
  }
  return findings
}

const isNear = (time: unknown, at: number, slackMs = SLACK_MS) => Math.abs(Date.parse(String(time)) - at) <= slackMs
const get = (url: string, path: string, token?: string) => request(`${url}/api/v1${path}`, 'GET', token)
const post = (url: string, path: string, token: string | undefined, body?: unknown) =>
  request(`${url}/api/v1${path}`, 'POST', token, body)
let names = 0
/** A new account, registered there. @returns its access token */
async function register(url: string): Promise<string> {
  const n = ++names
  const account = { phone: `+1887${7_000_000 + n}`, username: `skewed${n}`, password: 'Password123' }
  return String((await post(url, '/auth/register', undefined, account)).body.token)
}
const claimsOf = (token: string): Json => JSON.parse(Buffer.from(String(token.split('.')[1]), 'base64url').toString())
const sessionOf = (token: string): string => claimsOf(token).sid

interface People {
  urls: readonly [string, string]
  ann: TestUser
  ben: TestUser
  chatId: string
}

async function bringPeople(pair: Pair): Promise<People> {
  const urls = [pair.servers[0].url, pair.servers[1].url] as const
  const [ann, ben] = (await pair.addUsers(2)).map(({ id, token }) => new TestUser(urls[0], id, '', token, ''))
  if (!ann || !ben) throw new Error('unreachable')
  const chatId = String((await ann.get(`/chats/dm/${ben.id}`)).body.id)
  return { urls, ann, ben: ben.at(urls[1]), chatId }
}

/** Each instance issues one, and both judge those that ended or end, by the right time, half an hour ago or from now. */
async function judgeTokens({ urls, ann }: People, { check }: Findings): Promise<void> {
  const session = sessionOf(ann.token)
  const issueFor = (now: number) =>
    createTokens({ secret: SECRET, ttlSeconds: 1800, now: () => now }).issue(ann.id, session)
  const past = await issueFor(Date.now() - HOUR_MS)
  const current = await issueFor(Date.now())
  for (const [index, url] of urls.entries()) {
    const issued = await register(url)
    const { exp } = claimsOf(issued)
    check(Math.abs(exp * 1000 - Date.now() - HOUR_MS) < SLACK_MS, `a token of ${index} ends at ${exp}`)
    for (const other of urls) {
      const { status } = await get(other, '/users/me', issued)
      check(status === 200, `a token of ${index} is answered ${status}`)
    }
    check((await get(url, '/users/me', past)).status === 401, `${index} takes a token that has ended`)
    check((await get(url, '/users/me', current)).status === 200, `${index} refuses a token that is good`)
    check((await opens(url, past)) === false, `${index} opens a socket for a token that has ended`)
  }
}

async function opens(url: string, token: string): Promise<boolean> {
  const socket = new TestSocket(`${url.replace('http', 'ws')}/ws?token=${token}`)
  const isOpen = await Promise.race([
    socket.next('user_chats').then(
      () => true,
      () => false,
    ),
    socket.closed.then(() => false),
  ])
  socket.ws.close()
  return isOpen
}

/** A socket ends with its token, by the right time. */
async function outliveToken({ urls }: People, { check }: Findings): Promise<void> {
  const lifeMs = 6000
  const { sub, sid } = claimsOf(await register(urls[0]))
  const lives = urls.map(async (url, index) => {
    const tokens = createTokens({ secret: SECRET, ttlSeconds: lifeMs / 1000 })
    const socket = new TestSocket(`${url.replace('http', 'ws')}/ws?token=${await tokens.issue(sub, sid)}`)
    const openedAt = performance.now()
    const end = await Promise.race([socket.closed, Bun.sleep(4 * lifeMs)])
    const ms = performance.now() - openedAt
    const isRight = end?.code === 4401 && ms > lifeMs / 2 && ms < 2 * lifeMs
    check(isRight, `a socket of ${index} whose token lives ${lifeMs} ms ended with ${end?.code} after ${ms} ms`)
  })
  await Promise.all(lives)
}

async function openLinks({ urls, ann, chatId }: People, { check }: Findings): Promise<void> {
  const form = new FormData()
  form.append('chat_id', chatId)
  form.append('file', new File(['a letter'], 'letter.txt'))
  const sent = await post(urls[0], '/messages/upload', ann.token, form)
  const path = String(sent.body.message?.media_url)
  const old = createLinks({ secret: SECRET, now: () => Date.now() - 3 * HOUR_MS }).sign(path, ann.id)
  for (const [index, url] of urls.entries()) {
    const { body } = await post(url, '/media/links', ann.token, { paths: [path] })
    const { url: link, expires_at } = body.links?.[0] ?? {}
    check(isNear(expires_at, Date.now() + 1.5 * HOUR_MS, HOUR_MS / 2 + SLACK_MS), `a link ends at ${expires_at}`)
    for (const other of urls) {
      const { status } = await fetch(new URL(String(link), other))
      check(status === 200, `a link of ${index} is answered ${status}`)
    }
    const { status } = await fetch(`${url}/api/v1/media/${path}?${old.query}`)
    check(status === 401, `an old link is answered ${status} by ${index}`)
  }
}

async function meet({ urls, ann, ben, chatId }: People, { check }: Findings): Promise<void> {
  const watching = await ben.socket()
  const socket = await ann.at(urls[0]).socket()
  const heard = (isThere: boolean, withinMs: number) =>
    watching
      .next('online_status', ({ user_id, is_online }: Json) => user_id === ann.id && is_online === isThere, withinMs)
      .then(
        () => true,
        () => false,
      )
  check(await heard(true, 5000), 'nobody hears that somebody is there')
  const invite = await socket.ask({ type: 'call_invite', chat_id: chatId, media: 'audio' })
  check(isNear(invite.expires_at, Date.now() + 45_000), `a call rings until ${invite.expires_at}`)
  const accept = await watching.ask({ type: 'call_accept', call_id: invite.call_id })
  check(accept.type === 'ack', `a call cannot be answered: ${accept.error}`)
  await Bun.sleep(1000)
  const end = await socket.ask({ type: 'call_end', call_id: invite.call_id })
  check(end.type === 'ack', `a call is over before its end: ${end.error}`)
  await socket.close()
  check(await heard(false, 15_000), 'nobody hears that somebody has gone')
  await watching.close()
  await Bun.sleep(6000)
  const { body } = await ben.get(`/users/${ann.id}`)
  check(isNear(body.last_seen, Date.now(), 90_000), `one who was just there was last seen ${body.last_seen}`)
}

async function guess({ urls }: People, { check }: Findings): Promise<void> {
  const statuses: number[] = []
  for (let n = 0; n < 10; n++) {
    const body = { phone_or_email: '+19990001122', password: `Wrong${n}Guess` }
    statuses.push((await post(urls[n % 2] ?? '', '/auth/login', undefined, body)).status)
  }
  check(statuses.join() === '401,401,401,401,401,429,429,429,429,429', `guesses were answered ${statuses}`)
}

/** What was ended stays so, on clocks that go back an hour the next moment. */
async function endSession({ urls }: People, jump: () => void, { check }: Findings): Promise<void> {
  const token = await register(urls[0])
  await Promise.all(urls.map((url) => get(url, '/users/me', token)))
  await post(urls[0], '/auth/logout', token)
  await Bun.sleep(1000)
  jump()
  for (const [index, url] of urls.entries()) {
    const { status } = await get(url, '/users/me', token)
    check(status === 401, `a session that was ended is answered ${status} by ${index}`)
  }
}

const SETTINGS = {
  RATE_LIMITS: 'on',
  RATE_LIMIT_MESSAGES: '1000000',
  RATE_LIMIT_API_FREE: '1000000',
  RATE_LIMIT_ANONYMOUS: '1000000',
  RATE_LIMIT_REGISTER: '1000000',
}

export const clockSkew: Scenario = {
  name: 'clock-skew',
  bar: 'one instance an hour ahead, one behind, and both jump: 0 out of order, 0 tokens or links wrongly taken or refused',
  withinSeconds: 120,
  async run(size): Promise<Outcome> {
    const directory = await mkdtemp(join(tmpdir(), 'messenger-clock-'))
    const clocks: [SkewedClock, SkewedClock] = [
      createSkewedClock(directory, 'first', 1),
      createSkewedClock(directory, 'second', -1),
    ]
    const pair = await startPair(SETTINGS, [clocks[0].environment, clocks[1].environment])
    const findings = createFindings()
    const people = await bringPeople(pair)
    const [group] = await pair.addGroups([await pair.addUsers(4)])
    const [reader, ...others] = group?.members ?? []
    if (!group || !reader) throw new Error('unreachable')
    // All in one chat, some by the one instance and some by the other.
    const loads = [
      startLoad(people.urls[0], [{ id: group.id, members: [reader] }]),
      startLoad(people.urls[1], [{ id: group.id, members: others }]),
    ]
    const jump = (hours: number) => {
      clocks[0].setHours(hours)
      clocks[1].setHours(-hours)
    }
    for (let round = 0; round < (size === 'long' ? 3 : 1); round++) {
      await judgeTokens(people, findings)
      await openLinks(people, findings)
      if (round === 0) await guess(people, findings)
      await Promise.all([outliveToken(people, findings), meet(people, findings)])
      jump(round % 2 === 0 ? -1 : 1)
    }
    await endSession(people, () => jump(size === 'long' ? 1 : -1), findings)
    await Promise.all(loads.map((load) => load.stop()))
    const history = await readHistory(people.urls[0], reader, group.id)
    const acknowledged = loads.flatMap((load) => load.acknowledged)
    const wrong = listFaults(history, acknowledged)
    for (const [n, { seq, created_at }] of history.entries()) {
      const isFarBefore = Date.parse(created_at) < Date.parse(history[n - 1]?.created_at ?? created_at) - 1000
      if (isFarBefore) wrong.push(`message ${seq} is of ${created_at}, long before the one before it`)
    }
    const newest = history.at(-1)?.created_at
    findings.check(isNear(newest, Date.now()), `the newest message is of ${newest}`)
    for (const [index, { logs }] of pair.servers.entries()) {
      const times = logs.map(({ time }) => Math.round((Date.parse(String(time)) - Date.now()) / HOUR_MS))
      findings.check(times.includes(1) && times.includes(-1), `the clock of ${index} was right all the time`)
    }
    await pair.stop()
    await rm(directory, { recursive: true, force: true })
    const order = noneOf(wrong, acknowledged.length, 'messages wrong')
    const rest = noneOf(findings.faults, findings.count, 'tokens, links, limits, calls and presences wrong')
    return {
      figure: `${order.figure}; ${rest.figure}`,
      isHeld: order.isHeld && rest.isHeld,
      faults: [...(order.faults ?? []), ...(rest.faults ?? [])],
    }
  },
}
