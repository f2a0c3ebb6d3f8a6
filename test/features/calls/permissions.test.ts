/** Who may call whom, and do what in a call: everything else is refused, and changes nothing. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { startServer, type TestServer } from '../../support/server.ts'
import { act, addPair, ask, connect, heard, invite, nextRecord, readCall } from './support.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

const noCall = { type: 'error', status: 404, error: 'Call not found', details: {} }

describe('one call at a time', () => {
  it('of two crossing invites the earlier one rings, however closely they meet', async () => {
    for (let round = 0; round < 8; round++) {
      const { ann, ben, chatId } = await addPair(server)
      const sockets = [await ann.socket(), await ben.socket()]
      const frame = { type: 'call_invite', chat_id: chatId, media: 'audio' }
      const answers = await Promise.all(sockets.map((socket) => socket.ask(frame)))
      const [won] = answers.filter(({ type }) => type === 'ack')
      const [lost] = answers.filter(({ type }) => type === 'error')
      const details = { call_id: won.call_id }
      expect(lost).toMatchObject({ error: 'You are in a call already', details })
      const loser = sockets[answers.indexOf(lost)]
      await loser?.next('call_invite', (event) => event.call_id === won.call_id)
      const rows = await server.database.sql`select state from calls where chat_id = ${chatId}`
      expect(rows.map(({ state }) => state)).toEqual(['ringing'])
    }
  })

  it('finds somebody busy who rings, is rung or talks, tells nobody but the caller, and leaves them a message', async () => {
    const { ann, ben, chatId } = await addPair(server)
    const cid = await server.addUser()
    const [caller, callee, third] = [await ann.socket(), await ben.socket(), await cid.socket()]
    const [withAnn, withBen] = [await server.addDm(cid, ann), await server.addDm(cid, ben)]
    const tryBoth = async () => {
      for (const chat of [withAnn, withBen]) {
        const answer = await third.ask({ type: 'call_invite', chat_id: chat, media: 'video' })
        expect(answer).toMatchObject({ type: 'ack', state: 'ended', outcome: 'busy' })
        expect(await third.next('call_end')).toMatchObject({ call_id: answer.call_id, outcome: 'busy', duration: 0 })
        const record = await nextRecord(third)
        expect(record).toMatchObject({ chat_id: chat, sender_id: cid.id, call: { media: 'video', outcome: 'busy' } })
      }
    }
    const callId = await invite(caller, chatId)
    await callee.next('call_invite')
    await tryBoth()
    await act(callee, 'call_accept', callId)
    await caller.next('call_accept')
    await tryBoth()
    for (const socket of [caller, callee]) await socket.settle()
    expect([heard(caller), heard(callee)]).toEqual([['call_accept'], ['call_invite']])
    const again = await callee.ask({ type: 'call_invite', chat_id: withBen, media: 'audio' })
    expect(again).toMatchObject({ error: 'You are in a call already', details: { call_id: callId } })
    await act(callee, 'call_end', callId)
    await invite(third, withBen)
  })
})

describe('who may', () => {
  it('call: nobody in a group, a channel or a chat of others, nobody who is blocked or left alone', async () => {
    const { ann, ben, chatId } = await addPair(server)
    const group = await server.addGroup(ann, ben)
    const socket = await ann.socket()
    const call = (chat_id: string) => socket.ask({ type: 'call_invite', chat_id, media: 'audio' })
    expect(await call(group)).toMatchObject({ error: 'Only the other one of a direct chat can be called' })
    const foreign = await addPair(server)
    expect(await call(foreign.chatId)).toMatchObject({ error: 'Chat not found', details: {} })
    await ben.post(`/users/${ann.id}/block`)
    expect(await call(chatId)).toMatchObject({ error: 'This user does not take messages from you' })
    await ben.delete(`/users/${ann.id}/block`)
    await act(socket, 'call_end', await invite(socket, chatId))
    await ben.delete('/users/me')
    expect(await call(chatId)).toMatchObject({ error: 'Nobody can write in this chat any more' })
    const rows = await server.database.sql`select outcome from calls where chat_id = ${chatId}`
    expect(rows.map(({ outcome }) => outcome)).toEqual(['cancelled'])
  })

  it('know of a call: nobody else, by no frame', async () => {
    const { ann, ben, chatId } = await addPair(server)
    const [caller, callee, stranger] = [await ann.socket(), await ben.socket(), await (await server.addUser()).socket()]
    const callId = await invite(caller, chatId)
    await callee.next('call_invite')
    const frames = ['ringing', 'accept', 'decline', 'busy', 'resume', 'end'].map((name) => ({ type: `call_${name}` }))
    const signals = [
      { type: 'call_offer', sdp: 'x' },
      { type: 'call_answer', sdp: 'x' },
      { type: 'call_candidate', candidate: { candidate: '' } },
    ]
    for (const frame of [...frames, ...signals]) {
      for (const id of [callId, Bun.randomUUIDv7()]) {
        const { ref: _, ...answer } = await stranger.ask({ ...frame, call_id: id })
        expect(answer).toEqual(noCall)
      }
    }
    for (const socket of [caller, callee]) await socket.settle()
    expect([heard(caller), heard(callee)]).toEqual([[], ['call_invite']])
  })

  it('do what is not theirs to do: each such frame is refused, and changes nothing', async () => {
    const { ann, ben, chatId } = await addPair(server)
    const [caller, callee] = [await ann.socket(), await ben.socket()]
    const callId = await invite(caller, chatId)
    // Its instance says every few seconds that the caller is there.
    const read = async () => ({ ...(await readCall(server, callId)), caller_until: null })
    const before = await read()
    const refusals: [typeof caller, string, Record<string, unknown>, string][] = [
      [caller, 'call_accept', {}, 'You may not answer your own call'],
      [caller, 'call_decline', {}, 'You may not answer your own call'],
      [caller, 'call_busy', {}, 'You may not answer your own call'],
      [caller, 'call_ringing', {}, 'You may not answer your own call'],
      [caller, 'call_offer', { sdp: 'x' }, 'This call is not answered yet'],
      [callee, 'call_offer', { sdp: 'x' }, 'This call is not answered yet'],
      [callee, 'call_candidate', { candidate: { candidate: '' } }, 'This call is not answered yet'],
      [callee, 'call_end', {}, 'This call is not answered yet'],
      [callee, 'call_resume', {}, 'This call is not answered yet'],
    ]
    for (const [socket, type, fields, error] of refusals) {
      expect(await ask(socket, type, callId, fields)).toMatchObject({ type: 'error', error })
    }
    expect(await read()).toEqual(before)
    await act(callee, 'call_accept', callId)
    for (const frame of ['call_ringing', 'call_decline', 'call_busy']) {
      expect(await ask(callee, frame, callId)).toMatchObject({ error: 'This call is answered already' })
    }
    await act(caller, 'call_end', callId)
    for (const frame of ['call_accept', 'call_end', 'call_resume', 'call_decline']) {
      expect(await ask(callee, frame, callId)).toMatchObject({
        error: 'This call has ended',
        details: { outcome: 'completed' },
      })
    }
  })
})

describe('a block', () => {
  it('ends the call of the two, whether it rings or not', async () => {
    for (const isAnswered of [false, true]) {
      const { ann, ben, chatId } = await addPair(server)
      const [caller, callee] = [await ann.socket(), await ben.socket()]
      const callId = isAnswered ? await connect(caller, callee, chatId) : await invite(caller, chatId)
      await ben.post(`/users/${ann.id}/block`)
      expect(await caller.next('call_end')).toMatchObject({
        call_id: callId,
        outcome: isAnswered ? 'failed' : 'missed',
      })
      await callee.next('call_end')
      expect(await readCall(server, callId)).toMatchObject({ state: 'ended' })
    }
  })

  it('leaves the calls with others alone', async () => {
    const { ann, ben, chatId } = await addPair(server)
    const [caller, callee, other] = [await ann.socket(), await ben.socket(), await server.addUser()]
    const callId = await connect(caller, callee, chatId)
    await ben.post(`/users/${other.id}/block`)
    await callee.settle()
    expect(await readCall(server, callId)).toMatchObject({ state: 'active' })
  })
})

describe('a deleted account', () => {
  it('is in no call any more', async () => {
    const { ann, ben, chatId } = await addPair(server)
    const [caller, callee] = [await ann.socket(), await ben.socket()]
    const callId = await connect(caller, callee, chatId)
    await ann.delete('/users/me')
    expect(await callee.next('call_end')).toMatchObject({ call_id: callId, outcome: 'failed' })
    expect(await readCall(server, callId)).toMatchObject({ state: 'ended' })
  })
})
