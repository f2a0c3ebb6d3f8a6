/** `messenger backup` and `messenger restore`: their arguments, and what they need around them. */
import { mkdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { version } from '../../package.json'
import { createLocalTarget } from '../backup/local-target.ts'
import { findSets, restoreDatabase, restoreMedia, type VerifiedSet, verifySet } from '../backup/read.ts'
import { forgetOldSets } from '../backup/retention.ts'
import { createS3Target } from '../backup/s3-target.ts'
import { isSetName, PARTS, type Part } from '../backup/set.ts'
import type { BackupTarget } from '../backup/target.ts'
import { writeSet } from '../backup/write.ts'
import type { Config } from '../config.ts'
import { holdBackups } from '../db/backup-lock.ts'
import type { Database } from '../db/client.ts'
import { requireEmpty } from '../db/load.ts'
import { holdFiles } from '../features/media/retention.ts'
import type { Log } from '../observability/log.ts'
import { holdInstanceLock } from './instance-lock.ts'
import { joinPostgres, openStorage, type Postgres, runMigrations } from './parts.ts'

const BACKUP_HELP = `Usage: messenger backup DIR [--only database|media]

Keeps the database and the files of messages in DIR, a folder or s3://bucket/folder, as of one moment, while the server
runs. Each run makes a set named after its time; files of messages are kept once for all sets. A set is whole when its
SHA256SUMS is there. Sets older than BACKUP_KEEP_DAYS (30) are removed when a newer one of the same parts is whole.

DIR holds what users wrote and their passwords' hashes. It does not hold JWT_SECRET: keep that elsewhere.

Exit codes: 0 done, 1 failed (nothing is left of the set), 2 not understood.
`

const RESTORE_HELP = `Usage: messenger restore DIR [--only database|media] [--check]

Restores the newest whole set in DIR, a folder or s3://bucket/folder; or one of its sets: DIR/2026-01-15T03-00-00Z. Of the
database and the files each comes from the newest set that has it. Everything is read and compared with its hash before
anything is written. The database must be empty; it is filled in one transaction, and then brought to this version's schema.

  --check   only compare

Exit codes: 0 done, 1 failed, 2 not understood.
`

const NOT_UNDERSTOOD = 2

export interface Out {
  write(text: string): void
  writeError(text: string): void
}

interface Order {
  address: string
  /** The one that `address` named. */
  set: string | undefined
  parts: readonly Part[]
  isCheck: boolean
}

/** @returns the exit code */
export async function backup(args: string[], config: Config, log: Log, out: Out): Promise<number> {
  const order = understand(args, BACKUP_HELP, out)
  if (typeof order === 'number') return order
  const target = await openTarget(order, config)
  const postgres = await joinPostgres(config, log)
  try {
    const database = postgres.connect({ poolMax: 3, name: 'messenger backup', statementTimeoutSeconds: 0 })
    // With a lost connection its lock is gone, too.
    const letGo = (of: () => Promise<void>) => of().catch((error) => log.debug('A lock was gone', { error }))
    try {
      const ofBackups = await holdBackups(database.sql)
      const ofFiles = await holdFiles(database.sql)
      try {
        await keep(order, config, { target, database, log, out })
      } finally {
        await letGo(ofFiles)
        await letGo(ofBackups)
      }
    } finally {
      await database.close()
    }
  } finally {
    await postgres.stop()
  }
  return 0
}

interface Means {
  target: BackupTarget
  database: Database
  log: Log
  out: Out
}

async function keep({ parts }: Order, config: Config, { target, database, log, out }: Means): Promise<void> {
  const storage = await openStorage(config, log)
  const now = new Date()
  const { set, manifest, copied } = await writeSet({ target, parts, database, storage, version, now, log })
  const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0)
  if (parts.includes('database')) out.write(`${manifest.tables.length} tables, ${rows} rows\n`)
  if (parts.includes('media')) out.write(`${manifest.media.files} files, ${copied} of them new\n`)
  out.write(`Backed up to ${target.address}/${set}\n`)
  const forgotten = await forgetOldSets({ target, keepDays: config.BACKUP_KEEP_DAYS, parts, now })
  for (const old of forgotten) out.write(`Removed ${old}: older than ${config.BACKUP_KEEP_DAYS} days\n`)
}

