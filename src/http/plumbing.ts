/** What every request goes through: its id, its log line, its errors. */
import { Elysia } from 'elysia'
import { type AppError, internalError, routeNotFound } from '../errors.ts'
import { type Log, quote } from '../observability/log.ts'
import type { Metrics } from '../observability/metrics.ts'
import { toAppError } from './errors.ts'
import { createRequestMeter } from './request-metrics.ts'

interface Arrival {
  id: string
  at: number
}

const REQUEST_ID = 'x-request-id'

/** With a Host that is none, the URL of a request is what its first line says. */
const PATH = /^(?:https?:\/\/[^/?#]*)?([^?#]*)/
const pathOf = (url: string): string => PATH.exec(url)?.[1] ?? ''

/** How the log tells of a URL. */
interface Place {
  /** JSON, without secrets. */
  path: string
  isProbe: boolean
}

const MAX_PLACES = 1000
const MAX_URL = 256

/** Most requests are for the same few URLs, each of which is read once. A query is different each time, or secret. */
function createPlaces(): (url: string) => Place {
  const known = new Map<string, Place>()
  return (url) => {
    const found = known.get(url)
    if (found) return found
    const path = pathOf(url)
    const place = { path: quote(path), isProbe: path === '/health' || path === '/health/ready' }
    if (url.length > MAX_URL || url.includes('?')) return place
    if (known.size >= MAX_PLACES) known.clear()
    known.set(url, place)
    return place
  }
}

/** Mount it before every route. */
export function createPlumbing(log: Log, metrics: Metrics) {
  const note = createRequestMeter(metrics)
  const tell = log.prepare('info', 'request')
  const tellOfProbe = log.prepare('debug', 'request')
  const placeOf = createPlaces()
  const arrivals = new WeakMap<Request, Arrival>()

  /**
   * One line for each answered request. The path goes without its query, which may hold secrets. Whoever asks every second
   * whether the server is there would fill the log.
   */
  const record = (request: Request, route: string, status: number) => {
    const arrival = arrivals.get(request)
    if (!arrival) return
    arrivals.delete(request)
    const ms = performance.now() - arrival.at
    const { method } = request
    note(method, route, status, ms)
    const { path, isProbe } = placeOf(request.url)
    const write = isProbe && status < 400 ? tellOfProbe : tell
    const rounded = Math.round(ms * 10) / 10
    // As it came: a method that is no token (RFC 9110, 9.1) does not come so far.
    write(`"request_id":"${arrival.id}","method":"${method}","path":${path},"status":${status},"ms":${rounded}`)
  }

  return new Elysia({ name: 'plumbing' })
    .onRequest(({ request, set }) => {
      const id = Bun.randomUUIDv7()
      arrivals.set(request, { id, at: performance.now() })
      set.headers[REQUEST_ID] = id
      set.headers['x-content-type-options'] = 'nosniff'
    })
    .onError({ as: 'global' }, ({ request, error, code, set }) => {
      const known = code === 'NOT_FOUND' ? routeNotFound() : toAppError(error)
      const id = arrivals.get(request)?.id ?? ''
      if (!known) log.error('A request failed', { request_id: id, path: pathOf(request.url), error })
      const told: AppError = known ?? internalError(id)
      const retryAfter = told.details.retry_after
      if (typeof retryAfter === 'number') set.headers['retry-after'] = String(retryAfter)
      // What is still to come of the body would come as slowly.
      if (told.status === 408) set.headers.connection = 'close'
      // A refusal may tell of whoever asked.
      set.headers['cache-control'] ??= 'no-store'
      set.status = told.status
      return told.toJSON()
    })
    .onAfterResponse({ as: 'global' }, ({ request, route, set, response }) => {
      const status = response instanceof Response ? response.status : set.status
      record(request, route, typeof status === 'number' ? status : 200)
    })
}
