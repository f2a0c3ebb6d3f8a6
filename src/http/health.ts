/** /health: is the process up; /health/ready: can it serve, part by part. */
import { Elysia, t } from 'elysia'
import type { Log } from '../observability/log.ts'

/** Resolves when the part works; rejects when it does not. */
export type Probe = () => Promise<unknown>

const PROBE_WITHIN_MS = 2000

const Ready = t.Object({
  status: t.UnionEnum(['ready', 'not ready']),
  parts: t.Record(t.String(), t.UnionEnum(['ok', 'failing', 'stopping', 'missing'])),
})
const tags = ['Operation']

export interface HealthOptions {
  /** Without any of these the server cannot serve. */
  probes: Record<string, Probe>
  /** Told, but the server serves without them. */
  optional: Record<string, Probe>
  /** Told too: what is not installed, and need not be. */
  missing: readonly string[]
  isLeaving(): boolean
  log: Log
}

export const healthRoutes = ({ probes, optional, missing, isLeaving, log }: HealthOptions) =>
  new Elysia()
    .get('/health', () => ({ status: 'ok' as const }), {
      response: t.Object({ status: t.Literal('ok') }),
      detail: { tags, summary: 'The process is up' },
    })
    .get(
      '/health/ready',
      async ({ status }) => {
        const [needed, others] = await Promise.all([examineAll(probes, log), examineAll(optional, log)])
        const isReady = !isLeaving() && Object.values(needed).every((part) => part === 'ok')
        const absent = Object.fromEntries(missing.map((name) => [name, 'missing' as const]))
        const parts = { ...needed, ...others, ...absent, ...(isLeaving() && { server: 'stopping' as const }) }
        return isReady ? status(200, { status: 'ready', parts }) : status(503, { status: 'not ready', parts })
      },
      {
        response: { 200: Ready, 503: Ready },
        detail: {
          tags,
          summary: 'The server can serve',
          description: 'Part by part. Without Redis it can: on this instance alone; and without ffmpeg.',
        },
      },
    )

async function examineAll(probes: Record<string, Probe>, log: Log): Promise<Record<string, 'ok' | 'failing'>> {
  const answers = Object.entries(probes).map(async ([name, probe]) => [name, await examine(name, probe, log)] as const)
  return Object.fromEntries(await Promise.all(answers))
}

async function examine(name: string, probe: Probe, log: Log): Promise<'ok' | 'failing'> {
  try {
    await Promise.race([probe(), Bun.sleep(PROBE_WITHIN_MS).then(() => Promise.reject(new Error('no answer in time')))])
    return 'ok'
  } catch (error) {
    log.warn('A part of the server fails', { part: name, error })
    return 'failing'
  }
}
