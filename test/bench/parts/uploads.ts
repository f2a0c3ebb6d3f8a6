/**
 * Four uploads of 100 MB at once beside a conversation, over and over, as fast as this machine takes them; a real line is
 * slower. What they take from it, and by how much the memory of the server and of what it starts grows.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from '../../support/client.ts'
import { memoryBytesOfAll } from '../cpu.ts'
import { startLoad } from '../load/start.ts'
import { type Part, type Row, Samples, Undo } from '../part.ts'
import { addChats, addPairs, addPeople, type Person } from '../people.ts'
import { startMessenger } from '../systems/messenger.ts'
import { CONTENT } from './contestants.ts'

const MEBIBYTE = 1024 * 1024
const FILE_BYTES = 100 * MEBIBYTE
const AT_ONCE = 4
const RATE = 500
const SAMPLE_EVERY_MS = 50

type Way = (url: string, user: Person, chatId: string, path: string) => Promise<void>

async function curl(user: Person, ...args: string[]): Promise<void> {
  const authorization = `authorization: Bearer ${user.token}`
  const child = Bun.spawn(['curl', '-sS', '-f', '-o', '/dev/null', '-H', authorization, ...args], { stderr: 'pipe' })
  const [errors, code] = await Promise.all([new Response(child.stderr).text(), child.exited])
  if (code !== 0) throw new Error(`An upload failed: ${errors}`)
}

const WAYS: Record<string, Way> = {
  'by a form': (url, user, chatId, path) =>
    curl(user, '-F', `chat_id=${chatId}`, '-F', `file=@${path}`, `${url}/api/v1/messages/upload`),
  'in pieces': async (url, user, chatId, path) => {
    const headers = { 'upload-length': String(FILE_BYTES), 'upload-metadata': `chat_id ${btoa(chatId)}` }
    const { body } = await request(`${url}/api/v1/uploads`, 'POST', user.token, undefined, headers)
    const type = ['-H', 'content-type: application/offset+octet-stream', '-H', 'upload-offset: 0']
    await curl(user, '-X', 'PATCH', ...type, '-T', path, `${url}/api/v1/uploads/${body.id}`)
  },
}

export const uploads: Part = {
  name: 'uploads',
  title: `${RATE} messages/s beside ${AT_ONCE} uploads of 100 MB at once`,
  prepare({ postgres, seconds }) {
    const undo = new Undo()
    return undo.guard(async () => {
      const folder = await mkdtemp(join(tmpdir(), 'messenger-bench-'))
      undo.add(() => rm(folder, { recursive: true, force: true }))
      const dataDir = join(folder, 'data')
      const settings = { MEDIA_MAX_BYTES_FREE: String(FILE_BYTES), DATA_DIR: dataDir }
      const { database, secret, url, pid } = await startMessenger(postgres, undo, { settings })
      const [uploader] = await addPeople(database, 1, secret)
      const [album = ''] = await addChats(database, uploader ? [[uploader]] : [])
      if (!uploader) throw new Error('Nobody uploads')
      const path = join(folder, 'file')
      const block = crypto.getRandomValues(new Uint8Array(65_536))
      await Bun.write(path, Buffer.concat(Array.from({ length: FILE_BYTES / block.byteLength }, () => block)))
      const members = (await addPairs(database, 50, secret)).map(({ token, chatId }) => ({ url, token, chatId }))
      const load = await startLoad({ protocol: 'messenger', members, content: CONTENT, copies: 2 })
      undo.add(load.stop)
      const samples = new Samples()
      const note = async (name: string) => {
        const { '': all } = (await load.schedule(RATE, seconds)).arrivals
        samples.note(`${name}: p50 ms`, all?.p50 ?? Number.NaN)
        samples.note(`${name}: p99 ms`, all?.p99 ?? Number.NaN)
      }

      async function uploadBeside(name: string, way: Way): Promise<void> {
        let isOver = false
        let bytes = 0
        const before = await memoryBytesOfAll(pid)
        let peak = before
        const watch = async () => {
          for (; !isOver; await Bun.sleep(SAMPLE_EVERY_MS)) peak = Math.max(peak, await memoryBytesOfAll(pid))
        }
        const upload = async () => {
          for (; !isOver; bytes += FILE_BYTES) await way(url, uploader as Person, album, path)
        }
        const startedAt = performance.now()
        const work = [watch(), ...Array.from({ length: AT_ONCE }, upload)]
        await note(name)
        isOver = true
        await Promise.all(work)
        samples.note(`${name}: MiB/s`, bytes / MEBIBYTE / ((performance.now() - startedAt) / 1000))
        samples.note(`${name}: growth in MiB`, (peak - before) / MEBIBYTE)
        await rm(join(dataDir, 'media/uploads'), { recursive: true, force: true })
      }

      await load.schedule(RATE, 1)
      return {
        samples,
        rows: () => Object.keys(WAYS).flatMap((name) => rowsOf(samples, name)),
        async round() {
          await note('without uploads')
          for (const [name, way] of Object.entries(WAYS)) await uploadBeside(name, way)
        },
        stop: undo.run,
      }
    })
  },
}

function rowsOf(samples: Samples, name: string): Row[] {
  const row = (quantile: string): Row => ({
    what: `delivery at ${RATE} messages/s beside uploads ${name}, ${quantile}`,
    unit: 'ms',
    ours: samples.of(`${name}: ${quantile} ms`),
    against: { name: 'without', values: samples.of(`without uploads: ${quantile} ms`) },
  })
  const memory = samples.of(`${name}: growth in MiB`)
  return [
    row('p50'),
    row('p99'),
    { what: `memory that uploads ${name} take`, unit: 'MiB', ours: memory, goal: { atMost: 150 } },
  ]
}
