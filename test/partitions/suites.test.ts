/** The suites that store, change, find and keep messages once more, on a database where these lie in partitions. */
import { it } from 'bun:test'
import { runSuites } from '../support/run-suites.ts'

const SUITES = [
  ...['changes', 'history', 'idempotency', 'order', 'races', 'attachments', 'search'].map(
    (name) => `features/messages/${name}`,
  ),
  'features/chats/list',
  'features/sync/sync',
  'features/channels/channels',
  'features/media/retention',
  'features/uploads/uploads',
]

it('pass as on one table', () => runSuites(SUITES, { TEST_PARTITIONS: '16' }, 120), 20 * 60_000)
