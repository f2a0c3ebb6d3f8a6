/** Read marks: explicit ones are committed before they are answered, those that sending implies follow within a second. */
import type { Bus } from '../../bus/bus.ts'
import { read } from '../../bus/events.ts'
import type { Db } from '../../db/client.ts'
import { chatNotFound } from '../../errors.ts'
import type { Log } from '../../observability/log.ts'
import { accessChat, isIntimate } from './access.ts'
import { type SentMark, updateReadMark, updateSentMarks } from './reads-store.ts'

export type Reads = ReturnType<typeof createReads>

const FLUSH_EVERY_MS = 250

type StoredMark = NonNullable<Awaited<ReturnType<typeof updateReadMark>>>

const toEvent = (chatId: string, userId: string, mark: StoredMark) => ({
  chat_id: chatId,
  user_id: userId,
  last_read_at: mark.lastReadAt.toISOString(),
  last_read_seq: mark.lastReadSeq,
  unread_count: Math.max(0, mark.lastSeq - mark.lastReadSeq),
  message_id: mark.messageId,
})

export function createReads({ db, bus, log }: { db: Db; bus: Bus; log: Log }) {
  let marks = new Map<string, SentMark>()
  let isFlushing = false

  async function flush(): Promise<void> {
    const due = [...marks.values()]
    marks = new Map()
    if (due.length === 0) return
    try {
      await updateSentMarks(db, due)
    } catch (error) {
      // The marks are a convenience: the next message or read of the same user sets them.
      log.warn('Could not store read marks of senders', { count: due.length, error })
    }
  }

  function flushSoon(): void {
    if (isFlushing) return
    isFlushing = true
    setTimeout(async () => {
      await flush()
      isFlushing = false
      if (marks.size > 0) flushSoon()
    }, FLUSH_EVERY_MS)
  }

  return {
    /** Moves the user's mark to `seq` (unset: to the newest message). @throws chatNotFound */
    async markRead(userId: string, chatId: string, seq?: number) {
      const chat = await accessChat(db, userId, chatId, 'read')
      const mark = await updateReadMark(db, chatId, userId, seq)
      if (!mark) throw chatNotFound()
      const event = toEvent(chatId, userId, mark)
      bus.publish([read(event, !isIntimate(chat))])
      return event
    },

    /** Notes that the sender has read up to their own message. */
    noteSent(chatId: string, userId: string, seq: number): void {
      marks.set(`${chatId}:${userId}`, { chatId, userId, seq })
      flushSoon()
    },

    /**
     * The user of a direct chat knows what message `seq` says: their mark moves over it if they have read all before it.
     * What they have not read stays unread.
     */
    async passOver(userId: string, chatId: string, seq: number): Promise<void> {
      await flush()
      const mark = await updateReadMark(db, chatId, userId, seq, seq - 1)
      if (mark) bus.publish([read(toEvent(chatId, userId, mark), false)])
    },

    /** Stores what is noted: before the server stops. */
    flush,
  }
}
