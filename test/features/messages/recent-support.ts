/** Reads the newest page over and over while the chat changes, for one instance and for several. */
import type { Json, TestUser } from '../../support/client.ts'
import { PATIENCE_MS } from '../../support/until.ts'
import { say } from './support.ts'

const FOR_MS = 2000
/** Goes on until it was read so often, on a machine that is busy with other things. */
const READS = 51

/** @returns how often it was read, and every page that was older than what had been acknowledged before it was asked for */
export async function readWhileChanging(options: {
  chatId: string
  writers: readonly TestUser[]
  readers: readonly TestUser[]
  /** Runs again and again meanwhile. */
  disturb?: () => Promise<void>
}): Promise<{ reads: number; faults: Json[] }> {
  const { chatId, writers, readers, disturb } = options
  /** Of each message the highest rev that was acknowledged, and the highest seq of all. */
  const revs = new Map<string, number>()
  let lastSeq = 0
  const startedAt = performance.now()
  const faults: Json[] = []
  let reads = 0
  const isOver = () => {
    const ms = performance.now() - startedAt
    return ms > PATIENCE_MS || (ms > FOR_MS && reads >= READS)
  }

  async function write(user: TestUser): Promise<void> {
    while (!isOver()) {
      const { id, seq } = await say(user, chatId, 'as sent')
      lastSeq = Math.max(lastSeq, seq)
      await Bun.sleep(Math.random() * 20)
      const path = `/chats/${chatId}/messages/${id}`
      const edited = await user.patch(path, { content: 'edited' })
      revs.set(id, edited.body.rev)
      await Bun.sleep(Math.random() * 20)
      const deleted = await user.delete(path)
      revs.set(id, deleted.body.rev)
      await Bun.sleep(Math.random() * 20)
    }
  }
  async function read(user: TestUser): Promise<void> {
    while (!isOver()) {
      const acknowledged = new Map(revs)
      const atLeast = lastSeq
      const { body } = await user.get(`/chats/${chatId}/messages`)
      reads++
      const isOlder = (message: Json) => message.rev < (acknowledged.get(message.id) ?? 0)
      const hasGap = body.messages.some(({ seq }: Json, index: number) => seq !== body.total - index)
      if (body.total < atLeast || hasGap || body.messages.some(isOlder)) faults.push(body)
    }
  }
  async function disturbing(work: () => Promise<void>): Promise<void> {
    while (!isOver()) {
      await work()
      await Bun.sleep(100)
    }
  }
  await Promise.all([...writers.map(write), ...readers.map(read), disturb && disturbing(disturb)])
  return { reads, faults }
}
