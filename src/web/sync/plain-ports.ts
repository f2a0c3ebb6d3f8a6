/** The world of a client without a browser: a bot, a script, a test. Nothing is stored, and it is the only tab. */
import { createMemoryStorage } from './memory-storage.ts'
import { createMemoryChannels, createMemoryLocks } from './memory-tabs.ts'
import type { OpenSocket, Ports, Upload } from './ports.ts'

/** @param serverUrl `https://chat.example` */
export const plainPorts = (serverUrl: string): Ports => ({
  serverUrl,
  clock: {
    now: () => Date.now(),
    after(ms, act) {
      const timer = setTimeout(act, ms)
      return () => clearTimeout(timer)
    },
  },
  http: (url, request) => fetch(url, request),
  openSocket,
  storage: createMemoryStorage(),
  random: { uuid: () => crypto.randomUUID(), fraction: () => Math.random() },
  signals: { isOnline: () => true, isVisible: () => true, onChange: () => () => {} },
  locks: createMemoryLocks(),
  channel: createMemoryChannels()(),
  upload,
})

const openSocket: OpenSocket = (url, protocols, events) => {
  const ws = new WebSocket(url, protocols)
  ws.onopen = () => events.onOpen()
  ws.onmessage = ({ data }) => events.onText(String(data))
  ws.onclose = ({ code }) => events.onClose(code)
  return {
    send: (text) => ws.send(text),
    close: () => ws.close(),
  }
}

/** `fetch` tells no progress. */
const upload: Upload = ({ url, token, fields, file, fileName }) => {
  const form = new FormData()
  for (const [name, value] of fields) form.append(name, value)
  form.append('file', file as Blob, fileName)
  const breaking = new AbortController()
  const headers = { authorization: `Bearer ${token}` }
  const asked = fetch(url, { method: 'POST', headers, body: form, signal: breaking.signal })
  const done = asked.then(async (answer) => ({ status: answer.status, text: await answer.text() }))
  return { done, abort: () => breaking.abort() }
}
