/**
 * Makes videos and long sounds, one at a time on each instance: at once when one was sent to this instance, and now and then
 * for what was left by one that died.
 */
import type { Bus } from '../bus/bus.ts'
import { mediaProgress } from '../bus/events.ts'
import { FfmpegFailed } from '../features/media/ffmpeg.ts'
import type { Claim, NewFile, Unmade } from '../features/media/unmade.ts'
import type { Messages } from '../features/messages/service.ts'
import type { Log } from '../observability/log.ts'

export interface TranscodingDeps {
  unmade: Unmade
  messages: Pick<Messages, 'replaceMedia'>
  /** Of whoever sent it, in pixels. */
  maxHeightOf(userId: string): Promise<number>
  bus: Bus
  log: Log
  /** How often the claim is extended, and with it whether the message is still there asked. */
  holdEveryMs?: number
}

const HOLD_EVERY_MS = 5000
const PROGRESS_EVERY_MS = 1000

export type Transcoding = ReturnType<typeof createTranscoding>

export function createTranscoding(deps: TranscodingDeps) {
  const { unmade, messages, maxHeightOf, bus, log, holdEveryMs = HOLD_EVERY_MS } = deps
  const stopped = new AbortController()
  let running: Promise<void> | undefined
  let isNudged = false

  async function makeAll(): Promise<void> {
    do {
      isNudged = false
      for (let isOne = true; isOne && !stopped.signal.aborted; ) isOne = await makeNext()
    } while (isNudged && !stopped.signal.aborted)
  }

  /** @returns false when there is none */
  async function makeNext(): Promise<boolean> {
    const claim = await unmade.claim()
    if (!claim) return false
    const held = hold(claim)
    try {
      const file = await unmade.make(claim, {
        videoMaxHeight: await maxHeightOf(claim.ownerId),
        signal: AbortSignal.any([held.signal, stopped.signal]),
        onProgress: createProgress(claim),
      })
      await settle(claim, file)
      return true
    } catch (error) {
      return await giveBack(claim, error, held.signal)
    } finally {
      held.stop()
    }
  }

  /** The message, and the row by which its file is opened, change together. */
  async function settle(claim: Claim, file: NewFile): Promise<void> {
    const isDone = await messages.replaceMedia(claim.chatId, claim.messageId, async (tx, before) => {
      if (!(await unmade.finish(tx, claim, file))) return undefined
      return { messageType: file.kind, mediaUrl: file.filePath, media: { ...before, ...file.changes } }
    })
    await (isDone ? unmade.dropOriginal(claim, file) : unmade.drop(claim, file))
  }

  /** @returns whether to go on at once */
  async function giveBack(claim: Claim, error: unknown, held: AbortSignal): Promise<boolean> {
    if (stopped.signal.aborted) await unmade.letGo(claim, { isTry: false })
    // The message was deleted, or another instance has it: there is nothing to give back.
    else if (held.aborted) return true
    else if (error instanceof FfmpegFailed) {
      log.warn('A file could not be made', {
        media_id: claim.row.id,
        attempt: claim.row.attempts,
        error: error.message,
      })
      await unmade.letGo(claim, { isTry: true })
      return true
    } else {
      // Not the file's fault: the storage or the database. The claim runs out, and somebody tries again.
      log.warn('Making a file was interrupted', { media_id: claim.row.id, error })
    }
    return false
  }

  /** Keeps the claim; the signal tells that it is lost. */
  function hold(claim: Claim): { signal: AbortSignal; stop(): void } {
    const lost = new AbortController()
    const timer = setInterval(async () => {
      try {
        if (!(await unmade.hold(claim))) lost.abort()
      } catch (error) {
        log.warn('A claim could not be extended', { media_id: claim.row.id, error })
      }
    }, holdEveryMs)
    return { signal: lost.signal, stop: () => clearInterval(timer) }
  }

  function createProgress({ ownerId, chatId, messageId }: Claim) {
    let toldAt = Number.NEGATIVE_INFINITY
    return (percent: number) => {
      if (performance.now() - toldAt < PROGRESS_EVERY_MS) return
      toldAt = performance.now()
      bus.publish([mediaProgress(ownerId, { chat_id: chatId, message_id: messageId, percent })])
    }
  }

  /** Resolves when there is nothing more to make, here and now. */
  function run(): Promise<void> {
    isNudged = true
    if (stopped.signal.aborted) return Promise.resolve()
    running ??= makeAll().finally(() => {
      running = undefined
    })
    return running
  }

  return {
    run,
    /** Something was sent that is to be made. */
    nudge(): void {
      run().catch((error) => log.warn('Making files was interrupted', { error }))
    },
    /** Ends the work at hand; it is nobody's then, and resolves when it has ended. */
    async stop(): Promise<void> {
      stopped.abort()
      await running?.catch((error) => log.warn('Making files was interrupted', { error }))
    },
  }
}
