/** A real Redis cluster of three masters without replicas. Nothing of it outlives the tests. */
import { startRedis, type TestRedis } from './redis.ts'

export interface TestCluster {
  /** For REDIS_URL: all nodes. */
  url: string
  nodes: TestRedis[]
  /** Starts one more, a replica of the node with this index; returns when it has its data. */
  addReplicaOf(index: number): Promise<TestRedis>
  stop(): Promise<void>
}

const NODE_TIMEOUT_MS = 1000

export async function startRedisCluster(): Promise<TestCluster> {
  const options = ['--cluster-enabled', 'yes', '--cluster-node-timeout', `${NODE_TIMEOUT_MS}`]
  const nodes = await Promise.all([0, 1, 2].map(() => startClusterNode(options)))
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()))
  }
  try {
    await formCluster(nodes)
  } catch (error) {
    await stop()
    throw error
  }

  async function addReplicaOf(index: number): Promise<TestRedis> {
    const [replica, master] = [await startClusterNode(options), nodes[index]]
    nodes.push(replica)
    const masterId = (await master?.cli('cluster', 'myid')) ?? ''
    await replica.cli('cluster', 'meet', '127.0.0.1', `${master?.port}`)
    await isSo(async () => (await replica.cli('cluster', 'replicate', masterId)) === 'OK')
    await isSo(async () => (await replica.cli('info', 'replication')).includes('master_link_status:up'))
    return replica
  }

  return { url: nodes.map(({ url }) => url).join(','), nodes, addReplicaOf, stop }
}

async function isSo(check: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (await check()) return
    await Bun.sleep(20)
  }
  throw new Error('the cluster does not get there')
}

/** Nodes talk to each other on a second port, 10000 above the first: it must exist, and be free too. */
async function startClusterNode(options: readonly string[]): Promise<TestRedis> {
  for (let attempt = 1; ; attempt++) {
    const port = 10_000 + Math.floor(Math.random() * 20_000)
    try {
      return await startRedis(options, port)
    } catch (error) {
      if (attempt === 5) throw error
    }
  }
}

async function formCluster(nodes: readonly TestRedis[]): Promise<void> {
  const [first] = nodes
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`)
  const said = await first?.cli('--cluster', 'create', ...addresses, '--cluster-replicas', '0', '--cluster-yes')
  const isFormed = async () => {
    const infos = await Promise.all(nodes.map((node) => node.cli('cluster', 'info')))
    return infos.every((info) => info.includes('cluster_state:ok'))
  }
  await isSo(isFormed).catch((error) => {
    throw new Error(`the cluster was not formed: ${said}`, { cause: error })
  })
}
