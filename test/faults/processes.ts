/** Servers that are killed, and databases that fall, under load: nothing acknowledged is lost, doubled or out of order. */
import { isWithin, noneOf, type Outcome, type Scenario } from '../support/scenario.ts'
import { type Attempt, type Load, listFaults, readHistory, startLoad } from './load.ts'
import { type Pair, startPair } from './pair.ts'

/** Waits until `isSo`. @throws when that does not come within a minute */
async function until(isSo: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 60_000
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`Never: ${what}`)
    await Bun.sleep(10)
  }
}

type Chats = Awaited<ReturnType<Pair['addGroups']>>

async function peopled(pair: Pair): Promise<Chats> {
  const [a, b, c, d] = await pair.addUsers(4)
  if (!a || !b || !c || !d) throw new Error('unreachable')
  return pair.addGroups([
    [a, b, c, d],
    [a, b],
    [c, d],
  ])
}

/** What is stored, compared with what both loads were promised. */
async function compare(
  url: string,
  chats: Chats,
  loads: readonly Load[],
): Promise<{ faults: string[]; count: number }> {
  const acknowledged = loads.flatMap((load) => load.acknowledged)
  const faults: string[] = []
  for (const { id, members } of chats) {
    const [reader] = members
    if (!reader) continue
    const promised = acknowledged.filter(({ chatId }) => chatId === id)
    faults.push(...listFaults(await readHistory(url, reader, id), promised))
  }
  return { faults, count: acknowledged.length }
}

/** A load on each instance; those of the second write under keys of chats of their own. */
async function startLoads(pair: Pair): Promise<{ chats: Chats; loads: [Load, Load] }> {
  const [left, right] = [await peopled(pair), await peopled(pair)]
  return {
    chats: [...left, ...right],
    loads: [startLoad(pair.servers[0].url, left), startLoad(pair.servers[1].url, right)],
  }
}

const countOf = (loads: readonly Load[]) => loads.reduce((sum, load) => sum + load.acknowledged.length, 0)

export const kill9Send: Scenario = {
  name: 'kill9-send',
  bar: '0 lost, 0 doubled, 0 out of order',
  withinSeconds: 90,
  async run(size) {
    const pair = await startPair()
    const { chats, loads } = await startLoads(pair)
    const [wanted, kills] = size === 'long' ? [10_000, 20] : [1500, 4]
    for (let kill = 0; kill < kills; kill++) {
      await until(() => countOf(loads) >= (wanted * (kill + 1)) / (kills + 1), 'more messages')
      const index = kill % 2 === 0 ? 0 : 1
      loads[index].pause()
      await pair.killAndRestart(index)
      loads[index].resume(pair.servers[index].url)
    }
    await until(() => countOf(loads) >= wanted, 'all messages')
    await Promise.all(loads.map((load) => load.stop()))
    const { faults, count } = await compare(pair.servers[0].url, chats, loads)
    await pair.stop()
    return noneOf(faults, count, `messages wrong after ${kills} kills`)
  },
}

const failuresOf = (attempts: readonly Attempt[]) => attempts.filter(({ outcome }) => /^5\d\d$/.test(outcome))

/** From now on until messages are stored again on both. */
async function timeRecovery(loads: readonly Load[]): Promise<number> {
  const startedAt = performance.now()
  await until(() => loads.every((load) => load.acknowledged.some(({ at }) => at > startedAt)), 'messages again')
  return performance.now() - startedAt
}

const PATIENCE_MS = 20_000

