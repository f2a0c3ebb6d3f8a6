/** /health: is the process up; /health/ready: can it serve, part by part. */
import { Elysia, t } from 'elysia'
import type { Log } from '../observability/log.ts'

/** Resolves when the part works; rejects when it does not. */
export type Probe = () => Promise<unknown>

const PROBE_WITHIN_MS = 2000

const Ready = t.Object({
  status: t.UnionEnum(['ready', 'not ready']),
  parts: t.Record(t.String(), t.UnionEnum(['ok', 'failing', 'stopping'])),
})
const tags = ['Operation']

export const healthRoutes = ({
  probes,
  isDraining,
  log,
}: {
  probes: Record<string, Probe>
  isDraining(): boolean
  log: Log
}) =>
  new Elysia()
    .get('/health', () => ({ status: 'ok' as const }), {
      response: t.Object({ status: t.Literal('ok') }),
      detail: { tags, summary: 'The process is up' },
    })
    .get(
      '/health/ready',
      async ({ status }) => {
        const parts = Object.fromEntries(
          await Promise.all(
            Object.entries(probes).map(async ([name, probe]) => [name, await examine(name, probe, log)] as const),
          ),
        )
        if (isDraining()) parts.server = 'stopping'
        const isReady = Object.values(parts).every((part) => part === 'ok')
        return isReady ? status(200, { status: 'ready', parts }) : status(503, { status: 'not ready', parts })
      },
      {
        response: { 200: Ready, 503: Ready },
        detail: { tags, summary: 'The server can serve', description: 'Part by part.' },
      },
    )

async function examine(name: string, probe: Probe, log: Log): Promise<'ok' | 'failing' | 'stopping'> {
  try {
    await Promise.race([probe(), Bun.sleep(PROBE_WITHIN_MS).then(() => Promise.reject(new Error('no answer in time')))])
    return 'ok'
  } catch (error) {
    log.warn('A part of the server fails', { part: name, error })
    return 'failing'
  }
}
