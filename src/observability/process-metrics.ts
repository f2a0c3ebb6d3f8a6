/** What the process itself costs, under the names that Prometheus's own clients use, and how late its event loop is. */
import { readdir } from 'node:fs/promises'
import { LATENCIES, type Metrics } from './metrics.ts'

const LAG_EVERY_MS = 500

/** @returns what ends the measuring */
export function measureProcess(metrics: Metrics, version: string): () => void {
  metrics.gauge('messenger_build_info', 'The version that runs.', () => [{ labels: [version], value: 1 }], {
    labels: ['version'],
  })
  metrics.gauge(
    'process_start_time_seconds',
    'When the process started, in Unix seconds.',
    () => Date.now() / 1000 - process.uptime(),
  )
  metrics.gauge('process_cpu_seconds_total', 'Processor time used by the server itself.', cpuSeconds, {
    type: 'counter',
  })
  metrics.gauge('process_resident_memory_bytes', 'Memory of the server itself.', () => process.memoryUsage.rss())
  metrics.gauge('process_open_fds', 'Open files and connections.', async () => (await readdir('/proc/self/fd')).length)
  metrics.gauge('messenger_heap_bytes', 'Memory of JavaScript objects.', () => process.memoryUsage().heapUsed)

  const lag = metrics.histogram(
    'messenger_event_loop_lag_seconds',
    'How much later than asked a timer fires: what everything else waits, too.',
    LATENCIES,
  )
  let due = performance.now() + LAG_EVERY_MS
  const timer = setInterval(() => {
    const now = performance.now()
    lag.observe(Math.max(0, now - due) / 1000)
    due = now + LAG_EVERY_MS
  }, LAG_EVERY_MS)
  timer.unref()
  return () => clearInterval(timer)
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