/** @returns the exit code */
export async function restore(args: string[], config: Config, log: Log, out: Out): Promise<number> {
  const order = understand(args, RESTORE_HELP, out)
  if (typeof order === 'number') return order
  const target = await openTarget(order, config)
  const verified = new Map<Part, VerifiedSet>()
  for (const [part, set] of await findSets(target, order.parts, order.set)) {
    verified.set(part, await verifySet(target, set, part))
    out.write(`${set}: ${part} is as it was written\n`)
  }
  for (const part of order.parts) if (!verified.has(part)) out.write(`There is no backup of: ${part}\n`)
  if (order.isCheck) return 0

  const restoreFiles = async (set: VerifiedSet) => {
    const restored = await restoreMedia(
      target,
      set,
      await openStorage(config, log),
      join(config.DATA_DIR, 'media/work'),
    )
    out.write(`Restored ${restored} files\n`)
  }
  const [ofDatabase, ofMedia] = [verified.get('database'), verified.get('media')]
  if (!ofDatabase) {
    if (ofMedia) await restoreFiles(ofMedia)
    return 0
  }
  const postgres = await joinPostgres(config, log)
  try {
    await alone(postgres, log, async () => {
      const database = postgres.connect({ poolMax: 1, name: 'messenger restore', statementTimeoutSeconds: 0 })
      try {
        await requireEmpty(database.sql)
        // The files first: a failure among them leaves the database empty, for another try.
        if (ofMedia) await restoreFiles(ofMedia)
        await restoreDatabase(target, ofDatabase, database, log)
      } finally {
        await database.close({ timeoutSeconds: 0 })
      }
      await runMigrations(postgres, log)
    })
  } finally {
    await postgres.stop()
  }
  out.write(`Restored ${ofDatabase.manifest.tables.length} tables of ${ofDatabase.set}\n`)
  return 0
}

/** No server works on the database meanwhile. @throws InstanceLockHeld */
async function alone(postgres: Postgres, log: Log, work: () => Promise<void>): Promise<void> {
  const database = postgres.connect({ poolMax: 1, name: 'messenger lock' })
  const lock = await holdInstanceLock(database, log, { isAlone: true, onLost: () => {} }).catch(async (error) => {
    await database.close()
    throw error
  })
  try {
    await work()
  } finally {
    await lock.release()
  }
}

/** @returns what to do, or the exit code when there is nothing to do */
function understand(args: string[], help: string, out: Out): Order | number {
  const refuse = (why: string) => {
    out.writeError(`${why}\n\n${help}`)
    return NOT_UNDERSTOOD
  }
  let parsed: ReturnType<typeof parse>
  try {
    parsed = parse(args)
  } catch (error) {
    return refuse(error instanceof Error ? error.message : 'The arguments were not understood')
  }
  const { values, positionals } = parsed
  if (values.help) {
    out.write(help)
    return 0
  }
  const [address, ...rest] = positionals
  const parts = PARTS.filter((part) => values.only === undefined || values.only === part)
  if (address === undefined || address === '') return refuse('Where? DIR is missing')
  if (rest.length > 0) return refuse(`Too many arguments: ${rest.join(' ')}`)
  if (parts.length === 0) return refuse('--only takes database or media')
  if (values.check && help === BACKUP_HELP) return refuse('--check belongs to restore')
  const name = basename(address)
  const isSet = isSetName(name)
  if (isSet && help === BACKUP_HELP) return refuse('DIR is where the sets are, not one of them')
  return {
    address: isSet ? dirname(address) : address,
    set: isSet ? name : undefined,
    parts,
    isCheck: values.check ?? false,
  }
}

const parse = (args: string[]) =>
  parseArgs({
    args,
    allowPositionals: true,
    options: { only: { type: 'string' }, check: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  })

async function openTarget({ address }: Order, config: Config): Promise<BackupTarget> {
  if (!address.startsWith('s3:')) return createLocalTarget(address)
  const { BACKUP_S3_ACCESS_KEY_ID: accessKeyId, BACKUP_S3_SECRET_ACCESS_KEY: secretAccessKey } = config
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw new Error('For s3:// set BACKUP_S3_ACCESS_KEY_ID and BACKUP_S3_SECRET_ACCESS_KEY')
  const workFolder = join(config.DATA_DIR, 'backup-work')
  await mkdir(workFolder, { recursive: true, mode: 0o700 })
  return createS3Target({
    url: address,
    endpoint: config.BACKUP_S3_ENDPOINT,
    region: config.BACKUP_S3_REGION,
    accessKeyId,
    secretAccessKey,
    workFolder,
  })
}
