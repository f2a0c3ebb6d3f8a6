/** Calls that nobody ends: unanswered, cut off, left behind by a crash. Time is moved in the database, whose clock decides. */

import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { startServer, type TestServer } from '../../support/server.ts'
import { until } from '../../support/until.ts'
import { act, addPair, age, ask, connect, heard, invite, nextRecord, readCall } from './support.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

describe('nobody answers', () => {
  it('and it is missed after 45 s, on all devices, with a message', async () => {
    const { ann, ben, chatId } = await addPair(server)
    const [caller, callee] = [await ann.socket(), await ben.socket()]
    const callId = await invite(caller, chatId)
    await server.database.sql`update calls set ring_until = now() where id = ${callId}`
    for (const socket of [caller, callee]) {
      expect(await socket.next('call_end')).toMatchObject({ call_id: callId, outcome: 'missed' })
    }
    const record = await nextRecord(callee)
    expect(record).toMatchObject({ sender_id: ann.id, call: { media: 'audio', outcome: 'missed', duration: 0 } })
    expect(await ask(callee, 'call_accept', callId)).toMatchObject({
      error: 'This call has ended',
      details: { outcome: 'missed' },
    })
  })

  it('and no call of theirs is in the way of the next one, whether a job came by or not', async () => {
    const { ann, ben, chatId } = await addPair(server)
    const [caller, callee] = [await ann.socket(), await ben.socket()]
    const first = await invite(caller, chatId)
    await server.database.sql`update calls set ring_until = now() where id = ${first}`
    const second = await invite(callee, chatId)
    expect(await caller.next('call_invite')).toMatchObject({ call_id: second, caller_id: ben.id })
    expect(await readCall(server, first)).toMatchObject({ state: 'ended', outcome: 'missed' })
  })
})

describe('a socket that closes', () => {
  it('keeps its place for 15 s: the same session goes on where it was, the other one is told', async () => {
    const { ann, ben, chatId } = await addPair(server)
    const [caller, callee] = [await ann.socket(), await ben.socket()]
    const callId = await connect(caller, callee, chatId)
    await callee.close()
    await until(async () => (await readCall(server, callId)).callee_until < new Date(Date.now() + 16_000))
    const foreign = await (await server.addSession(ben.id)).socket()
    expect(await ask(foreign, 'call_resume', callId)).toMatchObject({ error: 'This call is on another device' })
    const back = await ben.socket()
    expect(await ask(back, 'call_offer', callId, { sdp: 'x' })).toMatchObject({ type: 'error' })
    expect(await act(back, 'call_resume', callId)).toMatchObject({ state: 'active' })
    await caller.next('call_resume')
    await ask(caller, 'call_offer', callId, { sdp: 'again' })
    expect(await back.next('call_offer')).toMatchObject({ sdp: 'again' })
    expect(heard(foreign)).toEqual([])
    expect((await readCall(server, callId)).callee_until.getTime()).toBeGreaterThan(Date.now() + 16_000)
  })

  it('and does not come back ends the call, from the acceptance to when it was given up', async () => {
    const { ann, ben, chatId } = await addPair(server)
    const [caller, callee] = [await ann.socket(), await ben.socket()]
    const callId = await connect(caller, callee, chatId)
    await caller.close()
    await until(async () => (await readCall(server, callId)).caller_until < new Date(Date.now() + 16_000))
    await age(server, callId, 100)
    const ended = await callee.next('call_end')
    expect(ended).toMatchObject({ outcome: 'failed' })
    expect(ended.duration).toBeWithin(14, 60)
    expect((await nextRecord(callee)).call).toEqual({ media: 'audio', outcome: 'failed', duration: ended.duration })
  })

  it('while it rings: the caller may come back, and hang up', async () => {
    const { ann, ben, chatId } = await addPair(server)
    const [caller, callee] = [await ann.socket(), await ben.socket()]
    const callId = await invite(caller, chatId)
    await caller.close()
    const back = await ann.socket()
    expect(await act(back, 'call_resume', callId)).toMatchObject({ state: 'ringing' })
    await act(callee, 'call_accept', callId)
    await back.next('call_accept')
  })

  it('while its frame is on the way is in no call for long', async () => {
    const { ann, chatId } = await addPair(server)
    const caller = await ann.socket()
    caller.send({ type: 'call_invite', chat_id: chatId, media: 'audio' })
    await caller.close()
    await until(async () => {
      const [row] = await server.database.sql`select caller_until from calls where chat_id = ${chatId}`
      return row !== undefined && row.caller_until < new Date(Date.now() + 16_000)
    })
  })

  it('by the end of its session does not come back', async () => {
    const { ann, ben, chatId } = await addPair(server)
    const [caller, callee] = [await ann.socket(), await ben.socket()]
    const callId = await connect(caller, callee, chatId)
    await ben.post('/auth/logout')
    await callee.closed
    const other = await (await server.addSession(ben.id)).socket()
    expect(await ask(other, 'call_resume', callId)).toMatchObject({ error: 'This call is on another device' })
  })
})

