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

export function healthRoutes({ probes, optional, missing, isLeaving, log }: HealthOptions) {
  const note = createNotes(log)
  return new Elysia()
    .get('/health', () => ({ status: 'ok' as const }), {
      response: t.Object({ status: t.Literal('ok') }),
      detail: { tags, summary: 'The process is up' },
    })
    .get(
      '/health/ready',
      async ({ status }) => {
        const [needed, others] = await Promise.all([examineAll(probes, note), examineAll(optional, note)])
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
          description:
            'Part by part. Without Redis it can: on this instance alone; and without ffmpeg, or a read replica.',
        },
      },
    )
}

type Note = (part: string, fault: unknown) => void

/** Tells the log of each fault once, and of its end: a proxy asks every few seconds. */
function createNotes(log: Log): Note {
  const failing = new Set<string>()
  return (part, fault) => {
    const wasFailing = failing.has(part)
    if (fault === undefined && failing.delete(part)) log.info('A part of the server works again', { part })
    if (fault === undefined || wasFailing) return
    failing.add(part)
    log.warn('A part of the server fails', { part, error: fault })
  }
}

async function examineAll(probes: Record<string, Probe>, note: Note): Promise<Record<string, 'ok' | 'failing'>> {
  const answers = Object.entries(probes).map(async ([name, probe]) => [name, await examine(name, probe, note)] as const)
  return Object.fromEntries(await Promise.all(answers))
}

async function examine(name: string, probe: Probe, note: Note): Promise<'ok' | 'failing'> {
  try {
    await Promise.race([probe(), Bun.sleep(PROBE_WITHIN_MS).then(() => Promise.reject(new Error('no answer in time')))])
    note(name, undefined)
    return 'ok'
  } catch (error) {
    note(name, error)
    return 'failing'
  }
}
