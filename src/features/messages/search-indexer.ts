/**
 * Fills the index of search, off the path of sending: chats in which something happened are noted, and taken up a little
 * later, many in one transaction. It works for a fifth of the time at most, so that under load search lags and not sending.
 *
 * Nothing is lost with the notes: each chat has a head that says how far it is indexed, moved in the transaction that
 * indexes. Whatever a crash or another instance left behind is found by the heads. Two instances take turns in a chat.
 */
import { type Db, isConnectionLoss, isContention } from '../../db/client.ts'
import type { Log } from '../../observability/log.ts'
import { createWordMemory, indexChats, type Progress } from './search-batch.ts'
import { insertHeads, listBehind } from './search-index-store.ts'

export interface SearchIndexer {
  /** Something was stored, edited or deleted in the chat. Costs next to nothing. */
  note(chatId: string): void
  /** Takes up every chat that the heads say is behind; resolves when each had its turn. */
  catchUp(): Promise<void>
  /** Resolves when nothing that was noted is left to do, however many turns it takes. */
  settled(): Promise<void>
  /** Stops after the transaction that is under way. */
  stop(): Promise<void>
}

export interface IndexerOptions {
  db: Db
  log: Log
  /** What happens in a chat within this time is indexed together. */
  everyMs?: number
  /** The part of the time that it may work, of 1. */
  share?: number
}

/** As many as a round takes messages of when each has a few. */
const CHATS_A_ROUND = 12
/** What goes beyond is left to catching up. */
const MAX_NOTED = 20_000
const CHATS_A_LOOK = 256
/** Rest while the database is away, or something there takes too long. */
const AWAY_MS = 5000
const LEAST_ID = '00000000-0000-0000-0000-000000000000'

export function createSearchIndexer({ db, log, everyMs = 500, share = 0.2 }: IndexerOptions): SearchIndexer {
  const noted = new Set<string>()
  const words = createWordMemory()
  let timer: NodeJS.Timeout | undefined
  let working: Promise<void> | undefined
  let isStopped = false
  let whenTurned: (() => void)[] = []

  function note(chatId: string): void {
    if (isStopped || noted.size >= MAX_NOTED) return
    noted.add(chatId)
    schedule(everyMs)
  }

  function schedule(delayMs: number): void {
    if (isStopped || timer || working) return
    timer = setTimeout(() => {
      timer = undefined
      working = work().then((restMs) => {
        working = undefined
        if (noted.size > 0) schedule(restMs)
      })
    }, delayMs)
    timer.unref()
  }

  /** One round. @returns the milliseconds to rest before the next */
  async function work(): Promise<number> {
    const startedAt = performance.now()
    const chatIds = [...noted.values().take(CHATS_A_ROUND)]
    const hasMore = noted.size > chatIds.length
    for (const chatId of chatIds) noted.delete(chatId)
    const { unfinished, busy, isAway } = await index(chatIds)
    for (const chatId of [...unfinished, ...busy]) noted.add(chatId)
    for (const resolve of whenTurned) resolve()
    whenTurned = []

    const restMs = (performance.now() - startedAt) * (1 / share - 1)
    const isPressed = hasMore || unfinished.length > 0
    if (isAway) return AWAY_MS
    return isPressed ? restMs : Math.max(everyMs, restMs)
  }

  async function index(chatIds: readonly string[]): Promise<Progress & { isAway?: true }> {
    try {
      await insertHeads(db, chatIds)
      const { progress, newWords } = await db.transaction((tx) => indexChats(tx, chatIds, words))
      words.add(newWords)
      return progress
    } catch (error) {
      if (isConnectionLoss(error) || isContention(error)) return { unfinished: [], busy: chatIds, isAway: true }
      // What one chat causes must not keep the others waiting.
      if (chatIds.length > 1) return indexEach(chatIds)
      log.error('A chat could not be indexed for search; catching up tries again', { chat_id: chatIds[0], error })
      return { unfinished: [], busy: [] }
    }
  }

  async function indexEach(chatIds: readonly string[]): Promise<Progress> {
    const unfinished: string[] = []
    const busy: string[] = []
    for (const chatId of chatIds) {
      if (isStopped) break
      const progress = await index([chatId])
      unfinished.push(...progress.unfinished)
      busy.push(...progress.busy)
    }
    return { unfinished, busy }
  }

  /** Resolves when everything noted by now had its turn. */
  async function turn(): Promise<void> {
    const rounds = Math.ceil(noted.size / CHATS_A_ROUND)
    for (let n = 0; n < rounds && !isStopped; n++) await nextRound()
  }

  const nextRound = () => new Promise<void>((resolve) => whenTurned.push(resolve))

  async function settled(): Promise<void> {
    while (!isStopped && (working || noted.size > 0)) await (working ?? nextRound())
  }

  async function catchUp(): Promise<void> {
    for (let afterId = LEAST_ID; !isStopped; ) {
      const behind = await listBehind(db, afterId, CHATS_A_LOOK)
      for (const chatId of behind) note(chatId)
      await turn()
      const last = behind.at(-1)
      if (last === undefined) return
      afterId = last
    }
  }

  const first = setTimeout(
    () =>
      catchUp().catch((error) => {
        if (!isStopped) log.warn('Search could not catch up; it is tried again', { error })
      }),
    everyMs,
  )
  first.unref()

  return {
    note,
    catchUp,
    settled,
    async stop() {
      isStopped = true
      clearTimeout(first)
      clearTimeout(timer)
      await working
      for (const resolve of whenTurned) resolve()
    },
  }
}