describe('devices that are there', () => {
  it('are kept in their call for as long as it lasts', async () => {
    const { ann, ben, chatId } = await addPair(server)
    const [caller, callee] = [await ann.socket(), await ben.socket()]
    const callId = await connect(caller, callee, chatId)
    const soon = new Date(Date.now() + 8000)
    await server.database.sql`update calls set caller_until = ${soon}, callee_until = ${soon} where id = ${callId}`
    await until(async () => {
      const { caller_until, callee_until } = await readCall(server, callId)
      return caller_until > soon && callee_until > soon
    })
    expect(heard(callee)).toEqual(['call_invite'])
  })
})

describe('a crash', () => {
  it('of the instance of a party ends the call when nobody speaks for the device any more', async () => {
    const { ann, ben, chatId } = await addPair(server)
    const [caller, callee] = [await ann.socket(), await ben.socket()]
    const callId = await connect(caller, callee, chatId)
    // A device of an instance that is not there.
    await server.database
      .sql`update calls set caller_device = ${crypto.randomUUID()}, caller_until = now() where id = ${callId}`
    expect(await callee.next('call_end')).toMatchObject({ call_id: callId, outcome: 'failed' })
  })

  it('between the end of a call and its message loses neither: it is stored later, once', async () => {
    const { ann, ben, chatId } = await addPair(server)
    const callee = await ben.socket()
    const [id, messageId] = [Bun.randomUUIDv7(), Bun.randomUUIDv7()]
    await server.database.sql`insert into calls (id, chat_id, message_id, caller_id, callee_id, media, state, outcome,
      created_at, ring_until, ended_at, caller_device, caller_session, caller_until)
      values (${id}, ${chatId}, ${messageId}, ${ann.id}, ${ben.id}, 'video', 'ended', 'missed',
      now() - interval '60 s', now() - interval '15 s', now() - interval '15 s', ${id}, ${ann.sessionId}, now())`
    const record = await callee.next('new_message')
    expect(record.message).toMatchObject({ id: messageId, sender_id: ann.id, call: { outcome: 'missed' } })
    await until(async () => (await readCall(server, id)).is_recorded)
    // It had been stored, and the crash came before that was noted.
    await server.database.sql`update calls set is_recorded = false where id = ${id}`
    await until(async () => (await readCall(server, id)).is_recorded)
    const { body } = await ben.get(`/chats/${chatId}/messages`)
    expect(body.messages.map((message: { id: string }) => message.id)).toEqual([messageId])
  })

  it('leaves no message where the caller can say nothing any more, and is not tried for ever', async () => {
    const { ann, ben, chatId } = await addPair(server)
    const [caller, callee] = [await ann.socket(), await ben.socket()]
    const callId = await connect(caller, callee, chatId)
    await ben.post(`/users/${ann.id}/block`)
    await callee.next('call_end')
    await until(async () => (await readCall(server, callId)).is_recorded)
    expect((await ben.get(`/chats/${chatId}/messages`)).body.messages).toEqual([])
  })
})
