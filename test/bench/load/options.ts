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

/** In milliseconds, from when a message was due to when it came to the others of its chat. */
export interface Latencies {
  p50: number
  p95: number
  p99: number
  most: number
}

export type Scheduled = Record<string, Latencies>
