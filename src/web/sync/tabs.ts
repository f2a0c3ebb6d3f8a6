/**
 * Several tabs, one socket: whoever holds the lock has it, and writes the storage. The tab a person looks at asks for it,
 * and takes it when nobody answers. All of this saves work; that nothing is lost or doubled does not depend on it.
 */
import type { Lock, Ports } from './ports.ts'

export interface TabsOptions {
  ports: Pick<Ports, 'channel' | 'clock' | 'locks' | 'random' | 'signals'>
  /** This tab has the lock now. */
  onLead(): void
  /** It has it no more; resolves when nothing is left to write. */
  onFollow(): Promise<void>
  /** What another tab told. */
  onNews(news: unknown): void
}

type Letter = { tab: string } & (
  | { is: 'asking' }
  | { is: 'yielding' | 'keeping'; to: string }
  | { is: 'news'; news: unknown }
)

const ANSWER_MS = 1000
/** Whoever asked for the lock and does not take it has gone. */
const TAKE_MS = 3000
const LOCK = 'socket'

export type Tabs = ReturnType<typeof createTabs>

export function createTabs({ ports, onLead, onFollow, onNews }: TabsOptions) {
  const { channel, clock, locks, random, signals } = ports
  const me = random.uuid()
  let lock: Lock | undefined
  let isLeading = false
  let isStopped = true
  let isAsking = false
  let isKept = false
  let stopListening = () => {}

  const post = (letter: Omit<Letter, 'tab'> & Record<string, unknown>) => channel.post({ ...letter, tab: me })

  /** Waits for its turn. */
  async function queue(): Promise<void> {
    const mine = await locks.acquire(LOCK)
    if (isStopped || lock) mine.release()
    else hold(mine)
  }

  function hold(mine: Lock): void {
    lock = mine
    lead()
    mine.lost.then(async () => {
      if (lock !== mine) return
      lock = undefined
      await follow()
      if (!isStopped) void queue()
    })
  }

  function lead(): void {
    if (isLeading) return
    isLeading = true
    onLead()
  }

  async function follow(): Promise<void> {
    if (!isLeading) return
    isLeading = false
    await onFollow()
  }

  async function take(): Promise<void> {
    isAsking = false
    if (isStopped || lock) return
    const mine = await locks.acquire(LOCK, { steal: true })
    if (isStopped) mine.release()
    else hold(mine)
  }

  function ask(): void {
    if (isStopped || lock || isAsking) return
    isAsking = true
    post({ is: 'asking' })
    clock.after(ANSWER_MS, () => isAsking && void take())
  }

  async function yieldTo(tab: string): Promise<void> {
    if (!isLeading) return
    if (isKept) return post({ is: 'keeping', to: tab })
    const mine = lock
    await follow()
    post({ is: 'yielding', to: tab })
    clock.after(TAKE_MS, () => lock === mine && !isStopped && lead())
  }

  function read(letter: Letter): void {
    if (letter.is === 'news') onNews(letter.news)
    else if (letter.is === 'asking') void yieldTo(letter.tab)
    else if (letter.to !== me || !isAsking) return
    else if (letter.is === 'yielding') void take()
    else isAsking = false
  }

  return {
    listen(): void {
      stopListening = channel.onMessage((message) => read(message as Letter))
    },
    deafen: () => stopListening(),

    /** Asks for the lock. */
    start(): void {
      if (!isStopped) return
      isStopped = false
      void queue()
      if (signals.isVisible()) ask()
    },

    /** The tab is looked at: it is the one that should have the socket. */
    shown: ask,

    /** Tells the others, if there are any. */
    tell: (news: unknown) => post({ is: 'news', news }),

    isLeading: () => isLeading,

    /** What hangs on this very socket forbids to give it away. */
    keep(is: boolean): void {
      isKept = is
    },

    async stop(): Promise<void> {
      isStopped = true
      await follow()
      lock?.release()
      lock = undefined
    },
  }
}
