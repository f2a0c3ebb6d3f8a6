/** A disk that fills up: first files find no room, then the database's log. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Json, request, type TestUser } from '../support/client.ts'
import type { Outcome, Scenario } from '../support/scenario.ts'
import { register } from './limits.ts'
import { readHistory } from './load.ts'
import { startProcess } from './server-process.ts'

const mount = (...args: string[]) => Bun.spawnSync(args, { stdout: 'ignore', stderr: 'pipe' })

/** Of the disk that is filled; the database alone takes 70 MB. */
const DISK_MB = 160
const BALLAST_MB = 48
const FILE_BYTES = 3 * 1024 * 1024
const MAX_FILES = 40

interface Talk {
  ann: TestUser
  chatId: string
  messages: Json[]
  /** The path of each file that was acknowledged, and what was sent. */
  files: Map<string, Uint8Array>
  /** How often each status was answered. */
  refusals: Map<string, number>
}

const note = ({ refusals }: Talk, what: string) => refusals.set(what, (refusals.get(what) ?? 0) + 1)

/** What does not compress. */
const noise = (bytes: number) => {
  const all = new Uint8Array(bytes)
  for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(all.subarray(at, at + 65_536))
  return all
}

/** @returns the status */
async function sendFile(talk: Talk): Promise<number> {
  const bytes = noise(FILE_BYTES)
  const form = new FormData()
  form.append('chat_id', talk.chatId)
  form.append('file', new File([bytes], 'noise.bin'))
  const { ann } = talk
  const { status, body } = await request(`${ann.serverUrl}/api/v1/messages/upload`, 'POST', ann.token, form)
  if (status === 201) {
    talk.messages.push(body.message)
    talk.files.set(body.message.media_url, bytes)
  } else note(talk, `a file ${status}`)
  return status
}

async function write(talk: Talk, content = Buffer.from(noise(3000)).toString('base64')): Promise<boolean> {
  const { status, body } = await talk.ann.post('/messages', { chat_id: talk.chatId, content })
  if (status === 201) talk.messages.push(body)
  else note(talk, `a message ${status}`)
  return status === 201
}

/** Until files are refused. @returns what is wrong */
async function fillWithFiles(talk: Talk): Promise<string[]> {
  for (let n = 0; n < MAX_FILES; n++) {
    const status = await sendFile(talk)
    if (status === 201) continue
    const isStillWritten = await write(talk)
    return [
      ...(status === 507 ? [] : [`a file without room was answered ${status}`]),
      ...(isStillWritten ? [] : ['when files have no room, messages have none either']),
      ...(talk.files.size > 0 ? [] : ['no file was taken at all']),
    ]
  }
  return ['files find room without end']
}

/** Until messages are refused many times in a row. */
async function fillWithMessages(talk: Talk): Promise<void> {
  let refusedInARow = 0
  const lane = async () => {
    while (refusedInARow < 40) {
      if (await write(talk)) refusedInARow = 0
      else {
        refusedInARow++
        await Bun.sleep(50)
      }
    }
  }
  await Promise.all(Array.from({ length: 8 }, lane))
}

/** Waits until something is taken again. @returns the seconds that took, undefined when it never is */
async function timeReturn(isTaken: () => Promise<boolean>): Promise<number | undefined> {
  const startedAt = performance.now()
  while (performance.now() - startedAt < 40_000) {
    if (await isTaken()) return (performance.now() - startedAt) / 1000
    await Bun.sleep(50)
  }
  return undefined
}

async function listLost({ ann, chatId, messages, files }: Talk): Promise<string[]> {
  const lost: string[] = []
  const history = await readHistory(ann.serverUrl, { id: ann.id, token: ann.token }, chatId).catch(() => [])
  const stored = new Map(history.map(({ id, seq }) => [id, seq]))
  for (const { id, seq } of messages) if (stored.get(id) !== seq) lost.push(`${seq} is lost`)
  for (const [path, bytes] of files) {
    const answer = await fetch(`${ann.serverUrl}/api/v1/media/${path}`, {
      headers: { authorization: `Bearer ${ann.token}` },
    })
    const isWhole = answer.ok && Buffer.from(await answer.arrayBuffer()).equals(bytes)
    if (!isWhole) lost.push(`${path} is answered ${answer.status}, and is not what was sent`)
  }
  return lost
}

export const diskFull: Scenario = {
  name: 'disk-full',
  bar: 'first for files (messages go on), then for the database: nothing acknowledged is lost; with room it goes on by itself',
  withinSeconds: 120,
  needsRoot: true,
  async run(): Promise<Outcome> {
    const directory = await mkdtemp(join(tmpdir(), 'messenger-disk-'))
    const mounted = mount('mount', '-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'tmpfs', directory)
    if (!mounted.success) throw new Error(`no small disk can be had: ${mounted.stderr}`)
    const ballast = join(directory, 'ballast')
    await writeFile(ballast, Buffer.alloc(BALLAST_MB * 1024 * 1024))
    const server = await startProcess(join(directory, 'data'), { PASSWORD_HASH: 'argon2id' })
    try {
      const [ann, ben] = [await register(server.url), await register(server.url)]
      const chatId = String((await ann.get(`/chats/dm/${ben.id}`)).body.id)
      const talk: Talk = { ann, chatId, messages: [], files: new Map(), refusals: new Map() }
      const faults = await fillWithFiles(talk)
      await fillWithMessages(talk)
      await rm(ballast)
      const messagesAfter = await timeReturn(() => write(talk, 'there is room again'))
      const filesAfter = await timeReturn(async () => (await sendFile(talk)) === 201)
      if (messagesAfter === undefined) faults.push('it does not store messages again')
      if (filesAfter === undefined) faults.push('it does not store files again')
      faults.push(...(await listLost(talk)))
      const said = [...talk.refusals].map(([what, n]) => `${n} x ${what}`).join(', ')
      const odd = [...talk.refusals.keys()].filter((what) => !/a message 503|a file 50[37]/.test(what))
      return {
        figure: `${talk.messages.length} messages and ${talk.files.size} files acknowledged, ${faults.length} wrong; refused: ${said}; again after ${messagesAfter?.toFixed(1)} s and ${filesAfter?.toFixed(1)} s`,
        isHeld: faults.length === 0 && odd.length === 0 && talk.refusals.has('a message 503'),
        faults: [...faults, ...odd].slice(0, 10),
      }
    } finally {
      await server.terminate()
      mount('umount', '-l', directory)
      await rm(directory, { recursive: true, force: true })
    }
  },
}
