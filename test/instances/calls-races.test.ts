/** Everybody calls everybody at once, on two instances, with every frame at every moment: what holds all the same. */
import { afterAll, beforeAll, expect, it } from 'bun:test'
import type { Json, TestSocket } from '../support/client.ts'
import { startTwo, type TwoInstances } from './support.ts'

let two: TwoInstances
beforeAll(async () => {
  two = await startTwo()
})
afterAll(() => two.stop())

const USERS = 4
const ROUNDS = 100
const ON_CALLS = [
  ...['call_ringing', 'call_accept', 'call_accept', 'call_accept', 'call_decline', 'call_busy', 'call_resume'],
  ...['call_end', 'call_offer', 'call_candidate'],
]

const pick = <T>(from: readonly T[]): T => {
  const one = from[Math.floor(Math.random() * from.length)]
  if (one === undefined) throw new Error('Nothing to pick from')
  return one
}

it('nobody is in two calls, every call ends, and each is one message', async () => {
  const { sql } = two.server.database
  const users = await Promise.all(Array.from({ length: USERS }, () => two.server.addUser()))
  const chatIds = new Map<string, string[]>(users.map(({ id }) => [id, []]))
  for (const [index, user] of users.entries()) {
    for (const peer of users.slice(index + 1)) {
      const chatId = await two.server.addDm(user, peer)
      for (const { id } of [user, peer]) chatIds.get(id)?.push(chatId)
    }
  }
  const devices = await Promise.all(
    users.flatMap((user) => two.on(user).map(async (at) => ({ at, socket: await at.socket(), heard: [] as Json[] }))),
  )
  const faults: Json[] = []
  const done: Record<string, number> = {}

  const ask = async (socket: TestSocket, frame: Record<string, unknown> & { type: string }) => {
    const answer = await socket.ask(frame)
    if (answer.type === 'ack') done[frame.type] = (done[frame.type] ?? 0) + 1
    else if (![403, 404, 409].some((status) => isOf(status, answer.error))) faults.push({ frame, answer })
  }
  /** The last calls that rang here or were begun here, and one that is over at times. */
  const isRinging = ({ type, state }: Json) => type === 'call_invite' || state === 'ringing'
  const knownTo = ({ socket, heard }: (typeof devices)[number]): string[] => {
    const frames = [...heard, ...socket.frames]
    const over = new Set(frames.flatMap(({ type, call_id }) => (type === 'call_end' ? [call_id] : [])))
    const isKnown = (frame: Json) => isRinging(frame) && (!over.has(frame.call_id) || Math.random() < 0.02)
    return frames.flatMap((frame) => (isKnown(frame) ? [String(frame.call_id)] : [])).slice(-2)
  }

  async function act(device: (typeof devices)[number]): Promise<void> {
    const { at, socket } = device
    const known = knownTo(device)
    const dice = Math.random()
    if (dice < 0.06) {
      await socket.close()
      device.heard.push(...socket.frames)
      device.socket = await at.socket()
    } else if (dice < 0.35 || known.length === 0) {
      await ask(socket, { type: 'call_invite', chat_id: pick(chatIds.get(at.id) ?? []), media: 'audio' })
    } else {
      const type = pick(ON_CALLS)
      const more = type === 'call_candidate' ? { candidate: { candidate: '' } } : { sdp: 'v=0' }
      await ask(socket, { type, call_id: pick(known), ...more })
    }
  }

  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all(devices.map(act))
    const twice = await sql`select who from (
        select caller_id as who from calls where state <> 'ended' union all
        select callee_id from calls where state <> 'ended') parties
      group by who having count(*) > 1`
    expect([...twice]).toEqual([])
    if (round % 10 === 9) await sql`update calls set ring_until = now() where state = 'ringing'`
  }
  expect(faults).toEqual([])
  for (const type of ['call_invite', 'call_accept', 'call_end']) {
    expect({ type, isDone: (done[type] ?? 0) > 0 }).toEqual({ type, isDone: true })
  }

  // Everybody goes; nobody comes back.
  await Promise.all(devices.map(({ socket }) => socket.close()))
  let open = -1
  for (let i = 0; open !== 0; i++) {
    if (i > 300) throw new Error(`${open} calls are not over`)
    await sql`update calls set caller_until = now(), callee_until = case when callee_device is null then null else now() end
      where state <> 'ended'`
    await Bun.sleep(100)
    const [row] = await sql`select count(*)::int as open from calls where state <> 'ended' or not is_recorded`
    open = row?.open
  }
  const calls = await sql`select c.outcome, m.call, m.sender_id = c.caller_id as is_of_caller from calls c
    left join messages m on m.chat_id = c.chat_id and m.id = c.message_id`
  expect(calls.length).toBeGreaterThan(10)
  for (const { outcome, call, is_of_caller } of calls) {
    expect({ outcome: call?.outcome, is_of_caller }).toEqual({ outcome, is_of_caller: true })
  }
  const [messages] = await sql`select count(*)::int as count from messages where message_type = 'call'`
  expect(messages?.count).toBe(calls.length)
}, 120_000)

const MESSAGES: Record<number, RegExp> = {
  403: /^You may not answer your own call$/,
  404: /^Call not found$/,
  409: /^You are in a call already$|^This call /,
}
const isOf = (status: number, error: string) => MESSAGES[status]?.test(error) ?? false
