/** A server whose PostgreSQL has a replica, and what it says of that. */

import { startPrimary, type TestPrimary, type TestReplica } from '../support/replicated-postgres.ts'
import { startServer, type TestServer } from '../support/server.ts'

export interface ReplicatedServer {
  primary: TestPrimary
  replica: TestReplica
  server: TestServer
  /** Runs a statement in the server's database on the replica, as the superuser. */
  ask: (statement: string) => ReturnType<TestReplica['ask']>
  /** How many reads of the replica had this outcome so far. */
  reads(outcome: 'answered' | 'behind' | 'failed'): Promise<number>
  /** Resolves when the replica is used, or is not. */
  until(isUsed: boolean): Promise<void>
  /** What `/health/ready` says of it. */
  health(): Promise<{ status: number; part: string }>
  /** What the log said about replicas so far. */
  told(): string[]
  stop(): Promise<void>
}

export async function startReplicated(settings: Record<string, string> = {}): Promise<ReplicatedServer> {
  const primary = await startPrimary()
  const url = await primary.createDatabase()
  const replica = await primary.addReplica()
  const server = await startServer({
    DATABASE_URL: url,
    DATABASE_REPLICA_URLS: replica.urlOf(url),
    DATABASE_REPLICA_MAX_LAG: '2',
    ...settings,
  })
  const readMetric = async (series: string) => {
    const text = await (await fetch(`${server.url}/metrics`)).text()
    const line = text.split('\n').find((one) => one.startsWith(`${series} `))
    return Number(line?.slice(series.length + 1) ?? 0)
  }
  const until = async (isUsed: boolean) => {
    for (let n = 0; (await readMetric('messenger_replica_used{replica="replica_1"}')) !== Number(isUsed); n++) {
      if (n > 600) throw new Error(`The replica is ${isUsed ? 'not used' : 'used'} after 30 s`)
      await Bun.sleep(50)
    }
  }
  await until(true)
  return {
    primary,
    replica,
    server,
    ask: (statement) => replica.ask(/\/(\w+)\?/.exec(url)?.[1] ?? '', statement),
    reads: (outcome) => readMetric(`messenger_replica_reads_total{replica="replica_1",outcome="${outcome}"}`),
    until,
    async health() {
      const answer = await fetch(`${server.url}/health/ready`)
      const { parts } = (await answer.json()) as { parts: Record<string, string> }
      return { status: answer.status, part: String(parts.replica_1) }
    },
    told: () =>
      server.logs.map(({ message }) => String(message)).filter((message) => /A read replica is/.test(message)),
    async stop() {
      await server.stop()
      await primary.stop()
    },
  }
}
