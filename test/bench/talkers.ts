/** Users who write to each other in pairs and ask by REST meanwhile: the scenario of `deploy/k6/scenario.js`. */
import { asksOf, personOf } from '../../deploy/k6/scenario.js'
import { request } from '../support/client.ts'

export interface Member {
  token: string
  chatId: string
}

export interface Rates {
  sendEveryMs: number
  askEveryMs: number
  /** Of all users together; undefined for none. */
  photos?: { everyMs: number; jpeg: Blob }
}

export interface Measured {
  seconds: number
  acknowledged: number
  /** Errors of any kind. */
  faults: string[]
  /** Milliseconds from sending to the arrival at each of the two sockets. */
  deliveries: number[]
  /** Milliseconds of each request. */
  answers: number[]
  photos: number
  /** Messages that were sent and never came to somebody. */
  missing: number
}

/** Registers the users or signs them in, and opens the direct chats of each pair. */
export async function signInAll(url: string, users: number, atOnce = 8): Promise<Member[]> {
  const api = `${url}/api/v1`
  const people: { id: string; token: string }[] = []
  for (let at = 0; at < users; at += atOnce) {
    const some = Array.from({ length: Math.min(atOnce, users - at) }, (_, n) => personOf(at + n))
    people.push(...(await Promise.all(some.map((person) => signIn(api, person)))))
  }
  return await Promise.all(
    people.map(async ({ token }, n) => {
      const peer = people[n % 2 === 0 ? n + 1 : n - 1]
      const { body } = await request(`${api}/chats/dm/${peer?.id}`, 'GET', token)
      return { token, chatId: String(body.id) }
    }),
  )
}

async function signIn(api: string, person: ReturnType<typeof personOf>) {
  const { phone, password } = person
  const made = await request(`${api}/auth/register`, 'POST', undefined, person)
  const answer =
    made.status === 409
      ? await request(`${api}/auth/login`, 'POST', undefined, { phone_or_email: phone, password })
      : made
  if (answer.status > 201) throw new Error(`Signing in answers ${answer.status}: start the server with RATE_LIMITS=off`)
  return { id: String(answer.body.user_id), token: String(answer.body.token) }
}

/** Talks for `seconds`. By the clock, not by the answers: what is slow does not slow the load. */
export async function talk(url: string, members: readonly Member[], rates: Rates, seconds: number): Promise<Measured> {
  const measured: Measured = {
    seconds,
    acknowledged: 0,
    faults: [],
    deliveries: [],
    answers: [],
    photos: 0,
    missing: 0,
  }
  const talkers = await Promise.all(members.map((member) => open(url, member, measured)))
  const startedAt = performance.now()
  const until = startedAt + seconds * 1000
  const flows = talkers.flatMap(({ send, ask }, n) => [
    every(rates.sendEveryMs, startedAt + (rates.sendEveryMs * n) / talkers.length, until, send),
    every(rates.askEveryMs, startedAt + (rates.askEveryMs * n) / talkers.length, until, ask),
  ])
  if (rates.photos) {
    const { everyMs, jpeg } = rates.photos
    let turn = 0
    flows.push(every(everyMs, startedAt, until, () => talkers[turn++ % talkers.length]?.show(jpeg)))
  }
  await Promise.all(flows)
  measured.seconds = (performance.now() - startedAt) / 1000
  // Each message comes to both of the pair.
  const owed = () =>
    talkers.reduce((sum, { count }) => sum + 2 * count().sent + count().asking, -measured.deliveries.length)
  const settled = performance.now() + 10_000
  while (owed() > 0 && performance.now() < settled) await Bun.sleep(20)
  measured.missing = owed()
  for (const { close } of talkers) close()
  return measured
}

async function every(periodMs: number, firstAt: number, until: number, act: () => void): Promise<void> {
  for (let at = firstAt; at < until; at += periodMs) {
    const wait = at - performance.now()
    if (wait > 0) await Bun.sleep(wait)
    act()
  }
}

async function open(url: string, { token, chatId }: Member, measured: Measured) {
  const api = `${url}/api/v1`
  const asks = asksOf(chatId)
  let [sent, asked, asking] = [0, 0, 0]
  const opened = Promise.withResolvers<void>()
  const ws = new WebSocket(`${url.replace('http', 'ws')}/ws?token=${token}`)
  ws.onclose = ({ code }) => {
    if (code !== 1000) measured.faults.push(`A socket closed with ${code}`)
    opened.reject(new Error(`A socket closed with ${code}`))
  }
  ws.onmessage = ({ data }) => {
    const text = String(data)
    if (text.startsWith('{"type":"ack"')) measured.acknowledged++
    else if (text.startsWith('{"type":"error"')) measured.faults.push(text.slice(0, 200))
    else if (text.startsWith('{"type":"user_chats"')) opened.resolve()
    else if (text.startsWith('{"type":"new_message"')) {
      const at = /"content":"sent ([\d.]+)"/.exec(text)?.[1]
      if (at !== undefined) measured.deliveries.push(performance.now() - Number(at))
    }
  }
  await opened.promise

  async function ask(): Promise<void> {
    const { method, path, body } = asks[asked++ % asks.length] ?? { method: 'GET', path: '/chats' }
    const at = performance.now()
    asking++
    try {
      const { status } = await request(`${api}${path}`, method, token, body)
      measured.answers.push(performance.now() - at)
      if (status > 201) measured.faults.push(`${method} ${path} answers ${status}`)
    } catch (error) {
      measured.faults.push(String(error))
    }
    asking--
  }

  async function show(jpeg: Blob): Promise<void> {
    const form = new FormData()
    form.set('chat_id', chatId)
    form.set('file', jpeg, 'photo.jpg')
    asking++
    try {
      const headers = { authorization: `Bearer ${token}` }
      const answer = await fetch(`${api}/messages/upload`, { method: 'POST', headers, body: form })
      if (answer.status === 201) measured.photos++
      else measured.faults.push(`An upload answers ${answer.status}: ${(await answer.text()).slice(0, 100)}`)
    } catch (error) {
      measured.faults.push(String(error))
    }
    asking--
  }

  return {
    ask,
    show,
    send() {
      sent++
      const content = `sent ${performance.now().toFixed(2)}`
      ws.send(JSON.stringify({ type: 'message', ref: sent, chat_id: chatId, content }))
    },
    /** What was sent, and what has not been answered yet. */
    count: () => ({ sent, asking }),
    close: () => ws.close(1000),
  }
}

export const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN
