/** Forms as bytes, in any order and any state of disrepair; and all that an upload may leave behind. */

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Answer, request, type TestUser } from '../../support/client.ts'
import type { TestServer } from '../../support/server.ts'
import { until } from '../../support/until.ts'

export const BOUNDARY = 'the-boundary-7d1'
export const FORM_TYPE = `multipart/form-data; boundary=${BOUNDARY}`

/** A field, or a file when it has bytes. */
export type Part = [name: string, value: string] | [name: string, bytes: Uint8Array, fileName: string]

export function partOf([name, value, fileName]: Part): Buffer {
  const file = fileName === undefined ? '' : `; filename="${fileName}"`
  return Buffer.concat([
    Buffer.from(`--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"${file}\r\n\r\n`),
    Buffer.from(value as string),
    Buffer.from('\r\n'),
  ])
}
export const END = Buffer.from(`--${BOUNDARY}--\r\n`)
export const formOf = (...parts: Part[]): Buffer => Buffer.concat([...parts.map(partOf), END])

export const sendForm = (user: TestUser, body: Uint8Array, type = FORM_TYPE): Promise<Answer> =>
  request(`${user.serverUrl}/api/v1/messages/upload`, 'POST', user.token, new Blob([body]), { 'content-type': type })
export const upload = (user: TestUser, ...parts: Part[]): Promise<Answer> => sendForm(user, formOf(...parts))

export const bytesOf = (text: string) => new TextEncoder().encode(text)

/** Every file below the folder for media: in the storage, and under way. */
export async function listFiles({ config }: Pick<TestServer, 'config'>): Promise<string[]> {
  const root = join(config.DATA_DIR, 'media')
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort()
}

/** All that there is: files, rows of media, messages, uploads in pieces. */
export async function readAll(server: TestServer) {
  const { sql } = server.database
  const [rows] = await sql<Record<'media' | 'messages' | 'uploads' | 'pieces', string[]>[]>`select
    (select coalesce(jsonb_agg(m.file_path order by m.file_path), '[]') from media m) as media,
    (select coalesce(jsonb_agg(m.id order by m.id), '[]') from messages m) as messages,
    (select coalesce(jsonb_agg(u.id order by u.id), '[]') from uploads u) as uploads,
    (select coalesce(jsonb_agg(p.key order by p.key), '[]') from upload_pieces p) as pieces`
  if (!rows) throw new Error('No row')
  return { files: await listFiles(server), ...rows }
}

/** Runs something that has to leave everything as it was, if not at once. */
export async function leavesNothing(server: TestServer, run: () => Promise<unknown>): Promise<void> {
  const before = JSON.stringify(await readAll(server))
  await run()
  let last = ''
  await until(async () => {
    last = JSON.stringify(await readAll(server))
    return last === before
  }, `nothing is left; ${before} became ${last}`)
}

/** A request over TCP that is sent bit by bit, and cut off when one wants. */
export async function openRaw(user: TestUser, path: string, headers: Record<string, string>, method = 'POST') {
  const { hostname, port } = new URL(user.serverUrl)
  let received = ''
  const closed = Promise.withResolvers<void>()
  const drained: (() => void)[] = []
  const socket = await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      data: (_, data) => {
        received += data.toString()
      },
      drain: () => {
        for (const resolve of drained.splice(0)) resolve()
      },
      close: () => closed.resolve(),
      error: () => closed.resolve(),
    },
  })
  const all = { host: `${hostname}:${port}`, authorization: `Bearer ${user.token}`, ...headers }
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  const write = async (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.byteLength; ) {
      const written = socket.write(bytes.subarray(at))
      if (written < 0) return
      at += written
      if (written === 0) await Promise.race([new Promise<void>((resolve) => drained.push(resolve)), closed.promise])
    }
  }
  await write(bytesOf(`${method} /api/v1${path} HTTP/1.1\r\n${head.join('')}\r\n`))
  return {
    write,
    /** The status of the answer. */
    async status(): Promise<number> {
      await until(async () => received.includes('\r\n\r\n'), 'an answer')
      return Number(received.split(' ')[1])
    },
    /** All that was answered. */
    text: () => received,
    cut: () => socket.terminate(),
    closed: closed.promise,
  }
}
