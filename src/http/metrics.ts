/** GET /metrics, for whoever holds METRICS_TOKEN; without one, for programs on this very machine. */
import { timingSafeEqual } from 'node:crypto'
import { Elysia } from 'elysia'
import { type AppError, notSignedIn, routeNotFound } from '../errors.ts'
import type { Metrics } from '../observability/metrics.ts'

export interface MetricsOptions {
  metrics: Metrics
  token: string | undefined
}

interface Arrival {
  request: Request
  server: { requestIP(request: Request): { address: string } | null } | null
}

/** A page of a foreign name that was made to lead here (DNS rebinding) brings its name along. */
const LOCAL_HOST = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/i
const LOOPBACK = /^(::1|(::ffff:)?127\.\d+\.\d+\.\d+)$/i
/** Any of them says that a proxy stands between. */
const FORWARDING = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip']
const TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export const metricsRoutes = ({ metrics, token }: MetricsOptions) =>
  new Elysia().get(
    '/metrics',
    async ({ request, server, set }) => {
      const refusal = token === undefined ? refuseRemote({ request, server }) : refuseStranger(request, token)
      if (refusal) throw refusal
      set.headers['cache-control'] = 'no-store'
      set.headers['content-type'] = TYPE
      return metrics.print()
    },
    { detail: { hide: true } },
  )

/** As if there were nothing: who may not see it need not know. */
function refuseRemote({ request, server }: Arrival): AppError | undefined {
  const isLocal = LOOPBACK.test(server?.requestIP(request)?.address ?? '')
  const isDirect = FORWARDING.every((name) => !request.headers.has(name))
  const isCalledSo = LOCAL_HOST.test(request.headers.get('host') ?? '')
  return isLocal && isDirect && isCalledSo ? undefined : routeNotFound()
}

function refuseStranger({ headers }: Request, token: string): AppError | undefined {
  const given = /^bearer +(\S+)$/i.exec(headers.get('authorization') ?? '')?.[1]
  return given !== undefined && timingSafeEqual(digest(given), digest(token)) ? undefined : notSignedIn()
}

/** Of one length, whatever was given. */
const digest = (text: string) => new Bun.CryptoHasher('sha256').update(text).digest()
