/**
 * `npm run test:security -- [--markdown | --list] [NAME ...]`: every scenario in its long form, as a table. Exit code 1 when a
 * bar was broken.
 */
import { stopPostgres } from '../support/postgres.ts'
import { printTable } from '../support/scenario.ts'
import { scenarios } from './scenarios.ts'

const areHeld = await printTable(scenarios, process.argv.slice(2))
await stopPostgres()
process.exit(areHeld ? 0 : 1)
