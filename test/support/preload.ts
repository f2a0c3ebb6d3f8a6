import { afterAll } from 'bun:test'
import { stopPostgres } from './postgres.ts'
import { describeSearch } from './secrets.ts'

// Its last checkpoint writes what a thousand tests have left.
afterAll(async () => {
  process.stderr.write(`${describeSearch()}\n`)
  await stopPostgres()
}, 120_000)
