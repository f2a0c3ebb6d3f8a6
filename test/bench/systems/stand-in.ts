/** What a user would write instead: socket.io, express and pg, on Node where there is one. Its packages are its own. */
import { createHmac } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { connectDatabase } from '../../../src/db/client.ts'
import type { Undo } from '../part.ts'
import type { BenchPostgres } from './postgres.ts'
import { type BenchServer, startProgram } from './server.ts'

export type Variant = 'plain' | 'tuned' | 'guarantees'

export interface StandInPeople {
  userIds: readonly string[]
  chats: readonly { id: string; userIds: readonly string[] }[]
}

export interface StandIn extends BenchServer {
  tokenOf(userId: string): string
}

const FOLDER = join(import.meta.dir, '../stand-in')
const SECRET = 'a secret of the stand-in, long enough to be one'
/** The package's own default; the part `pools` compares others. */
export const POOL_MAX = 10

/** Where Node is missing the run.sh that started us puts a Bun by its name: that one is no Node. */
export function findRuntime(): { command: string; name: string } {
  const node = Bun.which('node')
  const version = node && Bun.spawnSync([node, '-p', 'process.versions.bun ? "" : process.version']).stdout.toString()
  return node && version?.startsWith('v')
    ? { command: node, name: `Node ${version.trim().slice(1)}` }
    : { command: process.execPath, name: `Bun ${Bun.version}` }
}

/** By its own lock file, into its own folder; what is there already is only checked. */
export async function installStandIn(): Promise<void> {
  const run = () =>
    Bun.spawnSync([process.execPath, 'install', '--frozen-lockfile', '--ignore-scripts', '--no-progress'], {
      cwd: FOLDER,
      stdout: 'ignore',
      stderr: 'pipe',
    })
  let { exitCode, stderr } = run()
  if (exitCode !== 0) {
    await rm(join(FOLDER, 'node_modules'), { recursive: true, force: true })
    ;({ exitCode, stderr } = run())
  }
  if (exitCode !== 0) throw new Error(`The stand-in's packages can't be installed: ${stderr}`)
}

export async function startStandIn(
  postgres: BenchPostgres,
  undo: Undo,
  variant: Variant,
  people: StandInPeople,
  poolMax = POOL_MAX,
): Promise<StandIn> {
  await installStandIn()
  const { url, environment } = await postgres.createDatabase(`stand_in_${variant}`)
  await fill(url, variant, people)
  const env = { ...environment, VARIANT: variant, SECRET, POOL_MAX: String(poolMax), NODE_ENV: 'production' }
  const server = await startProgram(variant, [findRuntime().command, join(FOLDER, 'server.js')], env)
  undo.add(server.stop)
  return { ...server, tokenOf: (userId) => signToken({ sub: userId }) }
}

async function fill(url: string, variant: Variant, { userIds, chats }: StandInPeople): Promise<void> {
  const { sql, close } = connectDatabase({ url, poolMax: 1, name: 'bench', statementTimeoutSeconds: 0 })
  await sql.unsafe(await Bun.file(join(FOLDER, 'schema.sql')).text())
  if (variant === 'guarantees') await sql`create unique index on messages (sender_id, chat_id, client_id)`
  await sql`insert into users (id, username) select id, 'user_' || n from unnest(${[...userIds]}::uuid[]) with ordinality u (id, n)`
  await sql`insert into chats (id) select unnest(${chats.map(({ id }) => id)}::uuid[])`
  const members = chats.flatMap(({ id, userIds: ids }) => ids.map((userId) => ({ id, userId })))
  await sql`
    insert into chat_members (chat_id, user_id)
    select * from unnest(${members.map(({ id }) => id)}::uuid[], ${members.map(({ userId }) => userId)}::uuid[])`
  await sql`analyze`
  await close()
}

/** A JSON Web Token by HS256 (RFC 7519). */
function signToken(claims: Record<string, unknown>): string {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = Math.floor(Date.now() / 1000)
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ ...claims, iat: now, exp: now + 86_400 })}`
  return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`
}
