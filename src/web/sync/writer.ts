/**
 * Writes to the storage in order: what gathers while one transaction runs goes together in the next. What the server has
 * too waits for more of it first.
 */
import type { Clock, Storage, StorageOp } from './ports.ts'

export type Writer = ReturnType<typeof createWriter>

const LAZY_MS = 300

/** @param onKept what was written is in the storage, or the storage is broken and it never will be */
export function createWriter(storage: Storage, clock: Clock, onKept: (clientIds: string[]) => void) {
  let waiting: StorageOp[] = []
  let running: Promise<void> | undefined
  let cancel: (() => void) | undefined
  let isBroken = false

  async function run(): Promise<void> {
    const ops = isBroken ? waiting.filter(isPrecious) : waiting
    waiting = []
    try {
      await storage.commit(ops)
    } catch {
      // From here on the cache would have holes: what is there stays as it is, an older state and a whole one.
      isBroken = true
      await storage.commit(ops.filter(isPrecious)).catch(() => {})
    }
    running = undefined
    onKept(ops.flatMap((op) => ('put' in op && op.put === 'outbox' ? [op.entry.clientId] : [])))
    plan()
  }

  function start(): void {
    cancel?.()
    cancel = undefined
    if (waiting.length > 0) running ??= run()
  }

  function plan(): void {
    if (waiting.some(isPrecious)) start()
    else if (waiting.length > 0) cancel ??= clock.after(LAZY_MS, start)
  }

  return {
    write(ops: readonly StorageOp[]): void {
      waiting.push(...ops)
      plan()
    },

    /** Resolves when all that was written before is there. */
    async flush(): Promise<void> {
      for (start(); running; start()) await running
    },

    /** The storage does not take what is written; all goes on without it. */
    isBroken: () => isBroken,
  }
}

/** What exists nowhere else. */
const isPrecious = (op: StorageOp): boolean => {
  const what = 'put' in op ? op.put : 'update' in op ? op.update : op.delete
  return what === 'outbox' || what === 'file' || what === 'draft' || what === 'session'
}
