/**
 * `npm run bench:web`: what the web client weighs and costs, with the real server and database and a real Chromium, at full
 * speed and with its main thread slowed down six times, as on a cheap phone. `-- --markdown` for a table to paste.
 * Times are worth something on a machine that has nothing else to do; the counts are the same everywhere, and where one is
 * over its budget the run fails.
 */
import { cpus } from 'node:os'
import type { Browser } from 'playwright-core'
import { buildWeb } from '../../../../deploy/web.ts'
import { stopPostgres } from '../../../support/postgres.ts'
import { startBrowser } from '../browser.ts'
import { budgets } from './budgets.ts'
import type { Cost } from './gauge.ts'
import { measure } from './measure.ts'
import { EVERY_MS, pourElsewhere, pourHere, type Seat, scrollUpTo, signIn, takeSeat, type } from './scenes.ts'
import { startTown, type Town } from './town.ts'

const SLOWER = 6
const SECONDS = 10
const POURED = Math.round((SECONDS * 1000) / EVERY_MS)
const MESSAGES = 10_000
const CHATS = 200
const MAX_FIRST_LOAD_BYTES = 100_000
/** As a finger flings it, and as fast as pages come. */
const SLOW_PX_PER_FRAME = 60

const isMarkdown = process.argv.includes('--markdown')
let isOver = false

const write = (line: string) => process.stdout.write(`${line}\n`)

function tell(what: string, value: string, budget = ''): void {
  if (isMarkdown) write(`| ${what} | ${value} | ${budget} |`)
  else write(`${what.padEnd(84)} ${value}${budget && `   (${budget})`}`)
}

function hold(what: string, value: number, most: number, unit: string): void {
  const isHeld = value <= most
  if (!isHeld) isOver = true
  tell(what, `${value.toFixed(value < 100 ? 2 : 0)} ${unit}`, `at most ${most}${isHeld ? '' : ': BROKEN'}`)
}

const list = (tasks: readonly number[]) =>
  tasks.length === 0 ? 'none' : `${tasks.length}, the longest ${Math.max(...tasks)} ms`

function tellTasks(what: string, { heavyTasks, longTasks }: Cost): void {
  tell(`${what}: tasks of more than 50 ms of CPU`, list(heavyTasks))
  tell(`${what}: tasks of more than 50 ms on the clock`, list(longTasks))
}

const at = (share: number, values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN

/** A browser that was never here, and one that comes back to a conversation. */
async function measureOpening(browser: Browser, town: Town, slower: number): Promise<void> {
  const how = slower === 1 ? 'at full speed' : `${slower} x slower`
  const seat = await takeSeat(browser, town)
  await seat.gauge.throttle(slower)
  await seat.page.goto('/')
  const first = await seat.gauge.opening()
  tell(`first visit, ${how}: first paint`, `${Math.round(first.firstPaint)} ms`)
  tell(`first visit, ${how}: signing in can be typed`, `${Math.round(first.field)} ms`)
  await seat.gauge.throttle(1)
  await signIn(seat, town)
  await seat.gauge.throttle(slower)
  await seat.page.reload()
  const again = await seat.gauge.opening()
  await seat.page.locator('article.message').first().waitFor()
  const { message } = await seat.gauge.opening()
  tell(`coming back, ${how}: first paint`, `${Math.round(again.firstPaint)} ms`)
  tell(`coming back, ${how}: a message can be typed`, `${Math.round(again.field)} ms`)
  tell(`coming back, ${how}: the messages are painted`, message === undefined ? '?' : `${Math.round(message)} ms`)
  await seat.machine.context.close()
}

/** What a cheap phone makes of it. */
async function measureSlower(town: Town, seat: Seat): Promise<void> {
  const { gauge } = seat
  await gauge.throttle(SLOWER)
  const how = `1,000 a minute, ${SLOWER} x slower, ${SECONDS} s`
  tellTasks(`${how}, into the open chat`, await gauge.during(() => pourHere(seat, town, POURED)))
  tellTasks(`${how}, into other chats`, await gauge.during(() => pourElsewhere(seat, town, POURED)))
  const typed = await gauge.during(() => Promise.all([pourHere(seat, town, POURED), type(seat, SECONDS * 2)]))
  const [median, most] = [at(0.5, typed.keys), Math.max(...typed.keys)]
  tell(`${how}, while typing: from a key to its letter`, `median ${median} ms, at most ${most} ms`)
  const goal = MESSAGES - 500
  tellTasks(
    `scrolling by 500 messages, ${SLOWER} x slower`,
    await gauge.during(() => scrollUpTo(seat, goal, SLOW_PX_PER_FRAME)),
  )
  await gauge.throttle(1)
}

async function bench(): Promise<void> {
  const { scriptBytes } = (await buildWeb()).firstLoad
  const town = await startTown({ chats: CHATS, messages: MESSAGES })
  const browser = await startBrowser()
  try {
    const machine = `${cpus().length} x ${cpus()[0]?.model.trim()}`
    write(`${new Date().toISOString().slice(0, 10)}, ${machine}, Chromium ${browser.version()}\n`)
    if (isMarkdown) write('| what | | budget |\n|---|---:|---|')
    // From source the first answer makes the client.
    await fetch(town.server.url)
    hold('JavaScript of the first load, brotli', scriptBytes / 1000, MAX_FIRST_LOAD_BYTES / 1000, 'KB')
    for (const slower of [1, SLOWER]) await measureOpening(browser, town, slower)
    const slow = await takeSeat(browser, town)
    await signIn(slow, town)
    await measureSlower(town, slow)
    await slow.machine.context.close()

    const seat = await takeSeat(browser, town)
    await signIn(seat, town)
    const figures = await measure(browser, town, seat, { poured: POURED, messages: MESSAGES })
    const { here, elsewhere, bareCpuMs, scrolled, costs } = figures
    tellTasks(`1,000 a minute, at full speed, ${SECONDS} s, into the open chat`, costs.here)
    tellTasks(`1,000 a minute, at full speed, ${SECONDS} s, into other chats`, costs.elsewhere)
    tell('CPU of a message: into the open chat, another, without an application', cpuOf(here, elsewhere, bareCpuMs))
    tellTasks(`scrolling by ${MESSAGES.toLocaleString('en')} messages, as fast as pages come`, costs.scrolled)
    tell('of its frames came late', `${((scrolled.lateFrames / scrolled.frames) * 100).toFixed(0)} %`)
    tell('memory it took', `${((scrolled.heapBytes * MESSAGES) / 1e6).toFixed(1)} MB`)
    for (const { what, unit, most, of } of budgets) hold(what, of(figures), most, unit)
    if (seat.machine.complaints.length > 0) throw new Error(seat.machine.complaints.join('\n'))
  } finally {
    await browser.close()
    await town.server.stop()
    await stopPostgres()
  }
}

const cpuOf = (here: { cpuMs: number }, elsewhere: { cpuMs: number }, bareMs: number) =>
  `${[here.cpuMs, elsewhere.cpuMs, bareMs].map((ms) => ms.toFixed(1)).join(', ')} ms`

await bench()
process.exit(isOver ? 1 : 0)
