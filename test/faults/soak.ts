/** Time, in which neither open files nor memory may grow. */
import { readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request, type TestUser } from '../support/client.ts'
import { allOf, noneOf, type Outcome, type Scenario, type Size } from '../support/scenario.ts'
import { register, residentMb } from './limits.ts'
import { listFaults, readHistory, startLoad } from './load.ts'
import type { InUse } from './memory-probe.ts'
import { startProbed } from './probed.ts'
import { growthOf, isGrowthWithin, lowestOf, type Point } from './trend.ts'
import { startVisits, type Visits } from './visits.ts'

const BAR_MB_PER_HOUR = 1
const BAR_FILES = 2
const VISITORS = 3
/** These come beside them while the server warms up, and without a pause: what visits use is compiled, and has its room, sooner. */
const EARLY_VISITORS = 8
/** Neighbours of which only the lowest counts. */
const GROUP = 3
/** What was asked is answered by then, and most of what follows is done. */
const REST_MS = 2000
const SAMPLE_EVERY_MS = 10_000
const DAY_SECONDS = 86_400

const minutesOf = (size: Size) => (size === 'long' ? Number(process.env.SOAK_MINUTES ?? 30) : 0.2)
const countFiles = (pid: number) => readdirSync(`/proc/${pid}/fd`).length

/**
 * Under load, resident memory is a sawtooth of some 40 MB between two collections: a line through it says nothing. So the load
 * rests for a moment every 10 s, garbage is collected, and what is in use then is what may grow: the objects, which tell the most
 * for they stand still; what they hold, where code comes and goes as it is compiled; and for what is not JavaScript's the
 * whole of the resident memory, which goes up and down the most. Each has a slope with an interval of 95 %, after a third of
 * the time for warming up. A bar within the interval is neither held nor broken: the run was too short for so much noise.
 */
export const soak: Scenario = {
  name: 'soak',
  bar: `under steady load and visits no more files open; after warming up memory at rest at most ${BAR_MB_PER_HOUR} MB an hour more: objects, what they hold, resident (SOAK_MINUTES, 30)`,
  withinSeconds: 90,
  async run(size) {
    const dataDir = await mkdtemp(join(tmpdir(), 'messenger-soak-'))
    // The lanes and the visitors have one access token each for all the time.
    const server = await startProbed(dataDir, { PASSWORD_HASH: 'argon2id', ACCESS_TOKEN_TTL: String(DAY_SECONDS) })
    try {
      const users = await Promise.all(Array.from({ length: 6 }, () => register(server.url)))
      const [reader = await register(server.url)] = users
      const chatId = await addGroup(users)
      const visits = await Promise.all(Array.from({ length: VISITORS }, () => startVisitor(server.url)))
      const load = startLoad(server.url, [{ id: chatId, members: users }])

      /** What is in use while nobody asks for anything. */
      async function rest(): Promise<InUse> {
        load.pause()
        await Promise.all(visits.map((visitor) => visitor.pause()))
        await Bun.sleep(REST_MS)
        const inUse = await server.inUse()
        load.resume(server.url)
        for (const visitor of visits) visitor.resume()
        return inUse
      }

      const totalMs = minutesOf(size) * 60_000
      const early = await Promise.all(Array.from({ length: EARLY_VISITORS }, () => startVisitor(server.url, 0)))
      await Bun.sleep(totalMs / 3)
      await Promise.all(early.map((visitor) => visitor.stop()))
      await rest()
      const filesBefore = countFiles(server.pid)
      const samples: (InUse & { hours: number })[] = []
      const underLoad: number[] = []
      const startedAt = performance.now()
      while (performance.now() - startedAt < (2 * totalMs) / 3) {
        await Bun.sleep(Math.min(SAMPLE_EVERY_MS, totalMs / 60))
        underLoad.push(residentMb(server.pid))
        const inUse = await rest()
        samples.push({ ...inUse, hours: (performance.now() - startedAt) / 3_600_000 })
      }
      const files = countFiles(server.pid) - filesBefore
      await Promise.all([load, ...visits].map((each) => each.stop()))
      const of = (what: keyof InUse): Point[] => samples.map((sample) => ({ hours: sample.hours, mb: sample[what] }))
      const faults = listFaults(await readHistory(server.url, reader, chatId), load.acknowledged)
      const everybody = [...early, ...visits]
      const visitFaults = everybody.flatMap((visitor) => [...visitor.faults])
      const visitCount = everybody.reduce((sum, visitor) => sum + visitor.count(), 0)
      return allOf([
        noneOf(faults, load.acknowledged.length, 'messages wrong'),
        noneOf(visitFaults, visitCount, 'visits wrong'),
        { figure: `${files} files more`, isHeld: files <= BAR_FILES },
        judge('objects', of('objectsMb'), size),
        judge('held by them', of('heldMb'), size),
        judge('resident at rest', of('residentMb'), size),
        { figure: `${Math.round(Math.max(...underLoad))} MB resident under load`, isHeld: true },
      ])
    } finally {
      await server.terminate()
      await rm(dataDir, { recursive: true, force: true })
    }
  },
}

/** With a chat of two, in which nobody else counts the messages. */
async function startVisitor(serverUrl: string, pauseMs?: number): Promise<Visits> {
  const visitor = await register(serverUrl)
  return startVisits(visitor, await addGroup([visitor, await register(serverUrl)]), pauseMs)
}

async function addGroup(members: readonly TestUser[]): Promise<string> {
  const [owner] = members
  const { body } = await request(`${owner?.serverUrl}/api/v1/chats`, 'POST', owner?.token, {
    name: 'Group',
    type: 'group',
    member_ids: members.map(({ id }) => id),
  })
  return String(body.id)
}

/** The short form only shows that it can be measured. */
function judge(what: string, points: readonly Point[], size: Size): Outcome {
  const growth = growthOf(lowestOf(points, GROUP))
  const isHeld = isGrowthWithin(growth, BAR_MB_PER_HOUR)
  const lowest = Math.min(...points.map(({ mb }) => mb))
  const figure = `${what} ${lowest.toFixed(1)} MB`
  if (size === 'short') return { figure, isHeld: lowest > 0 && Number.isFinite(lowest) }
  const [perHour, least, most] = [growth.perHour, growth.least, growth.most].map((mb) => mb.toFixed(2))
  const howSure = isHeld === undefined ? ', too short to tell' : ''
  return { figure: `${figure}, ${perHour} MB an hour (${least} to ${most}${howSure})`, isHeld }
}
