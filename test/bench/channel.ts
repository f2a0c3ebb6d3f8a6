/**
 * The writer's time for a post in a channel of 10 subscribers and in one of 10,000: `bun test/bench/channel.ts`. The two
 * take turns in one run, so that what else the machine does meets both.
 */
import { cpus, totalmem } from 'node:os'
import { addCrowd, type Crowd } from '../features/channels/crowd.ts'
import { draftOf, startWriter } from '../features/messages/writer-setup.ts'
import { stopPostgres } from '../support/postgres.ts'

const FEW = 10
const MANY = 10_000
const WARM_UP = 500
const POSTS = 5000
/** Ratio of the medians. */
const GOAL = 1.1

const write = (text: string) => void process.stdout.write(`${text}\n`)
const quantile = (values: readonly number[], part: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * part)] ?? Number.NaN

async function bench(): Promise<number> {
  const { writer, sql, stop } = await startWriter()
  const crowds = [await addCrowd(sql, FEW), await addCrowd(sql, MANY)]
  await sql`analyze`
  const timePost = async ({ channelId, ownerId }: Crowd): Promise<number> => {
    const startedAt = performance.now()
    await writer.send(draftOf(channelId, ownerId))
    return (performance.now() - startedAt) * 1000
  }
  const [few, many]: [number[], number[]] = [[], []]
  for (let n = 0; n < WARM_UP + POSTS; n++) {
    const isSwapped = n % 2 === 1
    for (const at of isSwapped ? [1, 0] : [0, 1]) {
      const crowd = crowds[at]
      if (!crowd) throw new Error('No channel')
      const micros = await timePost(crowd)
      if (n >= WARM_UP) (at === 0 ? few : many).push(micros)
    }
  }
  await stop()

  write(
    `${new Date().toISOString().slice(0, 10)}, ${cpus().length} x ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Bun ${Bun.version}`,
  )
  write(`${POSTS} posts in each channel, one after the other, in turns`)
  write('| subscribers | µs a post: median |    mean |     p99 |')
  write('|------------:|------------------:|--------:|--------:|')
  const mean = (values: readonly number[]) => values.reduce((total, value) => total + value, 0) / values.length
  const row = (subscribers: number, values: readonly number[]) => {
    const [median, average, slow] = [quantile(values, 0.5), mean(values), quantile(values, 0.99)].map((value) =>
      value.toFixed(0),
    )
    write(
      `| ${String(subscribers).padStart(11)} | ${median?.padStart(17)} | ${average?.padStart(7)} | ${slow?.padStart(7)} |`,
    )
  }
  row(FEW, few)
  row(MANY, many)
  const ratio = quantile(many, 0.5) / quantile(few, 0.5)
  write(`ratio of the medians: ${ratio.toFixed(3)}, of the means: ${(mean(many) / mean(few)).toFixed(3)}`)
  const isReached = ratio <= GOAL
  write(isReached ? `The goal of ${GOAL} is reached.` : `The goal of ${GOAL} is missed.`)
  return isReached ? 0 : 1
}

const code = await bench().finally(stopPostgres)
process.exit(code)
