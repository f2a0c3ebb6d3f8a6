/** How much of calls is taken from one user and one socket. */
import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { startServer, type TestServer } from '../../support/server.ts'
import { act, addPair, ask, connect, heard, invite } from './support.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer({ RATE_LIMITS: 'on', RATE_LIMIT_CALLS: '3' })
})
afterAll(() => server.stop())

describe('limits', () => {
  it('let a user begin so many calls a minute, and say when the next one may be', async () => {
    const { ann, ben, chatId } = await addPair(server)
    const [caller, callee] = [await ann.socket(), await ben.socket()]
    for (let i = 0; i < 3; i++) await act(caller, 'call_end', await invite(caller, chatId))
    const refused = await caller.ask({ type: 'call_invite', chat_id: chatId, media: 'audio' })
    expect(refused).toMatchObject({ type: 'error', error: 'Too many requests' })
    expect(refused.details.retry_after).toBeWithin(1, 21)
    // Of one's own alone.
    await invite(callee, chatId)
  })

  it('take a burst of candidates, in their order', async () => {
    const { ann, ben, chatId } = await addPair(server)
    const [caller, callee] = [await ann.socket(), await ben.socket()]
    const callId = await connect(caller, callee, chatId)
    const names = Array.from({ length: 80 }, (_, n) => `candidate:${n}`)
    for (const candidate of names) caller.send({ type: 'call_candidate', call_id: callId, candidate: { candidate } })
    await callee.next('call_candidate', (event) => event.candidate.candidate === names.at(-1))
    expect(callee.all('call_candidate').map(({ candidate }) => candidate.candidate)).toEqual(names)
  })
})

describe('what passes between devices', () => {
  it('may be as long as a description gets, and no longer', async () => {
    const { ann, ben, chatId } = await addPair(server)
    const [caller, callee] = [await ann.socket(), await ben.socket()]
    const callId = await connect(caller, callee, chatId)
    const sdp = 'x\r\n'.repeat(10_922)
    expect(await ask(caller, 'call_offer', callId, { sdp: `${sdp}xx` })).toMatchObject({ type: 'ack' })
    expect((await callee.next('call_offer')).sdp).toHaveLength(32_768)
    for (const [type, field, value] of [
      ['call_offer', 'sdp', `${sdp}xxx`],
      ['call_candidate', 'candidate.candidate', { candidate: 'x'.repeat(1025) }],
      ['call_candidate', 'candidate.candidate', {}],
      ['call_candidate', 'candidate.sdpMid', { candidate: '', sdpMid: 5 }],
      ['call_candidate', 'candidate.sdpMLineIndex', { candidate: '', sdpMLineIndex: -1 }],
      ['call_candidate', 'candidate.usernameFragment', { candidate: '', usernameFragment: 'x'.repeat(257) }],
    ] as const) {
      const answer = await ask(caller, type, callId, { [String(field.split('.')[0])]: value })
      expect(answer).toMatchObject({ type: 'error', error: 'Validation failed' })
      expect({ field, named: Object.keys(answer.details) }).toEqual({ field, named: [field] })
    }
    await callee.settle()
    expect(heard(callee)).toEqual(['call_invite', 'call_offer'])
  })
})
