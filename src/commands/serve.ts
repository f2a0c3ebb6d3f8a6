/** `messenger serve`: the server, from the first line of its log to the last. */
import { version } from '../../package.json'
import { createApp } from '../app.ts'
import { measureBus } from '../bus/measure.ts'
import type { Config } from '../config.ts'
import { followDatabaseClock } from '../db/clock.ts'
import { createQueryMeter, measureServer } from '../db/measure.ts'
import { openReplicas } from '../db/replicas.ts'
import { writerStartup } from '../features/messages/writer.ts'
import type { Log } from '../observability/log.ts'
import { createMetrics, type Metrics } from '../observability/metrics.ts'
import { measureProcess } from '../observability/process-metrics.ts'
import { measureServices } from '../observability/service-metrics.ts'
import { holdInstanceLock } from './instance-lock.ts'
import { beAlone, type Instances } from './instances.ts'
import { findFfmpeg, loadSecret, openPostgres, openStorage, runMigrations } from './parts.ts'

export interface Serving {
  port: number
  /** Stops taking requests, answers those under way, closes sockets with 1001, stores what waits, stops the database. */
  stop(): Promise<void>
}

/** What Bun refuses with a bare 413: more than the largest album. Routes refuse with an answer. */
const maxBodyBytes = ({ MEDIA_MAX_BYTES_PREMIUM: bytes }: Config) => Math.max(1024 ** 3, 11 * bytes)
/** Requests under way get so long to end. */
const DRAIN_MS = 8000

/** @param onFatal told when the server cannot go on */
export async function serve(config: Config, log: Log, onFatal: (reason: string) => void): Promise<Serving> {
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
    const lockDatabase = postgres.connect({ poolMax: 1, name: 'messenger lock' })
    const lock = await holdInstanceLock(lockDatabase, log, {
      isAlone: config.REDIS_URL === undefined,
      onLost: () => onFatal('another messenger took over this database'),
    }).catch(async (error) => {
      await lockDatabase.close()
      throw error
    })
    undo.push(lock.release)
    await runMigrations(postgres, log)

    const metrics = createMetrics()
    const queries = createQueryMeter(metrics, log, config.SLOW_QUERY_MS)
    const database = postgres.connect({
      poolMax: config.DATABASE_POOL_MAX,
      name: 'messenger',
      onAnswered: queries.of('main'),
    })
    undo.push(() => database.close())
    const clock = await followDatabaseClock(database, log)
    undo.push(async () => clock.stop())
    const writerDatabase = postgres.connect({
      poolMax: 1,
      name: 'messenger writer',
      // A chat that somebody keeps locked may hold up the messages of all others no longer than this.
      startup: { ...writerStartup, lock_timeout: '1s' },
      onAnswered: queries.of('writer'),
    })
    queries.watch('main', database)
    queries.watch('writer', writerDatabase)
    measureServer(metrics, database)
    measureServices(metrics, { given: config.METRICS_CGROUPS })
    const stopMeasuring = measureProcess(metrics, version)
    undo.push(async () => stopMeasuring())
    undo.push(() => writerDatabase.close())
    const replicas = openReplicas({
      urls: config.DATABASE_REPLICA_URLS,
      poolMax: config.DATABASE_POOL_MAX,
      maxLagSeconds: config.DATABASE_REPLICA_MAX_LAG,
      ...{ primary: database, log, metrics, queries },
    })
    undo.push(replicas.close)
    const instances = await joinInstances(config.REDIS_URL, log, metrics)
    undo.push(instances.close)
    measureBus(metrics, instances.bus)
    metrics.gauge('messenger_is_runner', 'Whether this instance runs the jobs: 1 or 0.', () => Number(lock.isRunner()))
    const storage = await openStorage(config, log)
    const ffmpeg = await findFfmpeg(config)
    if (!ffmpeg) log.warn('Without ffmpeg videos and sounds are served as they were sent')
    await storage.check().catch((error) => log.error('Files can be neither stored nor read now', { error }))
    const app = createApp({
      ...instances,
      probes: { ...instances.probes, ...replicas.probes },
      config,
      secret,
      database,
      writerDatabase,
      replicas,
      storage,
      ffmpeg,
      isRunner: lock.isRunner,
      log,
      metrics,
      now: clock.now,
    })
    await app.avatars.followPublicUrl()

    app.http.listen({
      port: config.PORT,
      hostname: config.HOST,
      websocket: app.gateway.websocket,
      maxRequestBodySize: maxBodyBytes(config),
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
      instances: config.REDIS_URL === undefined ? 'this one alone' : 'several, by Redis',
      ms: Math.round(performance.now() - started),
    })

    let stopping: Promise<void> | undefined
    const stop = async () => {
      log.info('messenger stops', { afterSeconds: config.DRAIN_SECONDS })
      app.gateway.leave()
      await Bun.sleep(config.DRAIN_SECONDS * 1000)
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

async function joinInstances(redisUrl: string | undefined, log: Log, metrics: Metrics): Promise<Instances> {
  if (redisUrl === undefined) return beAlone(log)
  const { joinByRedis } = await import('./redis-instances.ts')
  return await joinByRedis(redisUrl, log, metrics)
}
