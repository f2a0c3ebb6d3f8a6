/** Commands, each to the node that has its key. */
import type { Connection } from './connection.ts'
import { isNoScript, RedisAway, readRedirection } from './errors.ts'
import type { Nodes } from './nodes.ts'
import type { RedisReply } from './reply.ts'
import type { Script } from './script.ts'

export function createCommands(nodes: Nodes) {
  async function send(key: string, command: readonly string[]): Promise<RedisReply> {
    try {
      return await connectionOf(key).send(command)
    } catch (error) {
      return redirect(error, command)
    }
  }

  function connectionOf(key: string): Connection {
    const connection = nodes.nodeOf(key)?.commands.connection()
    if (!connection) throw new RedisAway('Redis is away')
    return connection
  }

  /** Follows a cluster's hint once; anything else was an error. */
  async function redirect(error: unknown, command: readonly string[]): Promise<RedisReply> {
    const redirection = readRedirection(error instanceof Error ? error.cause : undefined)
    if (!redirection) throw error
    if (redirection.kind === 'moved') nodes.refresh()
    const target = nodes.nodeAt(redirection.address)?.commands.connection()
    if (!target) throw error
    // In the same turn, so that nothing comes between them.
    const asking = redirection.kind === 'ask' ? target.send(['ASKING']) : undefined
    const [reply] = await Promise.all([target.send(command), asking])
    return reply
  }

  return {
    send,
    async runScript(script: Script, key: string, args: readonly string[]): Promise<RedisReply> {
      try {
        return await send(key, ['EVALSHA', script.sha1, '1', key, ...args])
      } catch (error) {
        if (!isNoScript(error)) throw error
        // The server keeps it by its SHA-1 from then on.
        return send(key, ['EVAL', script.source, '1', key, ...args])
      }
    },
  }
}
