/**
 * 50 users for 5 minutes against the targets: `npm run load`, or for fewer seconds `npm run load -- 60`. It starts a
 * server of its own; LOAD_URL names another one, which has RATE_LIMITS=off and this METRICS_TOKEN. The same with k6:
 * deploy/k6/load-test.js.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { ASK_EVERY_MS, quantileBetween, SECONDS, SEND_EVERY_MS, TARGETS, USERS } from '../../deploy/k6/scenario.js'
import { startProcess } from '../faults/server-process.ts'
import { request } from '../support/client.ts'
import { quantile, signInAll, talk } from './talkers.ts'

const QUERIES = 'messenger_db_query_seconds'
const write = (text: string) => void process.stdout.write(`${text}\n`)

/** The server to load, and what ends it. */
async function openServer(): Promise<{ url: string; stop(): Promise<unknown> }> {
  const { LOAD_URL: given } = process.env
  if (given) return { url: given.replace(/\/+$/, ''), stop: async () => {} }
  const dataDir = await mkdtemp(join(tmpdir(), 'messenger-load-'))
  const server = await startProcess(dataDir)
  const stop = async () => {
    await server.terminate()
    await rm(dataDir, { recursive: true, force: true })
  }
  return { url: server.url, stop }
}

async function readMetrics(url: string): Promise<string> {
  const { status, body } = await request(`${url}/metrics`, 'GET', process.env.METRICS_TOKEN)
  if (status !== 200) throw new Error(`/metrics answers ${status}: set METRICS_TOKEN here and there`)
  return String(body)
}

async function load(seconds: number): Promise<number> {
  const { url, stop } = await openServer()
  try {
    const members = await signInAll(url, USERS)
    const before = await readMetrics(url)
    const measured = await talk(url, members, { sendEveryMs: SEND_EVERY_MS, askEveryMs: ASK_EVERY_MS }, seconds)
    const databaseMs = quantileBetween(before, await readMetrics(url), QUERIES, 0.95) * 1000
    const rows: [string, string, number, (value: number) => boolean][] = [
      [
        'answers by REST, p95',
        `< ${TARGETS.answerMs} ms`,
        quantile(measured.answers, 0.95),
        (ms) => ms < TARGETS.answerMs,
      ],
      [
        'sent to arrived, p95',
        `< ${TARGETS.deliveryMs} ms`,
        quantile(measured.deliveries, 0.95),
        (ms) => ms < TARGETS.deliveryMs,
      ],
      ['statements of PostgreSQL, p95', `< ${TARGETS.databaseMs} ms`, databaseMs, (ms) => ms < TARGETS.databaseMs],
      [
        'messages acknowledged a second',
        `> ${TARGETS.messagesPerSecond}`,
        measured.acknowledged / measured.seconds,
        (rate) => rate > TARGETS.messagesPerSecond,
      ],
      ['faults, and messages that never came', '0', measured.faults.length + measured.missing, (count) => count === 0],
    ]
    write(
      `${USERS} users, ${Math.round(measured.seconds)} s; ${cpus().length} x ${cpus()[0]?.model.trim()}, ` +
        `${Math.round(totalmem() / 2 ** 30)} GiB, Bun ${Bun.version}`,
    )
    write('| | target | measured | |')
    write('|---|---:|---:|---|')
    for (const [name, target, value, isMet] of rows) {
      write(`| ${name} | ${target} | ${value.toFixed(1)} | ${isMet(value) ? 'met' : 'MISSED'} |`)
    }
    for (const fault of new Set(measured.faults)) write(`fault: ${fault}`)
    return rows.every(([, , value, isMet]) => isMet(value)) ? 0 : 1
  } finally {
    await stop()
  }
}

const seconds = Number(process.argv[2] ?? SECONDS)
if (!(seconds > 0)) {
  process.stderr.write('Usage: npm run load -- [SECONDS]\n')
  process.exit(2)
}
process.exit(await load(seconds))
