/** What commands share: the database, and a connection to it. */
import { chmod, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { connectDatabase, type Database, type DatabaseOptions } from '../db/client.ts'
import { migrate } from '../db/migrate.ts'
import { startEmbeddedPostgres } from '../embedded/postgres.ts'
import { findRunningPostgres } from '../embedded/running.ts'
import { type FfmpegPaths, locateFfmpeg } from '../features/media/ffmpeg.ts'
import type { Log } from '../observability/log.ts'
import { createLocalStorage } from '../storage/local.ts'
import { createS3Storage } from '../storage/s3.ts'
import type { Storage } from '../storage/storage.ts'

/** Where PostgreSQL is, and how to let go of it. */
export interface Postgres {
  kind: 'embedded' | 'external'
  connect(options: Omit<DatabaseOptions, 'url' | 'socket'>): Database
  stop(): Promise<void>
}

const MIN_SECRET_BYTES = 32
const nothing = () => Promise.resolve()

/** The database of DATABASE_URL, or an embedded one, which must not be running yet. */
export async function openPostgres(config: Config, log: Log): Promise<Postgres> {
  const { DATABASE_URL: url, DATA_DIR: dataDir } = config
  if (url !== undefined) {
    return { kind: 'external', connect: (options) => connectDatabase({ ...options, url }), stop: nothing }
  }
  const embedded = await startEmbeddedPostgres({ dataDir, log, maxConnections: config.DATABASE_POOL_MAX + 30 })
  return {
    kind: 'embedded',
    connect: (options) => connectDatabase({ ...options, socket: embedded }),
    stop: embedded.stop,
  }
}

/** The same for a command that works beside a running server: its embedded database is used as it is. */
export async function joinPostgres(config: Config, log: Log): Promise<Postgres> {
  const socket = config.DATABASE_URL === undefined ? await findRunningPostgres(config.DATA_DIR) : undefined
  if (!socket) return openPostgres(config, log)
  return { kind: 'embedded', connect: (options) => connectDatabase({ ...options, socket }), stop: nothing }
}

/** Migrations may take long: no statement of theirs is cut off. @returns what was run */
export async function runMigrations(postgres: Postgres, log: Log): Promise<string[]> {
  const database = postgres.connect({ poolMax: 1, name: 'messenger migrate', statementTimeoutSeconds: 0 })
  try {
    return await migrate(database.sql, log)
  } finally {
    await database.close()
  }
}

/** Where files are kept: in DATA_DIR/media, or with a service that speaks S3. */
export async function openStorage(config: Config, log: Log): Promise<Storage> {
  const { S3_ENDPOINT: endpoint, S3_BUCKET: bucket, S3_REGION: region = '' } = config
  const { S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = config
  if (config.MEDIA_STORAGE === 'local') return createLocalStorage(join(config.DATA_DIR, 'media'))
  if (!endpoint || !bucket || !accessKeyId || !secretAccessKey) throw new Error('MEDIA_STORAGE=s3 lacks settings')
  return createS3Storage({ endpoint, bucket, region, accessKeyId, secretAccessKey, log })
}

/**
 * ffmpeg, if there is one: without it videos and sounds are served as they were sent.
 * @throws Error when FFMPEG_PATH leads to none
 */
export async function findFfmpeg(config: Config): Promise<FfmpegPaths | undefined> {
  const paths = await locateFfmpeg(config.FFMPEG_PATH)
  if (config.FFMPEG_PATH && !paths)
    throw new Error(`FFMPEG_PATH is not ffmpeg with ffprobe beside it: ${config.FFMPEG_PATH}`)
  return paths
}

/** JWT_SECRET, or with the embedded database one that is made once and kept in DATA_DIR. */
export async function loadSecret(config: Config): Promise<string> {
  if (config.JWT_SECRET !== undefined) return config.JWT_SECRET
  const path = join(config.DATA_DIR, 'jwt-secret')
  await mkdir(config.DATA_DIR, { recursive: true })
  const made = Buffer.from(crypto.getRandomValues(new Uint8Array(48))).toString('base64url')
  const draft = `${path}.${process.pid}`
  try {
    await writeFile(draft, `${made}\n`, { mode: 0o600 })
    // A link appears whole or not at all, and never over an existing file.
    await link(draft, path)
    return made
  } catch (error) {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    if (!isThere) throw error
  } finally {
    await rm(draft, { force: true })
  }
  await chmod(path, 0o600)
  const kept = (await readFile(path, 'utf8')).trim()
  if (Buffer.byteLength(kept) < MIN_SECRET_BYTES) {
    throw new Error(
      `${path} holds no secret of ${MIN_SECRET_BYTES} bytes: remove it for a new one, which ends all sessions`,
    )
  }
  return kept
}
