/** The suites of conversation once more, each request and each socket going to the next of two instances behind Caddy. */
import { it } from 'bun:test'
import { runSuites } from '../support/run-suites.ts'

/** All that clients say to each other. What counts per instance (limits, memory) is not among it. */
const SUITES = [
  ...['auth', 'chats', 'first-conversation', 'messages', 'presence', 'socket', 'users'].map(
    (name) => `conformance/${name}`,
  ),
  ...['direct', 'groups', 'list', 'invites', 'invites-races'].map((name) => `features/chats/${name}`),
  ...['changes', 'history', 'idempotency', 'order'].map((name) => `features/messages/${name}`),
  'features/messages/search',
  ...['uploads', 'piecewise'].map((name) => `features/uploads/${name}`),
  ...['sync', 'convergence'].map((name) => `features/sync/${name}`),
  ...['presence', 'blocks'].map((name) => `features/presence/${name}`),
  ...['blocks', 'blocks-races'].map((name) => `features/users/${name}`),
  ...['calls', 'permissions', 'drops'].map((name) => `features/calls/${name}`),
  ...['channels', 'subscribing', 'broadcast'].map((name) => `features/channels/${name}`),
  ...['events', 'opening', 'sessions'].map((name) => `realtime/${name}`),
]

it('passes as on one instance', () => runSuites(SUITES, { TEST_INSTANCES: '2' }, 400), 20 * 60_000)
