/**
 * What each service of the box needs at most while 500 users send 500 messages a second and two photos: `npm run
 * bench:memory`, or for more or fewer seconds `npm run bench:memory -- 300`. Memory is PSS: what several processes share is
 * counted once. Whatever decodes pictures is a process of its own, and counts for itself.
 */
import { readFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import sharp from 'sharp'
import { connectDatabase } from '../../src/db/client.ts'
import { childrenOf, SECRET } from '../faults/server-process.ts'
import { addPairs } from './people.ts'
import { quantile, talk } from './talkers.ts'
import { startWholeSet, type WholeSet } from './whole-set.ts'

const USERS = 500
const MESSAGES_PER_SECOND = 500
const SECONDS = 60
const SAMPLE_EVERY_MS = 250
/** MiB. */
const BUDGET = { postgres: 800, redis: 128, api: 512, 'making pictures': 384, caddy: 128, coturn: 128 }
const PHOTO_EVERY_MS = 500

const write = (text: string) => void process.stdout.write(`${text}\n`)

/** In MiB; a process that has just ended uses nothing. */
async function pssOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '')
  return Number(/^Pss: +(\d+) kB$/m.exec(text)?.[1] ?? 0) / 1024
}

const descendantsOf = (pid: number): number[] => childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)])

async function pssOfAll(pids: readonly number[]): Promise<number> {
  return (await Promise.all(pids.map(pssOf))).reduce((sum, one) => sum + one, 0)
}

/** The processes of each line of the budget. */
function groupsOf({ api, ...others }: WholeSet['pids']): [keyof typeof BUDGET, number[]][] {
  const families = Object.entries(others).map(([service, pid]) => [service, [pid, ...descendantsOf(pid)]] as const)
  return [...families, ['api', [api]], ['making pictures', descendantsOf(api)]] as [keyof typeof BUDGET, number[]][]
}

function watchMemory(pids: WholeSet['pids']) {
  const peaks = new Map<string, { idle: number; peak: number }>()
  let isOver = false
  const sample = async () => {
    for (const [service, members] of groupsOf(pids)) {
      const now = await pssOfAll(members)
      const known = peaks.get(service)
      peaks.set(service, { idle: known?.idle ?? now, peak: Math.max(known?.peak ?? 0, now) })
    }
  }
  const watching = (async () => {
    while (!isOver) {
      await sample()
      await Bun.sleep(SAMPLE_EVERY_MS)
    }
  })()
  return {
    async stop() {
      isOver = true
      await watching
      return peaks
    },
  }
}

async function bench(seconds: number): Promise<number> {
  const set = await startWholeSet()
  try {
    const database = connectDatabase({ url: set.databaseUrl, poolMax: 1, name: 'bench' })
    const members = await addPairs(database, USERS / 2, SECRET)
    await database.close()
    const memory = watchMemory(set.pids)
    await Bun.sleep(2 * SAMPLE_EVERY_MS)
    const photos = { everyMs: PHOTO_EVERY_MS, jpeg: await takePhoto() }
    const rates = { sendEveryMs: (USERS / MESSAGES_PER_SECOND) * 1000, askEveryMs: 10_000, photos }
    const measured = await talk(set.url, members, rates, seconds)
    const peaks = await memory.stop()

    write(
      `${new Date().toISOString().slice(0, 10)}, ${cpus().length} x ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB; ` +
        `${USERS} users, ${Math.round(measured.acknowledged / measured.seconds)} messages/s for ${Math.round(measured.seconds)} s, ` +
        `${measured.photos} photos of 12 megapixels, ` +
        `sent to arrived p95 ${quantile(measured.deliveries, 0.95).toFixed(0)} ms, ${measured.faults.length + measured.missing} faults`,
    )
    write('| | at rest, MiB | at most, MiB | budget, MiB | |')
    write('|---|---:|---:|---:|---|')
    let isWithin = measured.faults.length + measured.missing === 0
    for (const [service, budget] of Object.entries(BUDGET)) {
      const { idle, peak } = peaks.get(service) ?? { idle: 0, peak: 0 }
      const isFine = peak > 0 && peak <= budget
      isWithin &&= isFine
      write(`| ${service} | ${idle.toFixed(0)} | ${peak.toFixed(0)} | ${budget} | ${isFine ? 'within' : 'OVER'} |`)
    }
    for (const fault of new Set(measured.faults)) write(`fault: ${fault}`)
    return isWithin ? 0 : 1
  } finally {
    await set.stop()
  }
}

/** Noise, so that packing it is work: 12 megapixels, some 3 MB. */
async function takePhoto(): Promise<Blob> {
  const noise = { type: 'gaussian', mean: 128, sigma: 20 } as const
  const jpeg = await sharp({ create: { width: 4000, height: 3000, channels: 3, background: 'white', noise } })
    .jpeg({ quality: 80 })
    .toBuffer()
  return new Blob([jpeg], { type: 'image/jpeg' })
}

const seconds = Number(process.argv[2] ?? SECONDS)
if (!(seconds > 0)) {
  process.stderr.write('Usage: npm run bench:memory -- [SECONDS]\n')
  process.exit(2)
}
process.exit(await bench(seconds))
