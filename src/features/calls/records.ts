/** What is left of a call: a message of the caller in the direct chat of the two, stored once whatever happens. */
import type { Db } from '../../db/client.ts'
import { AppError } from '../../errors.ts'
import type { Log } from '../../observability/log.ts'
import type { Reads } from '../chats/reads.ts'
import type { Messages } from '../messages/service.ts'
import { type Call, durationOf, type Outcome } from './model.ts'
import * as store from './store.ts'

export interface RecordsOptions {
  db: Db
  log: Log
  messages: Pick<Messages, 'post'>
  reads: Pick<Reads, 'passOver'>
}

const BATCH = 100
const KNOWN_TO_CALLEE: ReadonlySet<Outcome> = new Set(['completed', 'failed', 'declined'])
/** Whoever ended it does it at once; what is older was left behind. */
const LEFT_BEHIND_SECONDS = 5

export function createRecords({ db, log, messages, reads }: RecordsOptions) {
  /** Twice does no harm: the message has its id and key since the call began. @throws AppError 503 */
  async function record(call: Call): Promise<void> {
    const { id, chatId, messageId, callerId: senderId, calleeId, media, outcome } = call
    if (!outcome) return
    const about = { media, outcome, duration: durationOf(call) }
    const attachment = { messageType: 'call', mediaUrl: null, media: null, call: about } as const
    const draft = { id: messageId, chatId, senderId, content: '', clientId: messageId, replyToId: null, attachment }
    try {
      const { message } = await messages.post(draft)
      // To whom it is news stays unread: to somebody who was called and was not there.
      const knowing = KNOWN_TO_CALLEE.has(outcome) ? [senderId, calleeId] : [senderId]
      for (const userId of knowing) await reads.passOver(userId, chatId, message.seq)
    } catch (error) {
      // The caller was blocked, or one of the two is gone: nothing can be said in this chat any more.
      const isShut = error instanceof AppError && (error.status === 403 || error.status === 404)
      if (!isShut) throw error
      log.info('A call has no message, because its chat is closed to the caller', { call_id: id })
    }
    await store.markRecorded(db, id)
  }

  /** Never rejects. */
  async function tryRecord(call: Call): Promise<void> {
    try {
      await record(call)
    } catch (error) {
      log.warn('The message about a call could not be stored yet', { call_id: call.id, error })
    }
  }

  return {
    tryRecord,

    /** Those whose instance died, or had no database, in between. A job. */
    async catchUp(): Promise<void> {
      for (const call of await store.listUnrecorded(db, LEFT_BEHIND_SECONDS, BATCH)) await tryRecord(call)
    },
  }
}
