/** Counts what the bus brings to this instance's sockets. */
import type { Metrics } from '../observability/metrics.ts'
import type { Bus } from './bus.ts'

export function measureBus(metrics: Metrics, bus: Bus): void {
  const events = metrics.counter('messenger_events_total', 'Events given to the fan-out of this instance.')
  bus.onMessage(({ kind }) => {
    if (kind === 'event') events.inc()
  })
}
