/** A WebSocket as bytes: frames that no library would send (RFC 6455). */
import type { Socket } from 'bun'

export interface ByteSocket {
  /** Bytes after the handshake. Waits while the server does not take them; false when it has closed. */
  write(bytes: Uint8Array): Promise<boolean>
  /** Whether the connection has ended. */
  isClosed(): boolean
  closed: Promise<void>
  destroy(): void
}

/** Opens the path as a WebSocket and reads, but does not look at, all that comes. @throws unless the server switches */
export async function openBytes(
  serverUrl: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<ByteSocket> {
  const { hostname, port, host } = new URL(serverUrl)
  const switched = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<void>()
  let hasEnded = false
  let head = ''
  let onDrain: (() => void) | undefined
  const end = () => {
    hasEnded = true
    switched.reject(new Error('closed before it switched'))
    onDrain?.()
    closed.resolve()
  }
  const socket: Socket = await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      data(_, data) {
        if (head.includes('\r\n\r\n')) return
        head += data.toString('latin1')
        if (!head.includes('\r\n\r\n')) return
        if (head.startsWith('HTTP/1.1 101')) switched.resolve()
        else switched.reject(new Error(head.split('\r\n')[0]))
      },
      drain: () => onDrain?.(),
      close: end,
      error: end,
    },
  })
  const lines = Object.entries({
    Host: host,
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
  await switched.promise
  return {
    async write(bytes) {
      let rest = bytes
      while (!hasEnded) {
        rest = rest.subarray(Math.max(0, socket.write(rest)))
        if (rest.length === 0) return true
        await Promise.race([
          new Promise<void>((resolve) => {
            onDrain = resolve
          }),
          Bun.sleep(1000),
        ])
      }
      return false
    },
    isClosed: () => hasEnded,
    closed: closed.promise,
    destroy: () => socket.terminate(),
  }
}

interface FrameOptions {
  opcode?: number
  isFinal?: boolean
  /** The reserved bits, of which no extension was agreed on. */
  reserved?: number
  isMasked?: boolean
  /** What the head says instead of the payload's own length. */
  saidLength?: number
}

/** One frame of a client, masked as the standard wants it or otherwise wrong. */
export function frame(payload: Uint8Array | string, options: FrameOptions = {}): Buffer {
  const { opcode = 1, isFinal = true, reserved = 0, isMasked = true } = options
  const bytes = Buffer.from(payload)
  const length = options.saidLength ?? bytes.length
  const first = (isFinal ? 0x80 : 0) | (reserved << 4) | opcode
  const flag = isMasked ? 0x80 : 0
  const head =
    length < 126
      ? Buffer.from([first, flag | length])
      : length < 65_536
        ? Buffer.from([first, flag | 126, length >> 8, length & 0xff])
        : Buffer.concat([Buffer.from([first, flag | 127]), bigLength(length)])
  // Masked with zeros, which a server has to accept.
  return Buffer.concat([head, Buffer.alloc(isMasked ? 4 : 0), bytes])
}

function bigLength(length: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(length))
  return bytes
}
