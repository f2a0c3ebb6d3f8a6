/** What may go wrong with Redis, and how its answers are told apart. */
import { ErrorReply } from 'redis'

/** Redis does not answer at the moment. A command that was under way may have been carried out all the same. */
export class RedisAway extends Error {
  override name = 'RedisAway'
}

/** Redis answers, and waiting will not help: wrong credentials, missing rights, too old. */
export class RedisRefused extends Error {
  override name = 'RedisRefused'
}

const REFUSALS = ['WRONGPASS', 'NOAUTH', 'NOPERM', 'ERR AUTH', 'ERR DB index', 'ERR SELECT', 'ERR unknown command']
/** It is starting, it is a replica now, or its cluster sorts itself out. */
const TROUBLES = ['LOADING', 'READONLY', 'MASTERDOWN', 'CLUSTERDOWN', 'TRYAGAIN', 'MOVED', 'ASK']

const isReply = (error: unknown, starts: readonly string[]) =>
  error instanceof ErrorReply && starts.some((start) => error.message.startsWith(start))

/** The script is not known to the server. */
export const isNoScript = (error: unknown): boolean => isReply(error, ['NOSCRIPT'])

/** An error of a connection or of a command, as what it means to whoever needs Redis. Other answers stay as they are. */
export function explain(error: unknown): Error {
  if (error instanceof RedisAway || error instanceof RedisRefused) return error
  const said = error instanceof Error ? error.message : String(error)
  if (isReply(error, REFUSALS)) return new RedisRefused(`Redis refuses: ${said}`, { cause: error })
  if (error instanceof ErrorReply && !isReply(error, TROUBLES)) return error
  return new RedisAway(`Redis is away: ${said}`, { cause: error })
}

/** Where a cluster's answer sends a command: for good (`moved`), or this once while keys move (`ask`). */
export interface Redirection {
  kind: 'moved' | 'ask'
  /** `host:port`; the host may be empty: the one that was asked. */
  address: string
}

/** https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#redirection-and-resharding */
export function readRedirection(error: unknown): Redirection | undefined {
  if (!(error instanceof ErrorReply)) return undefined
  const [, kind, address] = /^(MOVED|ASK) \d+ (\S+)$/.exec(error.message) ?? []
  if (kind === undefined || address === undefined) return undefined
  return { kind: kind === 'ASK' ? 'ask' : 'moved', address }
}
