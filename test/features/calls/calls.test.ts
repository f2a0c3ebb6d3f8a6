/** A call from the first ring to the message that it becomes, over real sockets. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import type { TestUser } from '../../support/client.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { act, addPair, ask, connect, heard, invite, nextRecord, readCall } from './support.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

const unreadOf = async (user: TestUser, chatId: string): Promise<number> =>
  (await user.get(`/chats/${chatId}`)).body.unread_count

describe('a call', () => {
  it('rings, is answered, is talked over and hung up, and is a message of the caller then', async () => {
    const { ann, ben, chatId } = await addPair(server)
    const [caller, callee] = [await ann.socket(), await ben.socket()]
    const answer = await caller.ask({ type: 'call_invite', chat_id: chatId, media: 'video' })
    const callId = answer.call_id
    const expiresIn = Date.parse(answer.expires_at) - Date.now()
    expect(expiresIn).toBeGreaterThan(30_000)
    expect(expiresIn).toBeLessThan(46_000)
    expect(await callee.next('call_invite')).toEqual({
      type: 'call_invite',
      call_id: callId,
      chat_id: chatId,
      caller_id: ann.id,
      media: 'video',
      expires_at: answer.expires_at,
    })
    await act(callee, 'call_ringing', callId)
    expect(await caller.next('call_ringing')).toEqual({ type: 'call_ringing', call_id: callId })
    expect(await act(callee, 'call_accept', callId)).toMatchObject({ state: 'active' })
    expect(await caller.next('call_accept')).toEqual({ type: 'call_accept', call_id: callId })

    await ask(caller, 'call_offer', callId, { sdp: 'v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\n' })
    expect(await callee.next('call_offer')).toEqual({
      type: 'call_offer',
      call_id: callId,
      sdp: 'v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\n',
    })
    await ask(callee, 'call_answer', callId, { sdp: 'v=0\r\n' })
    expect(await caller.next('call_answer')).toEqual({ type: 'call_answer', call_id: callId, sdp: 'v=0\r\n' })
    const candidate = { candidate: 'candidate:1 1 udp 1 192.0.2.1 9 typ host', sdpMid: '0', sdpMLineIndex: 0 }
    await ask(caller, 'call_candidate', callId, { candidate: { ...candidate, usernameFragment: null, foreign: 1 } })
    expect(await callee.next('call_candidate')).toEqual({
      type: 'call_candidate',
      call_id: callId,
      candidate: { ...candidate, usernameFragment: null },
    })

    await act(callee, 'call_end', callId)
    const ended = { type: 'call_end', call_id: callId, chat_id: chatId, outcome: 'completed', duration: 0 }
    expect(await caller.next('call_end')).toEqual(ended)
    expect(await callee.next('call_end')).toEqual(ended)
    const record = await nextRecord(callee)
    expect(record).toMatchObject({
      sender_id: ann.id,
      chat_id: chatId,
      content: '',
      message_type: 'call',
      call: { media: 'video', outcome: 'completed', duration: 0 },
      client_id: null,
    })
    expect(heard(caller)).toEqual(['call_ringing', 'call_accept', 'call_answer', 'call_end'])
  })

  it('tells who declined or was busy, and who hung up before anybody answered', async () => {
    for (const [side, frame, outcome] of [
      ['callee', 'call_decline', 'declined'],
      ['callee', 'call_busy', 'busy'],
      ['caller', 'call_end', 'cancelled'],
    ] as const) {
      const { ann, ben, chatId } = await addPair(server)
      const sockets = { caller: await ann.socket(), callee: await ben.socket() }
      const callId = await invite(sockets.caller, chatId)
      await act(sockets[side], frame, callId)
      for (const socket of [sockets.caller, sockets.callee]) {
        expect(await socket.next('call_end')).toMatchObject({ call_id: callId, outcome, duration: 0 })
        expect(await nextRecord(socket)).toMatchObject({ sender_id: ann.id, call: { media: 'audio', outcome } })
      }
    }
  })

  it('lasts from the acceptance to the end, in seconds', async () => {
    const { ann, ben, chatId } = await addPair(server)
    const [caller, callee] = [await ann.socket(), await ben.socket()]
    const callId = await connect(caller, callee, chatId)
    await server.database.sql`update calls set answered_at = answered_at - interval '83 seconds' where id = ${callId}`
    await act(caller, 'call_end', callId)
    expect(await callee.next('call_end')).toMatchObject({ outcome: 'completed', duration: 83 })
    expect((await nextRecord(callee)).call).toEqual({ media: 'audio', outcome: 'completed', duration: 83 })
  })

  it('that was missed is unread for the callee, last in the chat list, and cannot be edited', async () => {
    const { ann, ben, chatId } = await addPair(server)
    const caller = await ann.socket()
    await act(caller, 'call_end', await invite(caller, chatId))
    const { id } = await nextRecord(caller)
    const [chat] = (await ben.get('/chats')).body.chats
    const call = { media: 'audio', outcome: 'cancelled', duration: 0 }
    expect(chat).toMatchObject({ id: chatId, unread_count: 1, last_message: { id, message_type: 'call', call } })
    expect(await unreadOf(ann, chatId)).toBe(0)
    const edited = await ann.patch(`/chats/${chatId}/messages/${id}`, { content: 'I never called' })
    expect(edited).toMatchObject({ status: 403, body: { error: 'You may not edit a call' } })
    const deleted = await ann.delete(`/chats/${chatId}/messages/${id}`)
    expect(deleted.status).toBe(200)
    expect(deleted.body.call).toBeUndefined()
  })
})

describe('the message about a call', () => {
  it('is no news to those who talked, or to the one who declined', async () => {
    for (const isAnswered of [true, false]) {
      const { ann, ben, chatId } = await addPair(server)
      const [caller, callee] = [await ann.socket(), await ben.socket()]
      const callId = isAnswered ? await connect(caller, callee, chatId) : await invite(caller, chatId)
      await act(callee, isAnswered ? 'call_end' : 'call_decline', callId)
      const { seq } = await nextRecord(callee)
      for (const user of [ann, ben]) {
        await callee.next('read', (event) => event.user_id === user.id && event.last_read_seq === seq)
        expect(await unreadOf(user, chatId)).toBe(0)
      }
    }
  })

  it('leaves unread what somebody wrote meanwhile', async () => {
    const { ann, ben, chatId } = await addPair(server)
    const [caller, callee] = [await ann.socket(), await ben.socket()]
    const callId = await invite(caller, chatId)
    await callee.ask({ type: 'message', chat_id: chatId, content: 'I cannot talk now' })
    await act(callee, 'call_decline', callId)
    await nextRecord(caller)
    await Bun.sleep(400)
    expect(await unreadOf(ann, chatId)).toBe(2)
    expect(await unreadOf(ben, chatId)).toBe(0)
  })
})

describe('the devices of the callee', () => {
  it('all ring; one answers, the others are told, and only the two hear what passes between them', async () => {
    const { ann, ben, chatId } = await addPair(server)
    const [caller, other] = [await ann.socket(), await ann.socket()]
    const devices = [await ben.socket(), await ben.socket(), await (await server.addSession(ben.id)).socket()] as const
    const callId = await invite(caller, chatId)
    for (const device of devices) await device.next('call_invite')
    await act(devices[1], 'call_accept', callId)
    await ask(caller, 'call_offer', callId, { sdp: 'offer' })
    await ask(caller, 'call_candidate', callId, { candidate: { candidate: '' } })
    await ask(devices[1], 'call_answer', callId, { sdp: 'answer' })
    await devices[1].next('call_candidate')
    await caller.next('call_answer')
    for (const device of [devices[0], devices[2]]) await device.next('call_answered_elsewhere')
    for (const socket of [caller, other, ...devices]) await socket.settle()
    expect(heard(devices[1])).toEqual(['call_invite', 'call_offer', 'call_candidate'])
    for (const device of [devices[0], devices[2]]) {
      expect(heard(device)).toEqual(['call_invite', 'call_answered_elsewhere'])
    }
    expect(heard(other)).toEqual([])
    expect(heard(caller)).toEqual(['call_accept', 'call_answer'])
    for (const device of [devices[0], devices[2], other]) {
      for (const frame of ['call_end', 'call_accept', 'call_decline', 'call_busy', 'call_ringing']) {
        expect((await ask(device, frame, callId)).type).toBe('error')
      }
      expect(await ask(device, 'call_offer', callId, { sdp: 'x' })).toMatchObject({
        error: 'This call is on another device',
      })
    }
    await act(caller, 'call_end', callId)
    await devices[1].next('call_end')
    for (const socket of [other, ...devices]) await socket.settle()
    expect(heard(devices[0])).toEqual(['call_invite', 'call_answered_elsewhere'])
    expect(heard(other)).toEqual([])
  })

  it('that answer at once: one wins', async () => {
    for (let round = 0; round < 5; round++) {
      const { ann, ben, chatId } = await addPair(server)
      const caller = await ann.socket()
      const devices = await Promise.all(Array.from({ length: 6 }, () => ben.socket()))
      const callId = await invite(caller, chatId)
      const answers = await Promise.all(
        devices.map((device, n) => ask(device, n === 5 ? 'call_decline' : 'call_accept', callId)),
      )
      const winners = answers.filter(({ type }) => type === 'ack')
      expect(winners).toHaveLength(1)
      const isDeclined = answers[5]?.type === 'ack'
      expect((await readCall(server, callId)).state).toBe(isDeclined ? 'ended' : 'active')
    }
  })

  it('that open while it rings are rung, and after that they are not', async () => {
    const { ann, ben, chatId } = await addPair(server)
    const caller = await ann.socket()
    const callId = await invite(caller, chatId)
    const late = await ben.socket()
    expect(await late.next('call_invite')).toMatchObject({ call_id: callId, caller_id: ann.id })
    await act(late, 'call_accept', callId)
    const tooLate = await ben.socket()
    const own = await ann.socket()
    for (const socket of [tooLate, own]) {
      await socket.settle()
      expect(heard(socket)).toEqual([])
    }
  })

  it('may accept again when the first answer was lost', async () => {
    const { ann, ben, chatId } = await addPair(server)
    const [caller, callee] = [await ann.socket(), await ben.socket()]
    const callId = await connect(caller, callee, chatId)
    expect(await act(callee, 'call_accept', callId)).toMatchObject({ state: 'active' })
    await caller.settle()
    expect(heard(caller)).toEqual(['call_accept'])
  })
})
