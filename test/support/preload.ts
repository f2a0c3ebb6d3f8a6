import { afterAll } from 'bun:test'
import { stopPostgres } from './postgres.ts'

// Its last checkpoint writes what a thousand tests have left.
afterAll(stopPostgres, 120_000)
