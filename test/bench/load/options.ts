/** What the process that makes the load is told, and what it answers: one line of JSON each. */
import type { protocols } from './protocols.ts'

/** One socket. */
export interface Member {
  url: string
  token: string
  chatId: string
  /** Latencies are reported by it; `''` when all are alike. */
  group?: string
  /** It only receives. */
  isSilent?: boolean
}

export interface LoadOptions {
  protocol: keyof typeof protocols
  members: Member[]
  content: string
  /** How many sockets a message comes to in the end, its sender's own included where the system sends it there. */
  copies: number
}

export type Command =
  /** Every sender has `window` messages under way, the next one as soon as one is acknowledged. */
  | { do: 'saturate'; window: number; seconds: number }
  /** All senders in turns, by the clock: what is slow does not slow the load. */
  | { do: 'schedule'; rate: number; seconds: number }

export interface Saturated {
  acknowledged: number
  arrived: number
  seconds: number
}

/** In milliseconds. Of messages: from when one was due to when it came to the others of its chat. */
export interface Latencies {
  p50: number
  p95: number
  p99: number
  most: number
}

/** `arrivals` by the group of the receiver; `sendings` are of the load itself: from when a message was due until it was sent. */
export interface Scheduled {
  arrivals: Record<string, Latencies>
  sendings: Latencies
}

/** Of no values all are NaN. */
export function summarize(values: readonly number[]): Latencies {
  const sorted = Float64Array.from(values).sort()
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), most: at(1) }
}
