/** Clients of the web against a real server: real requests and sockets, with a storage in memory and troubles at will. */
import { type Client, createClient } from '../../../src/web/sync/client.ts'
import { createMemoryStorage } from '../../../src/web/sync/memory-storage.ts'
import { createMemoryChannels, createMemoryLocks } from '../../../src/web/sync/memory-tabs.ts'
import { plainPorts } from '../../../src/web/sync/plain-ports.ts'
import type { Locks, OpenSocket, Ports, Storage } from '../../../src/web/sync/ports.ts'
import type { Session } from '../../../src/web/sync/state.ts'
import type { TestUser } from '../../support/client.ts'

/** One browser: its tabs share a storage, locks and a channel. */
export interface Browser {
  storage: Storage
  locks: Locks
  openChannel: ReturnType<typeof createMemoryChannels>
}

export const openBrowser = (): Browser => ({
  storage: createMemoryStorage(),
  locks: createMemoryLocks(),
  openChannel: createMemoryChannels(),
})

/** What befalls a tab. */
export interface Troubles {
  /** No request is answered and every socket is gone. */
  isCut: boolean
  /** Whether the next pushed frame is lost. */
  loses(frame: { type: string }): boolean
  /** Milliseconds by which the next pushed frame is late; frames may overtake each other. */
  delay(): number
  isVisible: boolean
  /** The tab is stopped, as browsers do with those nobody looks at: it hears nothing, and its timers wait. */
  isFrozen: boolean
}

export interface Tab {
  client: Client
  troubles: Troubles
  /** The network or the visibility changed. */
  signal(): void
  /** The socket dies without a word to the tab: nothing is heard any more, and nothing arrives. */
  freezeSocket(): void
  cut(): void
  mend(): void
  counts: {
    sockets: number
    /** By method and path, with `:id` for ids. */
    requests: Record<string, number>
    /** Bodies of what renewed a token. */
    renewals: string[]
    sent: { type: string }[]
  }
}

export interface TabOptions {
  /** How much faster than the real clock waiting goes. */
  haste?: number
  upload?: Ports['upload']
}

export function openTab(serverUrl: string, browser: Browser, { haste = 1, upload }: TabOptions = {}): Tab {
  const troubles: Troubles = { isCut: false, loses: () => false, delay: () => 0, isVisible: true, isFrozen: false }
  const counts: Tab['counts'] = { sockets: 0, requests: {}, renewals: [], sent: [] }
  const listeners = new Set<() => void>()
  const sockets = new Set<{ ws: WebSocket; die(): void; freeze(): void }>()

  const openSocket: OpenSocket = (url, protocols, events) => {
    counts.sockets++
    let isDead = false
    let isFrozen = false
    const ws = new WebSocket(url, protocols)
    const die = () => {
      if (isDead) return
      isDead = true
      sockets.delete(one)
      ws.close()
      events.onClose(1006)
    }
    const one = { ws, die, freeze: () => (isFrozen = true) }
    sockets.add(one)
    if (troubles.isCut) setTimeout(die, 0)
    ws.onopen = () => !isDead && events.onOpen()
    ws.onmessage = ({ data }) => {
      const text = String(data)
      const frame = JSON.parse(text)
      const isPush = frame.type !== 'user_chats' && frame.type !== 'pong' && frame.type !== 'ack'
      if (isDead || isFrozen || (isPush && troubles.loses(frame))) return
      const late = isPush ? troubles.delay() : 0
      if (late === 0) events.onText(text)
      else setTimeout(() => !isDead && !isFrozen && events.onText(text), late)
    }
    ws.onclose = ({ code }) => {
      if (isDead || isFrozen) return
      isDead = true
      sockets.delete(one)
      events.onClose(code)
    }
    return {
      send(text) {
        counts.sent.push(JSON.parse(text))
        if (!isDead && !isFrozen && ws.readyState === WebSocket.OPEN) ws.send(text)
      },
      close() {
        isDead = true
        sockets.delete(one)
        ws.close()
      },
    }
  }

  const channel = browser.openChannel()
  const ports: Ports = {
    serverUrl,
    clock: {
      now: () => Date.now(),
      after(ms, act) {
        const actThawed = () => {
          if (troubles.isFrozen) timer = setTimeout(actThawed, 20)
          else act()
        }
        let timer = setTimeout(actThawed, ms / haste)
        return () => clearTimeout(timer)
      },
    },
    async http(url, { method, headers, body }) {
      const name = `${method} ${new URL(url).pathname.replace('/api/v1', '').replace(/[0-9a-f-]{36}/g, ':id')}`
      counts.requests[name] = (counts.requests[name] ?? 0) + 1
      if (name === 'POST /auth/refresh') counts.renewals.push(String(body))
      if (troubles.isCut) throw new Error('cut')
      const answer = await fetch(url, { method, headers, body })
      const text = await answer.text()
      if (troubles.isCut) throw new Error('cut')
      return { status: answer.status, headers: answer.headers, text: async () => text }
    },
    openSocket,
    storage: browser.storage,
    random: { uuid: () => crypto.randomUUID(), fraction: () => Math.random() },
    signals: {
      isOnline: () => !troubles.isCut,
      isVisible: () => troubles.isVisible,
      onChange(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    },
    locks: browser.locks,
    channel: {
      post: (news) => troubles.isFrozen || channel.post(news),
      onMessage: (listener) => channel.onMessage((news) => troubles.isFrozen || listener(news)),
    },
    upload: upload ?? plainPorts(serverUrl).upload,
  }

  const signal = () => {
    for (const listener of listeners) listener()
  }
  return {
    client: createClient(ports),
    troubles,
    counts,
    signal,
    freezeSocket() {
      for (const one of sockets) one.freeze()
    },
    cut() {
      troubles.isCut = true
      for (const one of [...sockets]) one.die()
      signal()
    },
    mend() {
      troubles.isCut = false
      signal()
    },
  }
}

export const sessionOf = (user: TestUser, renewAt = Date.now() + 3_000_000): Session => ({
  userId: user.id,
  token: user.token,
  refreshToken: user.refreshToken,
  renewAt,
})

/** A browser in which the user is signed in. */
export async function signedIn(user: TestUser): Promise<Browser> {
  const browser = openBrowser()
  await browser.storage.commit([{ put: 'session', session: sessionOf(user) }])
  return browser
}

/** Waits until it is so. */
export async function until(isSo: () => unknown, what = 'it', withinMs = 25_000): Promise<void> {
  const deadline = Date.now() + withinMs
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error(`${what} does not happen`)
    await Bun.sleep(5)
  }
}

export const isSynced = ({ client: { state } }: Tab) => state.link === 'open' && state.isReady && !state.sync.heard
