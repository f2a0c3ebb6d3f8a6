/** Instances of the server as far as Redis knows them: a way to Redis, a bus on it, and what they heard and logged. */
import { createRedisBus } from '../../src/bus/redis.ts'
import { chatTopic } from '../../src/bus/topics.ts'
import { createLog } from '../../src/observability/log.ts'
import { connectRedis } from '../../src/redis/client.ts'
import { until } from '../support/until.ts'

export type Instance = Awaited<ReturnType<typeof startInstance>>

export const TOPIC = chatTopic('a')

export async function startInstance(url: string, gapEveryMs?: number) {
  const lines: string[] = []
  const log = createLog('debug', (line) => lines.push(line))
  const redis = await connectRedis(url, log)
  const bus = createRedisBus(redis, log, gapEveryMs)
  const heard: string[] = []
  bus.onMessage(({ payload }) => heard.push(payload))
  let gaps = 0
  bus.onGap(() => gaps++)
  return {
    redis,
    bus,
    heard,
    lines,
    gaps: () => gaps,
    say: (payload: string) => bus.publish([{ topic: TOPIC, kind: 'event', payload }]),
    async close() {
      await bus.close()
      await redis.close()
    },
  }
}

/** @returns the milliseconds until something that `from` says now is heard by `to` */
export async function untilHeard(from: Instance, to: Instance): Promise<number> {
  const mark = crypto.randomUUID()
  let said = 0
  return until(() => {
    from.say(`${mark} ${said++}`)
    return to.heard.some((payload) => payload.startsWith(mark))
  }, 'one instance hears the other')
}

/** What was measured, shown with MEASURE=1. */
export function report(what: string, milliseconds: readonly number[]): void {
  if (Bun.env.MEASURE) process.stdout.write(`${what}: ${milliseconds.map(Math.round).join(' ')} ms\n`)
}
