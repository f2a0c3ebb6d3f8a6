/** HTTP as bytes over TCP: for what `fetch` would mend or hide. */

export interface RawAnswer {
  status: number
  headers: Headers
  body: string
  /** How much of `rest` was sent before the server answered or closed. */
  sentBytes: number
}

interface RawRequest {
  method?: string
  path: string
  headers?: Record<string, string>
  /** The first bytes of the body. */
  body?: string
  /** Then these, as fast as they are taken, until an answer comes. */
  rest?: { chunk: Uint8Array; times: number }
  withinMs?: number
}

/** Sends a request and reads one answer. A socket that became a WebSocket is closed. */
export async function rawRequest(serverUrl: string, request: RawRequest): Promise<RawAnswer> {
  const { hostname, port } = new URL(serverUrl)
  const { method = 'GET', path, headers = {}, body = '', rest, withinMs = 10_000 } = request
  const lines = Object.entries({ host: `${hostname}:${port}`, ...headers }).map(([name, value]) => `${name}: ${value}`)
  const done = Promise.withResolvers<void>()
  let received = Buffer.alloc(0)
  let sentBytes = 0
  let left = rest ? rest.chunk.byteLength * rest.times : 0

  const pump = (socket: { write(data: Uint8Array): number }) => {
    while (rest && left > 0 && received.length === 0) {
      const written = socket.write(rest.chunk.subarray(sentBytes % rest.chunk.byteLength))
      if (written <= 0) return
      sentBytes += written
      left -= written
    }
  }
  const socket = await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      open(open) {
        open.write(`${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`)
        pump(open)
      },
      drain: pump,
      data(_, data) {
        received = Buffer.concat([received, data])
        if (isWhole(received)) done.resolve()
      },
      close: () => done.resolve(),
      error: () => done.resolve(),
    },
  })
  await Promise.race([done.promise, Bun.sleep(withinMs)])
  socket.terminate()
  return { ...parse(received.toString()), sentBytes }
}

function isWhole(received: Buffer): boolean {
  const text = received.toString()
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return false
  const length = /^content-length: (\d+)/im.exec(text.slice(0, end))?.[1]
  return length === undefined || Buffer.byteLength(text.slice(end + 4)) >= Number(length)
}

function parse(text: string): Omit<RawAnswer, 'sentBytes'> {
  const [head = '', ...bodies] = text.split('\r\n\r\n')
  const [first = '', ...lines] = head.split('\r\n')
  const headers = new Headers(
    lines.map((line): [string, string] => {
      const at = line.indexOf(':')
      return [line.slice(0, at), line.slice(at + 1).trim()]
    }),
  )
  return { status: Number(first.split(' ')[1] ?? 0), headers, body: bodies.join('\r\n\r\n') }
}

/** A WebSocket handshake. 101 when it was taken. */
export const handshake = (serverUrl: string, path = '/ws', headers: Record<string, string> = {}): Promise<RawAnswer> =>
  rawRequest(serverUrl, {
    path,
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    },
  })
