/**
 * What waits in this process for clients that do not read, all sockets together. One may hold up to 1 MiB before it is cut
 * off; thousands that stop reading at once would take all the memory there is.
 */
import type { Socket } from './socket.ts'

const MEBIBYTE = 1024 * 1024
/** Beyond this those with the most are cut off, until half of it is left. */
const MAX_BYTES = 48 * MEBIBYTE
/** Looking at every socket costs little beside sending so much. */
const LOOK_EVERY_BYTES = 8 * MEBIBYTE

/** @param sockets those that are open now */
export function createBacklog(
  sockets: ReadonlySet<Pick<Socket, 'waitingBytes' | 'cutOff'>>,
  { maxBytes = MAX_BYTES, lookEveryBytes = LOOK_EVERY_BYTES } = {},
) {
  let sentBytes = 0

  function relieve(): void {
    sentBytes = 0
    let total = 0
    const waiting: { socket: Pick<Socket, 'cutOff'>; bytes: number }[] = []
    for (const socket of sockets) {
      const bytes = socket.waitingBytes()
      if (bytes === 0) continue
      total += bytes
      waiting.push({ socket, bytes })
    }
    if (total <= maxBytes) return
    waiting.sort((a, b) => b.bytes - a.bytes)
    for (const { socket, bytes } of waiting) {
      if (total <= maxBytes / 2) return
      socket.cutOff()
      total -= bytes
    }
  }

  return {
    /** So much was sent, to all who get it together. */
    noteSent(bytes: number): void {
      sentBytes += bytes
      if (sentBytes >= lookEveryBytes) relieve()
    },
    relieve,
  }
}
