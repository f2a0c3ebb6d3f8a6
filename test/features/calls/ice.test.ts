/** What a client is told of STUN and TURN servers. */
import { describe, expect, it } from 'bun:test'
import { createHmac } from 'node:crypto'
import { createIce } from '../../../src/features/calls/ice.ts'
import { startServer } from '../../support/server.ts'

const SECRET = 'a secret that coturn knows, of 32 bytes or more'
const URLS = ['stun:t.example:3478', 'turn:t.example:3478?transport=udp', 'turns:t.example:5349?transport=tcp']
const NOW = Date.parse('2026-01-15T10:00:00.400Z')

describe('the servers for a call', () => {
  it('come with credentials of the user that end after an hour', () => {
    const { ice_servers, expires_at, hint } = createIce({ urls: URLS, secret: SECRET, now: () => NOW }).serversOf('ann')
    const username = `${Math.floor(NOW / 1000) + 3600}:ann`
    const credential = createHmac('sha1', SECRET).update(username).digest('base64')
    expect(ice_servers).toEqual([{ urls: [URLS[0] ?? ''] }, { urls: URLS.slice(1), username, credential }])
    expect({ expires_at, hint }).toEqual({ expires_at: '2026-01-15T11:00:00.000Z', hint: null })
  })

  it('are none where none are set, and it is said why calls may fail', () => {
    const none = createIce({ urls: [], secret: undefined }).serversOf('ann')
    expect(none).toEqual({ ice_servers: [], expires_at: null, hint: expect.stringContaining('TURN_URLS is not set') })
    const withoutRelay = createIce({ urls: ['stun:t.example'], secret: SECRET }).serversOf('ann')
    expect(withoutRelay).toEqual({
      ice_servers: [{ urls: ['stun:t.example'] }],
      expires_at: null,
      hint: expect.stringContaining('names no turn: server'),
    })
  })

  it('are for whoever is signed in, as the settings name them', async () => {
    const server = await startServer({ TURN_URLS: URLS.join(), TURN_SECRET: SECRET })
    try {
      const user = await server.addUser()
      const { status, headers, body } = await user.get('/calls/ice-servers')
      expect({ status, cache: headers.get('cache-control') }).toEqual({ status: 200, cache: 'no-store' })
      expect(body.ice_servers[1].username).toEndWith(`:${user.id}`)
      expect(JSON.stringify(server.logs)).not.toContain(body.ice_servers[1].credential)
      expect(JSON.stringify([server.logs, body])).not.toContain(SECRET)
    } finally {
      await server.stop()
    }
  })
})
