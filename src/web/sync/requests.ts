/** Frames that are answered by `ack` or `error`, over this tab's socket or that of the tab that has it. */
import type { Link } from './link.ts'
import type { Clock, Random } from './ports.ts'
import { ApiError, NetworkError } from './rest.ts'
import type { ServerFrame } from './wire.ts'

export type AnyFrame = { type: string } & Record<string, unknown>
type Refusal = Omit<Extract<ServerFrame, { type: 'error' }>, 'type' | 'ref'>
export type RequestNews =
  | { request: { id: string; frame: AnyFrame } }
  | { response: { id: string; ack?: Record<string, unknown>; failure?: Refusal } }

interface Waiting {
  resolve(ack: Record<string, unknown>): void
  reject(error: Error): void
}

export interface RequestOptions {
  clock: Clock
  random: Random
  link: Pick<Link, 'send'>
  isLeading(): boolean
  tell(news: RequestNews): void
}

const ANSWER_MS = 10_000

export function createRequests({ clock, random, link, isLeading, tell }: RequestOptions) {
  const waiting = new Map<string, Waiting>()

  function request(frame: AnyFrame): Promise<Record<string, unknown>> {
    const id = random.uuid()
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject })
      clock.after(ANSWER_MS, () => finish(id, (one) => one.reject(new NetworkError('No answer came'))))
      if (!isLeading()) tell({ request: { id, frame } })
      else if (!link.send({ ...frame, ref: id }))
        finish(id, (one) => one.reject(new NetworkError('There is no connection')))
    })
  }

  function finish(id: string, end: (one: Waiting) => void): void {
    const one = waiting.get(id)
    waiting.delete(id)
    if (one) end(one)
  }

  const settle = (id: string, ack: Record<string, unknown> | undefined, refusal: Refusal | undefined) =>
    finish(id, (one) => {
      if (ack) one.resolve(ack)
      else one.reject(new ApiError(refusal?.status ?? 0, refusal ?? { error: '', details: {} }))
    })

  return {
    request,

    /** A frame of the server's: it may be an answer. */
    hear(frame: ServerFrame): void {
      if (frame.type !== 'ack' && frame.type !== 'error') return
      if (typeof frame.ref === 'string')
        settle(frame.ref, frame.type === 'ack' ? frame : undefined, frame.type === 'error' ? frame : undefined)
    },

    /** What another tab asks, or answers. */
    async listen(news: RequestNews): Promise<void> {
      if ('response' in news) return settle(news.response.id, news.response.ack, news.response.failure)
      if (!isLeading()) return
      const { id, frame } = news.request
      const response = await request(frame).then(
        (ack) => ({ id, ack }),
        (error) => ({
          id,
          failure: { status: error.status ?? 0, error: String(error.message), details: error.details ?? {} },
        }),
      )
      tell({ response })
    },

    /** The socket is gone, and no answer will come. */
    fail(): void {
      for (const id of [...waiting.keys()]) finish(id, (one) => one.reject(new NetworkError('The connection was lost')))
    },
  }
}
