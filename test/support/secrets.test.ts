import { describe, expect, it } from 'bun:test'
import { noteSecrets, requireNoSecrets } from './secrets.ts'

describe('the search for secrets', () => {
  const token = `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.${'signature1'.repeat(4)}`

  it('finds what was sent or got in any line of a log, and takes nothing else for it', () => {
    noteSecrets({ user: { password: 'Correct-H0rse' }, links: [{ url: '/x?u=1&t=2&s=abcDEF0123456789' }], token })
    noteSecrets([{ invite: { code: 'A1b2C3d4E5f6G7h8I9j0K1' } }])
    for (const leak of [
      { path: '/api/v1/invites/A1b2C3d4E5f6G7h8I9j0K1' },
      { message: `GET /ws?token=${token} 101` },
      { error: { message: 'params: ["Correct-H0rse"]' } },
      { url: '/media/x?s=abcDEF0123456789' },
    ])
      expect(() => requireNoSecrets([{ message: 'ready' }, leak])).toThrow('is in the log')
    requireNoSecrets([{ path: '/api/v1/invites/[redacted]', message: 'eyJhbGciOiJIUzI1NiJ9 Correct H0rse signature1' }])
  })
})
