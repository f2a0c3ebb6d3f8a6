/** `messenger serve`: the server, from the first line of its log to the last. */
import { createApp } from '../app.ts'
import { createMemoryBus } from '../bus/memory.ts'
import { type Config, listUnusedSettings } from '../config.ts'
import type { Log } from '../observability/log.ts'
import { holdInstanceLock } from './instance-lock.ts'
import { loadSecret, openPostgres, runMigrations } from './parts.ts'

export interface Serving {
  port: number
  /** Stops taking requests, answers those under way, closes sockets with 1001, stores what waits, stops the database. */
  stop(): Promise<void>
}

/** What Bun refuses with a bare 413; routes refuse far less, with an answer. */
const MAX_BODY_BYTES = 1024 ** 3
/** Requests under way get so long to end. */
const DRAIN_MS = 8000

/** @param onFatal told when the server cannot go on */
export async function serve(config: Config, log: Log, onFatal: (reason: string) => void): Promise<Serving> {
  const unused = listUnusedSettings()
  if (unused.length > 0) log.warn('Settings that this version does not use yet', { settings: unused })
  if (config.RATE_LIMITS === 'off') log.warn('Rate limits are off: this is for load tests alone')
  const started = performance.now()
  const postgres = await openPostgres(config, log)
  const undo: (() => Promise<unknown>)[] = [postgres.stop]
  try {
    return await start()
  } catch (error) {
    for (const step of undo.reverse()) await step().catch((fault) => log.warn('Could not clean up', { error: fault }))
    throw error
  }

  async function start(): Promise<Serving> {
    const secret = await loadSecret(config)
    const lock = postgres.connect({ poolMax: 1, name: 'messenger lock' })
    const releaseLock = await holdInstanceLock(lock, log, () =>
      onFatal('another messenger took over this database'),
    ).catch(async (error) => {
      await lock.close()
      throw error
    })
    undo.push(releaseLock)
    await runMigrations(postgres, log)

    const database = postgres.connect({ poolMax: config.DATABASE_POOL_MAX, name: 'messenger' })
    undo.push(() => database.close())
    const writerDatabase = postgres.connect({
      poolMax: 1,
      name: 'messenger writer',
      // A chat that somebody keeps locked may hold up the messages of all others no longer than this.
      startup: { enable_seqscan: false, lock_timeout: '1s' },
    })
    undo.push(() => writerDatabase.close())
    const bus = createMemoryBus(log)
    undo.push(() => bus.close())
    const app = createApp({ config, secret, database, writerDatabase, bus, log })

    app.http.listen({
      port: config.PORT,
      hostname: config.HOST,
      websocket: app.gateway.websocket,
      maxRequestBodySize: MAX_BODY_BYTES,
      // A port in use is an error, not something to share.
      reusePort: false,
      development: false,
    })
    const { server } = app.http
    if (!server?.port) throw new Error('The server did not start to listen')
    app.fanout.attach(server)
    log.info('messenger is ready', {
      url: `http://${config.HOST === '0.0.0.0' ? 'localhost' : config.HOST}:${server.port}`,
      docs: '/swagger',
      database:
        postgres.kind === 'embedded' ? `embedded PostgreSQL in ${config.DATA_DIR}` : 'PostgreSQL of DATABASE_URL',
      bus: 'in this process',
      ms: Math.round(performance.now() - started),
    })

    let stopping: Promise<void> | undefined
    const stop = async () => {
      log.info('messenger stops')
      app.gateway.drain()
      // No new connections; those under way get their time.
      await Promise.race([server.stop(), Bun.sleep(DRAIN_MS)])
      await app.settle().catch((error) => log.error('Could not store what was waiting', { error }))
      app.stop()
      await server.stop(true)
      for (const step of undo.reverse())
        await step().catch((error) => log.warn('A part did not stop cleanly', { error }))
      log.info('messenger has stopped')
    }
    return {
      port: server.port,
      stop: () => {
        stopping ??= stop()
        return stopping
      },
    }
  }
}
