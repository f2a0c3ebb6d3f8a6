/** `messenger healthcheck`: asks the server on this machine whether it can serve. */
import { isIP } from 'node:net'
import type { Config } from '../config.ts'

/** @returns the exit code: 0 ready, 1 not */
export async function healthcheck({ HOST, PORT }: Config, write: (text: string) => void): Promise<number> {
  const host = HOST === undefined || HOST === '0.0.0.0' || HOST === '::' ? '127.0.0.1' : HOST
  const url = new URL(`http://${isIP(host) === 6 ? `[${host}]` : host}:${PORT}/health/ready`)
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(5000) })
    write(`${await answer.text()}\n`)
    return answer.ok ? 0 : 1
  } catch (error) {
    write(`Nothing answers on port ${PORT}: ${error instanceof Error ? error.message : String(error)}\n`)
    return 1
  }
}
