/** Somebody who comes, looks around, writes, thinks better of it and goes, over and over: whatever a visit left would add up. */
import type { Answer, Json, TestUser } from '../support/client.ts'

export interface Visits {
  count(): number
  /** What was refused, the first of each kind. */
  faults: ReadonlySet<string>
  /** Resolves when the visit that is under way is over. */
  pause(): Promise<void>
  resume(): void
  stop(): Promise<void>
}

/** Between two visits: so short that what visitors use is compiled for good while the server warms up. */
const PAUSE_MS = 20

/**
 * @param chatId a chat of the user's, in which nobody counts the messages
 * @param pauseMs between two visits
 */
export function startVisits(user: TestUser, chatId: string, pauseMs = PAUSE_MS): Visits {
  const faults = new Set<string>()
  let count = 0
  let isOver = false
  let isPaused = false
  let underWay: Promise<void> = Promise.resolve()

  const isAnswered = (what: string, { status, body }: Answer) => {
    if (status >= 300) faults.add(`${what}: ${status} ${JSON.stringify(body)}`)
  }
  const isAcknowledged = (frame: Json) => {
    if (frame.type !== 'ack') faults.add(JSON.stringify({ ...frame, ref: undefined }))
  }

  async function visit(): Promise<void> {
    const socket = await user.socket()
    isAcknowledged(await socket.ask({ type: 'join_chat', chat_id: chatId }))
    isAcknowledged(await socket.ask({ type: 'typing', chat_id: chatId }))
    const sent = await socket.ask({ type: 'message', chat_id: chatId, content: `Visit ${count}` })
    isAcknowledged(sent)
    const path = `/chats/${chatId}/messages/${sent.message?.id}`
    isAnswered('edit', await user.patch(path, { content: `Visit ${count}, a little later` }))
    isAnswered('delete', await user.delete(path))
    isAcknowledged(await socket.ask({ type: 'read', chat_id: chatId }))
    isAnswered('history', await user.get(`/chats/${chatId}/messages?limit=20`))
    isAnswered('list', await user.get('/chats'))
    isAnswered('sync', await user.post('/sync', { chats: {} }))
    isAnswered('search', await user.get('/messages/search?q=later'))
    isAnswered('profile', await user.get('/users/me'))
    // With a handshake or without one.
    if (count % 2 === 0) await socket.close()
    else socket.ws.terminate()
    count++
  }

  const coming = (async () => {
    while (!isOver) {
      if (!isPaused) {
        underWay = visit().catch((error: unknown) => void faults.add(String(error)))
        await underWay
      }
      await Bun.sleep(pauseMs)
    }
  })()

  return {
    count: () => count,
    faults,
    pause: () => {
      isPaused = true
      return underWay
    },
    resume: () => {
      isPaused = false
    },
    stop: () => {
      isOver = true
      return coming
    },
  }
}
