/** Guessing passwords, finding out who is registered, and keeping the server busy with hashes. */
import { type Answer, request, TestSocket } from '../support/client.ts'
import { allOf, isWithin, noneOf, type Outcome, percentile, type Scenario } from '../support/scenario.ts'
import { PASSWORD, startServer, type TestServer } from '../support/server.ts'

const LIMITED = { RATE_LIMITS: 'on', TRUSTED_PROXIES: '127.0.0.1', RATE_LIMIT_ANONYMOUS: '100000' }

const login = (server: TestServer, phone_or_email: string, password: string, address: string): Promise<Answer> =>
  request(
    `${server.url}/api/v1/auth/login`,
    'POST',
    undefined,
    { phone_or_email, password },
    { 'x-forwarded-for': address },
  )

async function phoneOf(server: TestServer, userId: string): Promise<string> {
  const [row] = await server.database.sql<{ phone: string }[]>`select phone from users where id = ${userId}`
  return row?.phone ?? ''
}

const address = (n: number) => `198.51.${100 + Math.floor(n / 250)}.${1 + (n % 250)}`

/** 5 a quarter of an hour over all addresses that never signed in there; what the victim's own may do is its own. */
const PER_ACCOUNT = 5

export const loginBrute: Scenario = {
  name: 'login-brute',
  bar: 'never more than 5 guesses are judged; the victim gets in from an address of its own',
  withinSeconds: 60,
  async run(size) {
    const server = await startServer(LIMITED)
    const victim = await server.addUser()
    const phone = await phoneOf(server, victim.id)
    const home = '203.0.113.7'
    const before = await login(server, phone, PASSWORD, home)
    const guesses = size === 'long' ? 1000 : 200
    const answers = await Promise.all(
      Array.from({ length: guesses }, (_, n) => login(server, phone, `Guess${n}Wrong`, address(n))),
    )
    const judged = answers.filter(({ status }) => status === 401).length
    const others = answers.filter(({ status }) => ![401, 429, 503].includes(status))
    const right = await login(server, phone, PASSWORD, address(5000))
    const after = await login(server, phone, PASSWORD, home)
    const faults = [
      ...(judged <= PER_ACCOUNT ? [] : [`${judged} guesses were judged`]),
      ...others.map(({ status }) => `a guess answered ${status}`),
      ...(right.status === 429 ? [] : [`beyond the limit the right password from elsewhere answered ${right.status}`]),
      ...(before.status === 200 && after.status === 200
        ? []
        : [`the victim at home: ${before.status}, ${after.status}`]),
    ]
    await server.stop()
    return {
      figure: `${judged} of ${guesses} guesses judged, victim ${after.status}`,
      isHeld: faults.length === 0,
      faults,
    }
  },
}

/** How well one can tell two samples apart: 0.5 not at all, 0 or 1 always (the share of pairs of which the first is less). */
export function separation(a: readonly number[], b: readonly number[]): number {
  let less = 0
  for (const x of a) for (const y of b) less += x < y ? 1 : x === y ? 0.5 : 0
  return less / (a.length * b.length)
}

export const loginEnumeration: Scenario = {
  name: 'login-enumeration',
  bar: 'known and unknown accounts answer the same, in times that tell them apart in at most 70 of 100 tries',
  withinSeconds: 90,
  async run(size) {
    const server = await startServer({ RATE_LIMITS: 'off' })
    const known = await phoneOf(server, (await server.addUser()).id)
    const rounds = size === 'long' ? 60 : 12
    const times: { known: number[]; unknown: number[] } = { known: [], unknown: [] }
    const bodies = new Set<string>()
    for (let n = 0; n < rounds; n++) {
      // In turns, the first one changing: what else the machine does falls on both.
      const order = n % 2 === 0 ? (['known', 'unknown'] as const) : (['unknown', 'known'] as const)
      for (const who of order) {
        const startedAt = performance.now()
        const phone = who === 'known' ? known : `+1555${String(1_000_000 + n)}`
        const { status, body } = await login(server, phone, 'Wrong1Password', '203.0.113.9')
        times[who].push(performance.now() - startedAt)
        bodies.add(`${status} ${JSON.stringify(body)}`)
      }
    }
    await server.stop()
    const share = separation(times.known, times.unknown)
    const certainty = Math.max(share, 1 - share)
    const isHeld = bodies.size === 1 && certainty <= (size === 'long' ? 0.7 : 0.9)
    return {
      figure: `${bodies.size} kind of answer; told apart by time in ${Math.round(100 * certainty)} of 100`,
      isHeld,
      faults: isHeld ? [] : [...bodies],
    }
  },
}