export const pgRestart: Scenario = {
  name: 'pg-restart',
  bar: '0 processes dead, 0 lost, 0 hung, messages again within 5 s',
  withinSeconds: 90,
  async run(size) {
    const pair = await startPair()
    const { chats, loads } = await startLoads(pair)
    const pids = pair.servers.map(({ pid }) => pid)
    const recoveries: number[] = []
    for (let round = 0; round < (size === 'long' ? 5 : 2); round++) {
      const before = countOf(loads)
      await until(() => countOf(loads) > before + 300, '300 more messages')
      const startedAt = performance.now()
      await pair.postgres.restartAtOnce()
      await timeRecovery(loads)
      recoveries.push(performance.now() - startedAt)
    }
    await Promise.all(loads.map((load) => load.stop()))
    const { faults, count } = await compare(pair.servers[0].url, chats, loads)
    const hung = loads.flatMap(({ attempts }) => attempts).filter(({ ms }) => ms > PATIENCE_MS).length
    const dead = pair.servers.filter(({ pid }, index) => pid !== pids[index] || !isRunning(pid)).length
    const slowest = Math.max(...recoveries)
    await pair.stop()
    return {
      figure: `${count} messages, ${faults.length} wrong, ${hung} hung, ${dead} dead, again after ${Math.round(slowest)} ms`,
      isHeld: faults.length + hung + dead === 0 && isWithin(slowest, 5000, size),
      faults,
    }
  },
}

/** `statement_timeout` of the pool, and the way there and back. */
const STUCK_MS = 30_000

export const pgDrop: Scenario = {
  name: 'pg-drop',
  bar: 'after a storm of terminations and 10 s of silence: no 5xx, nothing stuck beyond the statement timeout',
  withinSeconds: 120,
  async run(size): Promise<Outcome> {
    const pair = await startPair()
    const { chats, loads } = await startLoads(pair)
    await until(() => countOf(loads) > 300, '300 messages')
    for (let storm = 0; storm < (size === 'long' ? 40 : 10); storm++) {
      pair.postgres.terminateBackends()
      await Bun.sleep(50 + 30 * (storm % 5))
    }
    pair.postgres.freeze({ whole: true })
    await Bun.sleep(size === 'long' ? 10_000 : 4000)
    pair.postgres.thaw()
    const recovered = await timeRecovery(loads)
    // What waited in the silence has its end.
    await Bun.sleep(3000)
    const marks = loads.map(({ attempts }) => attempts.length)
    await Bun.sleep(3000)
    const later = loads.flatMap(({ attempts }, index) => failuresOf(attempts.slice(marks[index])))
    await Promise.all(loads.map((load) => load.stop()))
    const slowest = Math.max(...loads.flatMap(({ attempts }) => attempts.map(({ ms }) => ms)))
    const { faults, count } = await compare(pair.servers[0].url, chats, loads)
    await pair.stop()
    return {
      figure: `${count} messages, ${faults.length} wrong, ${later.length} of 5xx after, again after ${Math.round(recovered)} ms, slowest answer ${Math.round(slowest)} ms`,
      isHeld: faults.length === 0 && later.length === 0 && slowest < STUCK_MS,
      faults,
    }
  },
}

export const drain: Scenario = {
  name: 'drain',
  bar: '0 acknowledged lost, every socket 1001, at most 10 s',
  withinSeconds: 60,
  async run(size) {
    const pair = await startPair()
    const { chats, loads } = await startLoads(pair)
    const [load] = loads
    await until(() => load.openSockets() === 8 && load.acknowledged.length > (size === 'long' ? 2000 : 300), 'messages')
    const stopping = pair.servers[0].terminate()
    await until(() => load.closed.length > 0, 'a closed socket')
    load.pause()
    const { code, ms } = await stopping
    load.resume(pair.servers[1].url)
    await Promise.all(loads.map((one) => one.stop()))
    const { faults, count } = await compare(pair.servers[1].url, chats, loads)
    const others = load.closed.filter((close) => close.code !== 1001)
    await pair.stop()
    return {
      figure: `${count} messages, ${faults.length} wrong, exit ${code} after ${ms} ms, ${load.closed.length} sockets, ${others.length} not 1001`,
      isHeld:
        faults.length === 0 &&
        code === 0 &&
        isWithin(ms, 10_000, size) &&
        load.closed.length === 8 &&
        others.length === 0,
      faults,
    }
  },
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
