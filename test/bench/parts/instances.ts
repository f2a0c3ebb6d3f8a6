/**
 * Two instances with Redis between them, the two of each direct chat on different ones, beside one instance alone; and
 * one message to a socket on the sender's instance and on the other one.
 */
import { startRedis } from '../../support/redis.ts'
import { startLoad } from '../load/start.ts'
import { type Part, Samples, Undo } from '../part.ts'
import { addPairs } from '../people.ts'
import { startMessenger } from '../systems/messenger.ts'
import { CONTENT, inTurn } from './contestants.ts'

const PAIRS = 100
const WINDOW = 16
const RATE = 500

export const instances: Part = {
  name: 'instances',
  title: 'two instances through Redis, beside one',
  prepare({ postgres, seconds }) {
    const undo = new Undo()
    return undo.guard(async () => {
      const alone = await startMessenger(postgres, undo)
      const redis = await startRedis()
      undo.add(redis.stop)
      const settings = { REDIS_URL: redis.url }
      const here = await startMessenger(postgres, undo, { settings })
      const there = await startMessenger(postgres, undo, { settings, databaseUrl: here.databaseUrl })
      const load = async (members: Parameters<typeof startLoad>[0]['members'], copies: number) => {
        const started = await startLoad({ protocol: 'messenger', members, content: CONTENT, copies })
        undo.add(started.stop)
        return started
      }
      const onOne = (await addPairs(alone.database, PAIRS, alone.secret)).map(({ token, chatId }) => ({
        url: alone.url,
        token,
        chatId,
      }))
      const pairs = await addPairs(here.database, PAIRS, here.secret)
      const onTwo = pairs.map(({ token, chatId }, n) => ({ url: (n % 2 === 0 ? here : there).url, token, chatId }))
      const readers = (await addPairs(here.database, PAIRS / 2, here.secret)).flatMap(({ token, chatId }, n) =>
        n % 2 === 0
          ? [{ url: here.url, token, chatId, group: 'sender' }]
          : [here, there].map((server) => ({
              ...{ url: server.url, token, chatId, isSilent: true },
              group: server === here ? 'same' : 'other',
            })),
      )
      const [one, two, both] = [await load(onOne, 2), await load(onTwo, 2), await load(readers, 3)]
      const servers = [alone, here, there].map((server) => ({ server }))
      const samples = new Samples()
      const measure = async (name: string, from: typeof one) => {
        const { acknowledged, seconds: took } = await from.saturate(WINDOW, seconds)
        samples.note(name, acknowledged / took)
      }
      for (const each of [one, two]) await each.saturate(WINDOW, 1)
      await both.schedule(RATE, 1)
      return {
        samples,
        rows: () => [
          {
            what: 'acknowledged messages/s, two instances',
            unit: '/s',
            ours: samples.of('two instances: acknowledged/s'),
            against: { name: 'one alone', values: samples.of('one instance: acknowledged/s') },
            goal: { atLeast: 0.7 },
          },
          {
            what: `delivery at ${RATE} messages/s on the other instance, p50`,
            unit: 'ms',
            ours: samples.of('other instance: p50 ms'),
            against: { name: "on the sender's", values: samples.of('same instance: p50 ms') },
            goal: { atMost: 1.5 },
          },
          {
            what: `delivery at ${RATE} messages/s on the other instance, p99`,
            unit: 'ms',
            ours: samples.of('other instance: p99 ms'),
            against: { name: "on the sender's", values: samples.of('same instance: p99 ms') },
          },
        ],
        async round() {
          await inTurn(servers, alone, () => measure('one instance: acknowledged/s', one))
          alone.freeze()
          await measure('two instances: acknowledged/s', two)
          const { arrivals: latencies } = await both.schedule(RATE, seconds)
          for (const group of ['same', 'other']) {
            samples.note(`${group} instance: p50 ms`, latencies[group]?.p50 ?? Number.NaN)
            samples.note(`${group} instance: p99 ms`, latencies[group]?.p99 ?? Number.NaN)
          }
          alone.thaw()
        },
        stop: undo.run,
      }
    })
  },
}
