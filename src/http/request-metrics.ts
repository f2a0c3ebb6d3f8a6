/** What is counted of every request: by the pattern of its route, never by its path. */
import { LATENCIES, type Metrics } from '../observability/metrics.ts'

export type NoteRequest = (method: string, route: string | undefined, status: number, ms: number) => void

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

export function createRequestMeter(metrics: Metrics): NoteRequest {
  const requests = metrics.counters('messenger_http_requests_total', 'Answered requests.', [
    'method',
    'route',
    'status',
  ])
  const seconds = metrics.histograms(
    'messenger_http_request_seconds',
    'From the arrival of a request to its answer.',
    LATENCIES,
    ['method', 'route'],
  )
  return (given, route, status, ms) => {
    const method = METHODS.has(given) ? given : 'other'
    const pattern = route || 'none'
    requests(method, pattern, String(status)).inc()
    seconds(method, pattern).observe(ms / 1000)
  }
}
