/** Requests by the clock and one after the other, and how long each takes. */

export interface Ask {
  url: string
  method?: 'GET' | 'POST'
  token: string
  body?: unknown
  /** It is over when the last page has come. */
  isPaged?: boolean
}

/** Answered with 429: whoever asked has as much under way as one may. */
class Refused extends Error {}

/**
 * Asks `perSecond` times a second, in turns; a latency counts from when the request was due, and one that was refused
 * takes for ever. @throws Error for any answer but 200 and 429
 */
export async function askBySchedule<Kind extends Ask>(
  asks: readonly Kind[],
  perSecond: number,
  seconds: number,
): Promise<{ ask: Kind; ms: number }[]> {
  const startedAt = performance.now()
  return await Promise.all(
    Array.from({ length: Math.max(asks.length, Math.floor(perSecond * seconds)) }, async (_, n) => {
      const ask = asks[n % asks.length] as Kind
      const dueAt = startedAt + (n * 1000) / perSecond
      await Bun.sleep(dueAt - performance.now())
      try {
        await answerOf(ask)
      } catch (error) {
        if (!(error instanceof Refused)) throw error
        return { ask, ms: Number.POSITIVE_INFINITY }
      }
      return { ask, ms: performance.now() - dueAt }
    }),
  )
}

/** Asks for all pages of an answer that comes in pages. @returns its length in bytes. @throws Error for any answer but 200 */
export async function answerOf(ask: Ask): Promise<number> {
  const first = await answerPage(ask)
  if (!ask.isPaged) return first.byteLength
  const { next_cursor: cursor } = JSON.parse(new TextDecoder().decode(first)) as { next_cursor?: string | null }
  if (!cursor) return first.byteLength
  const url = new URL(ask.url)
  url.searchParams.set('cursor', cursor)
  return first.byteLength + (await answerOf({ ...ask, url: url.href }))
}

async function answerPage({ url, method = 'GET', token, body }: Ask): Promise<ArrayBuffer> {
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
    // As somebody who comes back does. One that is kept may stand still for a while: `bbr` probes each every ten seconds.
    keepalive: false,
  })
  const bytes = await response.arrayBuffer()
  if (response.status === 429) throw new Refused(url)
  if (response.status !== 200) throw new Error(`${method} ${url} answers ${response.status}`)
  return bytes
}

/**
 * The same GET over and over by so many connections, each with one request under way, by bytes alone: a client that
 * costs next to nothing. An answer's head must come in one piece.
 * @returns answers a second
 */
export async function askOverAndOver(
  { url, token }: Pick<Ask, 'url' | 'token'>,
  connections: number,
  seconds: number,
): Promise<number> {
  const { hostname, port, host, pathname } = new URL(url)
  const request = Buffer.from(`GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\n\r\n`)
  let answers = 0
  let fault: string | undefined
  const open = () => {
    let length = 0
    let received = 0
    return Bun.connect({
      hostname,
      port: Number(port),
      socket: {
        open: (socket) => void socket.write(request),
        data(socket, piece) {
          if (received === 0 && !piece.toString('latin1', 0, 12).endsWith(' 200'))
            fault ??= piece.toString('latin1', 0, 200)
          if (received === 0) length = lengthOf(piece)
          received += piece.byteLength
          if (received < length) return
          if (received > length) fault ??= 'An answer was longer than it said'
          received = 0
          answers++
          socket.write(request)
        },
        close() {
          fault ??= 'A connection closed'
        },
        binaryType: 'buffer',
      },
    })
  }
  const sockets = await Promise.all(Array.from({ length: connections }, open))
  await Bun.sleep(200)
  const [before, startedAt] = [answers, performance.now()]
  await Bun.sleep(seconds * 1000)
  const perSecond = ((answers - before) * 1000) / (performance.now() - startedAt)
  const found = fault
  for (const socket of sockets) socket.terminate()
  if (found) throw new Error(found)
  return perSecond
}

/** Of a whole answer, by its head. */
function lengthOf(piece: Buffer): number {
  const text = piece.toString('latin1')
  const head = text.indexOf('\r\n\r\n') + 4
  return head + Number(/^content-length: (\d+)/im.exec(text.slice(0, head))?.[1] ?? 0)
}
