/**
 * A parent of an embedded PostgreSQL, in a process of its own so that a test can kill it: `bun server.ts DATA_DIR`.
 * Writes JSON lines: its log, then `{ready}` or `{failed}`. Stops on SIGTERM and when its standard input ends.
 */
import { startEmbeddedPostgres } from '../../src/embedded/postgres.ts'
import { createLog } from '../../src/observability/log.ts'

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)

// A server that has been interrupted still needs its database to finish its work.
process.on('SIGINT', () => say({ message: 'interrupted' }))

try {
  const postgres = await startEmbeddedPostgres({
    dataDir: process.argv[2] ?? '',
    log: createLog('debug', (line) => process.stdout.write(`${line}\n`)),
  })
  const stop = async () => {
    await postgres.stop()
    process.exit(0)
  }
  process.on('SIGTERM', stop)
  say({ message: 'ready', ready: postgres })
  for await (const _ of Bun.stdin.stream()) {
    // Held open by the test; its end means that the test is gone.
  }
  await stop()
} catch (error) {
  say({ message: 'failed', failed: error instanceof Error ? { name: error.name, message: error.message } : error })
  process.exit(1)
}