const HASHED_AT_ONCE = 64

/** What a message takes from its sending to its `ack`, sent every 20 ms while `isGoingOn`. */
async function timeMessages(server: TestServer, isGoingOn: () => boolean): Promise<number[]> {
  const [ann, ben] = [await server.addUser(), await server.addUser()]
  const chat_id = await server.addDm(ann, ben)
  const socket = await ann.socket()
  const times: number[] = []
  while (isGoingOn()) {
    const startedAt = performance.now()
    await socket.ask({ type: 'message', chat_id, content: 'are you there?' })
    times.push(performance.now() - startedAt)
    await Bun.sleep(20)
  }
  await socket.close()
  return times
}

export const hashDos: Scenario = {
  name: 'hash-dos',
  bar: `message p99 at most 100 ms beside ${HASHED_AT_ONCE} logins at once`,
  withinSeconds: 120,
  async run(size) {
    const server = await startServer({ RATE_LIMITS: 'off' })
    const known = await phoneOf(server, (await server.addUser()).id)
    let isQuiet = true
    const quiet = timeMessages(server, () => isQuiet)
    await Bun.sleep(2000)
    isQuiet = false
    const alone = await quiet
    let isBusy = true
    const timing = timeMessages(server, () => isBusy)
    const rounds = size === 'long' ? 3 : 1
    const statuses: number[] = []
    for (let n = 0; n < rounds; n++) {
      const answers = await Promise.all(
        Array.from({ length: HASHED_AT_ONCE }, () => login(server, known, 'Wrong1Password', '203.0.113.9')),
      )
      statuses.push(...answers.map(({ status }) => status))
    }
    isBusy = false
    const beside = await timing
    await server.stop()
    const odd = statuses.filter((status) => status !== 401 && status !== 503)
    const [slow, slowAlone] = [percentile(beside, 0.99), percentile(alone, 0.99)]
    const figure = `p99 ${slow.toFixed(1)} ms of ${beside.length} messages, alone ${slowAlone.toFixed(1)} ms`
    return {
      figure,
      isHeld: odd.length === 0 && isWithin(slow, 100, size),
      faults: odd.map((status) => `a login answered ${status}`),
    }
  },
}

/** An account that was just disabled or deleted: nothing of the old password opens anything. */
export const closedAccounts: Scenario = {
  name: 'closed-accounts',
  bar: '0 logins and 0 sockets of a deleted account',
  withinSeconds: 30,
  async run(): Promise<Outcome> {
    const server = await startServer({}, { instances: 2 })
    const user = await server.addUser()
    const phone = await phoneOf(server, user.id)
    const socket = await user.socket()
    await user.delete('/users/me')
    await socket.closed
    const answers = await Promise.all([
      login(server, phone, PASSWORD, '203.0.113.7'),
      ...server.instanceUrls.map((url) => user.at(url).get('/users/me')),
      request(`${server.url}/api/v1/auth/refresh`, 'POST', undefined, { refresh_token: user.refreshToken }),
    ])
    const again = new TestSocket(`${server.url.replace('http', 'ws')}/ws?token=${user.token}`)
    await again.closed
    await server.stop()
    return allOf([
      noneOf(
        answers.filter(({ status }) => status !== 401).map(({ status }) => `answered ${status}`),
        answers.length,
        'requests let in',
      ),
      noneOf(
        again.all('user_chats').map(() => 'a socket opened'),
        1,
        'sockets opened',
      ),
    ])
  },
}
