import { expect, it } from 'bun:test'
import { createMemoryBus } from '../../src/bus/memory.ts'
import { chatTopic } from '../../src/bus/topics.ts'
import { createLog } from '../../src/observability/log.ts'
import { describeBus } from './contract.ts'

const silent = createLog('error', () => {})

describeBus('the bus in memory', async () => {
  // One instance is all there is.
  const bus = createMemoryBus(silent)
  return { connect: () => Promise.resolve(bus), close: () => bus.close() }
})

it('logs what a listener threw, with the topic and without the payload', () => {
  const lines: string[] = []
  const bus = createMemoryBus(createLog('debug', (line) => lines.push(line)))
  bus.onMessage(() => {
    throw new Error('a faulty listener')
  })
  bus.publish([{ topic: chatTopic('a'), kind: 'event', payload: 'something private' }])
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain('chat:a')
  expect(lines[0]).toContain('a faulty listener')
  expect(lines[0]).not.toContain('private')
})
