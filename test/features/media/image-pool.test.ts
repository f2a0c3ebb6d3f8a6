import { afterEach, beforeEach, describe, expect, it } from 'bun:test'
import { readFileSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { getPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import type { ImageJob } from '../../../src/features/media/image-job.ts'
import { createImagePool, type ImagePoolOptions } from '../../../src/features/media/image-pool.ts'
import { until } from '../../support/until.ts'

let folder: string
let job: Extract<ImageJob, { do: 'make' }>
let close: (() => Promise<void>)[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'messenger-pool-'))
  job = { do: 'make', path: join(folder, 'sent'), options: { maxWidth: 100, format: 'webp' } }
  await sharp({ create: { width: 300, height: 300, channels: 3, background: 'teal' } })
    .png()
    .toFile(job.path)
})
afterEach(async () => {
  for (const one of close) await one()
  close = []
  await rm(folder, { recursive: true })
})

function start(options: ImagePoolOptions) {
  const pool = createImagePool({ size: 1, ...options })
  close.push(pool.close)
  return pool
}

/** The image workers of a process. */
async function listWorkers(parent = process.pid): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  return pids.filter((pid) => {
    const stat = read(`/proc/${pid}/stat`)
    const [state, ppid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return Number(ppid) === parent && state !== 'Z' && read(`/proc/${pid}/cmdline`).includes('image-worker')
  })
}
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
async function theWorker(): Promise<number> {
  const [pid, ...others] = await listWorkers()
  if (pid === undefined || others.length > 0) throw new Error('There is not one worker')
  return pid
}
const isDone = expect.objectContaining({ done: expect.anything(), rss: expect.any(Number) })

describe('image workers', () => {
  it('start when there is work, stay for the next job, and end without any', async () => {
    const pool = start({ idleMs: 300 })
    expect(await listWorkers()).toEqual([])
    expect(await pool.run(job)).toEqual(isDone)
    const first = await theWorker()
    expect(await pool.run(job)).toEqual(isDone)
    expect(await theWorker()).toBe(first)
    await until(async () => (await listWorkers()).length === 0)
    expect(await pool.run(job)).toEqual(isDone)
  })

  it('are no more than the pool is wide; what is too much is refused at once', async () => {
    const pool = start({ size: 2, queueLimit: 2 })
    const copies = [1, 2, 3, 4].map((number) => join(folder, `copy${number}`))
    for (const path of copies) await Bun.write(path, Bun.file(job.path))
    const running = copies.map((path) => pool.run({ ...job, path }))
    const refused = await pool.run(job).catch((error) => error)
    expect(refused).toMatchObject({ status: 503, details: { retry_after: expect.any(Number) } })
    expect((await listWorkers()).length).toBeLessThanOrEqual(2)
    expect(await Promise.all(running)).toEqual([isDone, isDone, isDone, isDone])
    expect(await pool.run(job)).toEqual(isDone)
  })

  it('that hang are ended, and replaced', async () => {
    const pool = start({ timeLimitMs: 5000 })
    await pool.run(job)
    const first = await theWorker()
    process.kill(first, 'SIGSTOP')
    const waiting = [pool.run(job), pool.run(job)]
    expect(await Promise.all(waiting)).toEqual([{ died: 'took too long' }, isDone])
    expect(await theWorker()).not.toBe(first)
  })

  it('that crash are replaced, with a job at hand or without', async () => {
    const pool = start({})
    await pool.run(job)
    const first = await theWorker()
    process.kill(first, 'SIGSTOP')
    const lost = pool.run(job)
    process.kill(first, 'SIGKILL')
    // Whether it was this job's fault shows with a new worker.
    expect(await lost).toEqual(isDone)
    // Dead before it is told of, in whatever order: that its channel is closed, and that it has ended.
    for (let times = 0; times < 10; times++) {
      process.kill(await theWorker(), 'SIGKILL')
      await until(async () => (await listWorkers()).length === 0)
      expect(await pool.run(job)).toEqual(isDone)
    }
  })

  it('that hold too much are ended during the job, and after it', async () => {
    const large = { create: { width: 5000, height: 5000, channels: 3, background: 'teal' } } as const
    const path = join(folder, 'large')
    await sharp(large).jpeg({ progressive: true, chromaSubsampling: '4:4:4' }).toFile(path)
    const greedy = start({ memoryLimit: 100 * 1024 * 1024 })
    expect(await greedy.run({ do: 'avatar', path })).toEqual({ died: 'took too much memory' })
    expect(await greedy.run(job)).toEqual(isDone)
    await greedy.close()

    const tidy = start({ memoryKept: 1 })
    expect(await tidy.run(job)).toEqual(isDone)
    await until(async () => (await listWorkers()).length === 0)
    expect(await tidy.run(job)).toEqual(isDone)
  })

  it('know no setting, and let the chat go first', async () => {
    await start({}).run(job)
    const pid = await theWorker()
    const names = read(`/proc/${pid}/environ`)
      .split('\0')
      .map((entry) => entry.split('=')[0])
      .filter((name) => name !== '' && !/^(?:PATH|PWD|MALLOC_.*|NODE_CHANNEL_.*)$/.test(name ?? ''))
    expect(names).toEqual([])
    expect(getPriority(pid)).toBeGreaterThan(0)
    expect(Number(read(`/proc/${pid}/oom_score_adj`))).toBe(900)
  })

  it('that crash at once did so by the image', async () => {
    const pool = start({})
    const lost = pool.run(job)
    await until(async () => (await listWorkers()).length === 1)
    process.kill(await theWorker(), 'SIGKILL')
    expect(await lost).toEqual({ died: 'crashed' })
  })

  it('end with the pool, and what waits is refused', async () => {
    const pool = start({})
    await pool.run(job)
    process.kill(await theWorker(), 'SIGSTOP')
    const [running, waiting] = [pool.run(job), pool.run(job).catch((error) => error)]
    await pool.close()
    expect(await running).toEqual({ died: 'crashed' })
    expect(await waiting).toMatchObject({ status: 503 })
    expect(await listWorkers()).toEqual([])
    expect(await pool.run(job).catch((error) => error)).toMatchObject({ status: 503 })
  })

  it('end with the server, however it ends', async () => {
    const module = join(import.meta.dir, '../../../src/features/media/image-pool.ts')
    const program = `const { createImagePool } = await import(${JSON.stringify(module)})
      await createImagePool({ size: 1 }).run(${JSON.stringify(job)})
      console.log('ready'); setInterval(() => {}, 1000)`
    const server = Bun.spawn([process.execPath, '-e', program], { stdout: 'pipe' })
    for await (const _ of server.stdout) break
    const [worker = 0] = await listWorkers(server.pid)
    expect(worker).toBeGreaterThan(0)
    server.kill('SIGKILL')
    await until(async () => !read(`/proc/${worker}/cmdline`).includes('image-worker'))
  })
})
