/** A Lua script, by its SHA-1. */
import { createHash } from 'node:crypto'

export interface Script {
  readonly source: string
  readonly sha1: string
}

/** The script must touch `KEYS[1]` alone: in a cluster it runs where that key is. */
export function defineScript(source: string): Script {
  return { source, sha1: createHash('sha1').update(source).digest('hex') }
}
