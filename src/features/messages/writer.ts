/**
 * The path of every new message. While one statement is under way the next messages gather; when it returns they go
 * together. There is no timer, so an idle server adds no latency and a busy one writes large batches. The first one goes
 * at the end of the event loop's turn, with all that the turn reads from its sockets: what one client or many sent
 * together is one batch, one acknowledgement and one write of events to each socket, and comes back together.
 */
import type postgres from 'postgres'
import type { Bus } from '../../bus/bus.ts'
import { newMessage } from '../../bus/events.ts'
import { isConnectionLoss, isContention, isExhausted, isUniqueViolation } from '../../db/client.ts'
import { unavailable } from '../../errors.ts'
import type { Log } from '../../observability/log.ts'
import { createMetrics, LATENCIES, type Metrics } from '../../observability/metrics.ts'
import { byChat, hasAttachment, hasRepeats, number, type Outcome, type Sent, toOutcomes } from './drafts.ts'
import type { Message } from './model.ts'
import { storeCarefully } from './slow-path.ts'
import { ALL_OR_NOTHING, type Draft, insertDrafts } from './writer-store.ts'

/**
 * Settings of the writer's connection. Its plans are made once, for batches of any size, and kept: left to itself PostgreSQL
 * plans each small batch anew, which takes it longer than to write it. They are to be looks into an index, row by row,
 * however few rows the tables had when they were made.
 */
export const writerStartup = {
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: false,
  enable_bitmapscan: false,
  enable_memoize: false,
} as const

export interface MessageWriter {
  /**
   * Stores a message and, after the commit, publishes it. Messages given to one writer are numbered in the order of the
   * calls.
   * @param onSent called before the event goes out, in the same turn; it must not throw
   * @throws AppError 404 no member, 403 may not post, 503 when `maxQueued` messages wait, the chat stays locked or the
   *   database is away (the message may or may not be stored then: send it again under its key)
   */
  send(draft: Draft, onSent?: (sent: Sent) => void): Promise<Sent>
  /** Resolves when nothing waits any more. */
  drained(): Promise<void>
}

interface Pending {
  draft: Draft
  onSent: ((sent: Sent) => void) | undefined
  resolve(sent: Sent): void
  reject(error: unknown): void
}

export interface WriterOptions {
  /** A connection of its own, with `writerStartup`. */
  sql: postgres.Sql
  bus: Bus
  log: Log
  /** Told of each stored message, so that the sender's own read mark can follow. */
  onStored(message: Message): void
  metrics?: Metrics
  maxQueued?: number
  maxBatch?: number
}

const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]

export function createMessageWriter(options: WriterOptions): MessageWriter {
  const { sql, bus, log, onStored, maxQueued = 20_000, maxBatch = 1024 } = options
  const meter = createMeter(options.metrics ?? createMetrics(), () => waiting.length)
  let waiting: Pending[] = []
  let isWriting = false
  let whenDrained: (() => void)[] = []

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, maxBatch)
      waiting = waiting.slice(maxBatch)
      await write(batch)
    }
    isWriting = false
    for (const resolve of whenDrained) resolve()
    whenDrained = []
  }

  async function write(batch: readonly Pending[]): Promise<void> {
    try {
      const startedAt = performance.now()
      const outcomes = await store(batch.map(({ draft }) => draft))
      const committedAt = performance.now()
      meter.writeSeconds.observe((committedAt - startedAt) / 1000)
      meter.batchSize.observe(batch.length)
      settle(batch, outcomes, committedAt)
    } catch (error) {
      if (isConnectionLoss(error)) return refuse(batch, unavailable('The database is away; try again'))
      if (isExhausted(error)) {
        log.error('The database has no room for messages', { error })
        return refuse(batch, unavailable('The database has no room left; try again later', 30))
      }
      // What one chat or one message causes must not fail the others: each goes alone. A lock is waited for once a chat.
      const isBusy = isContention(error)
      const parts = isBusy ? splitByChat(batch) : batch.map((pending) => [pending])
      if (parts.length > 1) for (const part of parts) await write(part)
      else refuse(batch, isBusy ? unavailable('This chat is busy; try again') : error)
    }
  }

  /** The outcome of each draft, at its place. */
  async function store(drafts: readonly Draft[]): Promise<Outcome[]> {
    const batches = byChat(drafts)
    const areSimple = !drafts.some(hasAttachment) && !hasRepeats(drafts)
    if (areSimple) {
      try {
        const { bases, storedAt } = await insertDrafts(sql, batches)
        return toOutcomes(drafts, number(batches, bases, storedAt))
      } catch (error) {
        const isExpected = isUniqueViolation(error) || hasCode(error, ALL_OR_NOTHING)
        if (!isExpected) throw error
      }
    }
    return storeCarefully(sql, drafts)
  }

  function settle(batch: readonly Pending[], outcomes: readonly Outcome[], committedAt: number): void {
    const stored: Sent[] = []
    for (const [index, { onSent, resolve, reject }] of batch.entries()) {
      const outcome = outcomes[index]
      if (outcome === undefined) reject(new Error('The writer lost a message'))
      else if ('refused' in outcome) reject(outcome.refused)
      else {
        onSent?.(outcome.sent)
        resolve(outcome.sent)
        if (outcome.sent.isRepeat) continue
        stored.push(outcome.sent)
        onStored(outcome.sent.message)
      }
    }
    if (stored.length === 0) return
    stored.sort((a, b) => a.message.seq - b.message.seq)
    bus.publish(stored.map(({ message, json }) => newMessage(message.chat_id, json)))
    meter.stored.inc(stored.length)
    meter.deliverySeconds.observe((performance.now() - committedAt) / 1000, stored.length)
  }

  return {
    send(draft, onSent) {
      if (waiting.length >= maxQueued) return Promise.reject(unavailable('Too many messages are waiting'))
      return new Promise((resolve, reject) => {
        waiting.push({ draft, onSent, resolve, reject })
        if (isWriting) return
        isWriting = true
        setImmediate(() => writeAll().catch((error) => log.error('The writer stopped', { error })))
      })
    },
    drained() {
      if (!isWriting) return Promise.resolve()
      return new Promise((resolve) => whenDrained.push(resolve))
    },
  }
}

function createMeter(metrics: Metrics, waiting: () => number) {
  metrics.gauge('messenger_message_queue', 'Messages that wait for the next batch.', waiting)
  return {
    stored: metrics.counter('messenger_messages_stored_total', 'Messages that were stored and delivered.'),
    batchSize: metrics.histogram(
      'messenger_message_batch_size',
      'Messages that one statement of the writer took.',
      BATCH_SIZES,
    ),
    writeSeconds: metrics.histogram(
      'messenger_message_write_seconds',
      'From giving a batch to PostgreSQL to its commit.',
      LATENCIES,
    ),
    deliverySeconds: metrics.histogram(
      'messenger_message_delivery_seconds',
      'From the commit of a message until it is on its way to every socket of this instance.',
      LATENCIES,
    ),
  }
}

const splitByChat = (batch: readonly Pending[]): Pending[][] => [
  ...Map.groupBy(batch, ({ draft }) => draft.chatId).values(),
]

function refuse(batch: readonly Pending[], error: unknown): void {
  for (const { reject } of batch) reject(error)
}

const hasCode = (error: unknown, code: string) => error instanceof Error && 'code' in error && error.code === code
