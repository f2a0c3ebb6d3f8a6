/** What the client needs of the world, as a browser has it. Where a browser lacks something, the page does without it. */
import { createMemoryChannels, createMemoryLocks } from '../sync/memory-tabs.ts'
import type { Clock, Http, OpenSocket, Ports, Random, Signals } from '../sync/ports.ts'
import { createBrowserStorage } from './idb.ts'
import { createBrowserChannel, createBrowserLocks } from './tabs.ts'
import { uploadByXhr } from './upload.ts'
import { uuid } from './uuid.ts'

/** An answer that takes longer is none. */
const ANSWER_WITHIN_MS = 30_000
/** A clock that jumps by more than this slept meanwhile. */
const BEAT_MS = 5000
const SLEPT_MS = 15_000

export const browserPorts = (): Ports => ({
  serverUrl: location.origin,
  clock,
  http,
  openSocket,
  storage: createBrowserStorage(),
  random,
  signals,
  // Locks are for secure contexts alone; without them each tab stands for itself.
  locks: navigator.locks ? createBrowserLocks(navigator.locks) : createMemoryLocks(),
  channel: navigator.locks ? createBrowserChannel('messenger') : createMemoryChannels()(),
  upload: uploadByXhr,
})

const clock: Clock = {
  now: () => Date.now(),
  after(ms, act) {
    const timer = setTimeout(act, ms)
    return () => clearTimeout(timer)
  },
}

const http: Http = (url, { method, body, headers }) =>
  fetch(url, {
    method,
    body,
    headers,
    cache: 'no-store',
    credentials: 'omit',
    redirect: 'error',
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  })

const openSocket: OpenSocket = (url, protocols, events) => {
  const socket = new WebSocket(url, protocols)
  socket.onopen = () => events.onOpen()
  socket.onmessage = ({ data }) => {
    if (typeof data === 'string') events.onText(data)
  }
  socket.onclose = ({ code }) => events.onClose(code)
  return {
    send(text) {
      if (socket.readyState === WebSocket.OPEN) socket.send(text)
    },
    close: () => socket.close(),
  }
}

const random: Random = { uuid, fraction: () => Math.random() }

const signals: Signals = {
  isOnline: () => navigator.onLine,
  isVisible: () => document.visibilityState === 'visible',
  onChange(listener) {
    const ending = new AbortController()
    const options = { signal: ending.signal }
    for (const name of ['online', 'offline', 'pageshow', 'focus']) addEventListener(name, listener, options)
    document.addEventListener('visibilitychange', listener, options)
    let last = Date.now()
    const beat = setInterval(() => {
      const slept = Date.now() - last > SLEPT_MS
      last = Date.now()
      if (slept) listener()
    }, BEAT_MS)
    ending.signal.addEventListener('abort', () => clearInterval(beat))
    return () => ending.abort()
  },
}
