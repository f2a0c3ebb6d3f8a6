/** What every bus guarantees (src/bus/bus.ts), as a suite that runs on each implementation. */
import { afterEach, beforeEach, describe, expect, it } from 'bun:test'
import type { Bus, BusMessage } from '../../src/bus/bus.ts'
import { chatTopic, instancesTopic, type Topic, userTopic } from '../../src/bus/topics.ts'

export interface BusWorld {
  /** Another instance's bus, which hears of the same messages; the same bus where there is only one instance. */
  connect(): Promise<Bus>
  close(): Promise<void>
}

const A = chatTopic('a')
const B = chatTopic('b')
const message = (topic: Topic, payload: string, kind: BusMessage['kind'] = 'event'): BusMessage => ({
  topic,
  kind,
  payload,
})

/** `createWorld` makes a fresh world for each test. */
export function describeBus(name: string, createWorld: () => Promise<BusWorld>): void {
  describe(name, () => {
    let world: BusWorld
    let publisher: Bus
    let listener: Bus
    beforeEach(async () => {
      world = await createWorld()
      publisher = await world.connect()
      listener = await world.connect()
    })
    afterEach(() => world.close())

    /** Collects payloads of the topics. `until` resolves when so many are there. */
    function collect(bus: Bus, topics: readonly Topic[] = [A, B]) {
      const payloads: string[] = []
      bus.onMessage(({ topic, payload }) => {
        if (topics.includes(topic)) payloads.push(payload)
      })
      const until = async (count: number) => {
        for (let i = 0; i < 500 && payloads.length < count; i++) await Bun.sleep(2)
        return payloads
      }
      return { payloads, until }
    }

    it('delivers messages of one publisher on one topic in their order, within a batch and between batches', async () => {
      await listener.subscribe([A])
      const { until } = collect(listener, [A])
      const expected: string[] = []
      for (let batch = 0; batch < 50; batch++) {
        const payloads = [0, 1, 2, 3].map((n) => `${batch}.${n}`)
        publisher.publish(payloads.map((payload) => message(A, payload)))
        expected.push(...payloads)
      }
      expect(await until(expected.length)).toEqual(expected)
    })

    it('delivers each message once, whole, with its topic and kind', async () => {
      const sent = [
        message(A, '{"type":"new_message","text":"ünï \\" 😀 \\u0000"}'),
        message(userTopic('u'), '{}', 'control'),
        message(instancesTopic, `"${'x'.repeat(200_000)}"`, 'control'),
      ]
      await listener.subscribe([A, userTopic('u'), instancesTopic])
      const got: BusMessage[] = []
      listener.onMessage((one) => got.push({ topic: one.topic, kind: one.kind, payload: one.payload }))
      publisher.publish(sent)
      for (let i = 0; i < 500 && got.length < sent.length; i++) await Bun.sleep(2)
      await Bun.sleep(20)
      const byTopic = (a: BusMessage, b: BusMessage) => a.topic.localeCompare(b.topic)
      expect(got.sort(byTopic)).toEqual(sent.sort(byTopic))
    })

    it('delivers to the publishing instance, subscribed or not', async () => {
      const { until } = collect(publisher)
      publisher.publish([message(A, 'one')])
      expect(await until(1)).toEqual(['one'])
      await publisher.subscribe([A])
      publisher.publish([message(A, 'two')])
      await until(2)
      publisher.unsubscribe([A])
      publisher.publish([message(A, 'three')])
      await until(3)
      await Bun.sleep(20)
      // Subscribing makes no second copy.
      expect(await until(3)).toEqual(['one', 'two', 'three'])
    })

    it('has subscribed when subscribe resolves', async () => {
      const { until } = collect(listener)
      for (let n = 0; n < 20; n++) {
        const topic = n % 2 ? A : B
        await listener.subscribe([topic])
        publisher.publish([message(topic, `${n}`)])
        expect((await until(n + 1)).length).toBe(n + 1)
        listener.unsubscribe([topic])
      }
    })

    it('counts subscriptions: a topic is heard until each is taken back', async () => {
      const { until } = collect(listener)
      await Promise.all([listener.subscribe([A, B]), listener.subscribe([A])])
      listener.unsubscribe([A, B])
      publisher.publish([message(A, 'still')])
      expect(await until(1)).toEqual(['still'])
    })

    it('survives a subscription that is taken back before it is confirmed, and one of nothing', async () => {
      const { until } = collect(listener)
      const first = listener.subscribe([A])
      listener.unsubscribe([A])
      const second = listener.subscribe([A])
      await Promise.all([first, second, listener.subscribe([])])
      listener.unsubscribe([])
      publisher.publish([message(A, 'heard')])
      expect(await until(1)).toEqual(['heard'])
    })

    it('survives an unsubscribe too many: the next subscription counts in full', async () => {
      const { until } = collect(listener)
      await listener.subscribe([A])
      listener.unsubscribe([A, A])
      listener.unsubscribe([A, B])
      await listener.subscribe([A])
      publisher.publish([message(A, 'heard')])
      expect(await until(1)).toEqual(['heard'])
    })

    it('tells all listeners, though one of them throws', async () => {
      await listener.subscribe([A])
      listener.onMessage(() => {
        throw new Error('a faulty listener')
      })
      const { until } = collect(listener)
      publisher.publish([message(A, 'one'), message(A, 'two')])
      expect(await until(2)).toEqual(['one', 'two'])
    })

    it('keeps the order when a listener publishes', async () => {
      await publisher.subscribe([A])
      publisher.onMessage(({ payload }) => {
        if (payload === 'first') publisher.publish([message(A, 'answer')])
      })
      await listener.subscribe([A])
      const [here, there] = [collect(publisher, [A]), collect(listener, [A])]
      publisher.publish([message(A, 'first'), message(A, 'second')])
      expect(await here.until(3)).toEqual(['first', 'second', 'answer'])
      expect(await there.until(3)).toEqual(['first', 'second', 'answer'])
    })

    it('never throws on publishing, not even when it is closed', async () => {
      expect(() => publisher.publish([])).not.toThrow()
      await publisher.close()
      expect(() => publisher.publish([message(A, 'late')])).not.toThrow()
    })
  })
}
