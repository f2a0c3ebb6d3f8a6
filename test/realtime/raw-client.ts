/** A WebSocket client on bare TCP (RFC 6455), for what a well-behaved one never does: not reading, not answering pings. */
import type { Socket } from 'bun'

export const opcodes = { text: 1, close: 8, ping: 9, pong: 10 } as const

export interface RawFrame {
  opcode: number
  payload: Buffer
}

export interface RawClient {
  /** Every frame so far. */
  readonly frames: RawFrame[]
  /** Resolves when the TCP connection has ended, however. */
  readonly closed: Promise<void>
  /** Stops reading: what the server sends fills the buffers between. */
  pause(): void
  resume(): void
  /** Sends a text frame. */
  send(frame: unknown): void
  /** Ends the connection without a close frame. */
  destroy(): void
}

/** Opens /ws with the token, and resolves when the server has switched protocols. It answers no ping and no close. */
export async function openRaw(serverUrl: string, token: string): Promise<RawClient> {
  const { hostname, port, host } = new URL(serverUrl)
  const frames: RawFrame[] = []
  const closed = Promise.withResolvers<void>()
  const switched = Promise.withResolvers<void>()
  let isSwitched = false
  let rest: Buffer = Buffer.alloc(0)
  /** What the socket did not take yet. */
  let outgoing: Buffer = Buffer.alloc(0)
  const flush = (tcp: Socket) => {
    if (outgoing.length > 0) outgoing = outgoing.subarray(tcp.write(outgoing))
  }

  const socket: Socket = await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      open(tcp) {
        tcp.write(
          `GET /ws?token=${token} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
            'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
        )
      },
      data(_tcp, data) {
        rest = Buffer.concat([rest, data])
        if (!isSwitched) {
          const end = rest.indexOf('\r\n\r\n')
          if (end < 0) return
          const [line = ''] = rest.toString('latin1').split('\r\n')
          if (!line.includes(' 101 ')) return switched.reject(new Error(line))
          isSwitched = true
          rest = rest.subarray(end + 4)
          switched.resolve()
        }
        rest = takeFrames(rest, frames)
      },
      drain: flush,
      close: () => closed.resolve(),
      error: () => closed.resolve(),
    },
  })
  await switched.promise
  return {
    frames,
    closed: closed.promise,
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    send(frame) {
      outgoing = Buffer.concat([outgoing, toClientFrame(opcodes.text, Buffer.from(JSON.stringify(frame)))])
      flush(socket)
    },
    destroy: () => socket.terminate(),
  }
}

/** Moves each whole frame of a server (never masked) to `into`. @returns what is left */
function takeFrames(data: Buffer, into: RawFrame[]): Buffer {
  let rest = data
  while (rest.length >= 2) {
    const short = rest.readUInt8(1) & 0x7f
    const start = short === 126 ? 4 : short === 127 ? 10 : 2
    if (rest.length < start) break
    const length = short === 126 ? rest.readUInt16BE(2) : short === 127 ? Number(rest.readBigUInt64BE(2)) : short
    if (rest.length < start + length) break
    into.push({ opcode: rest.readUInt8(0) & 0x0f, payload: Buffer.from(rest.subarray(start, start + length)) })
    rest = rest.subarray(start + length)
  }
  return rest
}

/** Masked with zeros, which a server has to accept. */
function toClientFrame(opcode: number, payload: Buffer): Buffer {
  const length =
    payload.length < 126
      ? Buffer.from([0x80 | payload.length])
      : Buffer.from([0x80 | 126, payload.length >> 8, payload.length & 0xff])
  return Buffer.concat([Buffer.from([0x80 | opcode]), length, Buffer.alloc(4), payload])
}
