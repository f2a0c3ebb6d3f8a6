/**
 * A WebSocket client (RFC 6455) that costs as little as one can: on the two processors of a small box every microsecond
 * of the load is taken from the server. It looks at frames where they lie and copies nothing.
 */
import type { Socket } from 'bun'

export interface WireHandlers {
  /** The payload is `bytes[start..end)`, to be looked at before this returns. */
  onText(bytes: Buffer, start: number, end: number): void
  /** Every frame of one piece from the network has been looked at. */
  onPiece?(): void
  onClose(reason: string): void
}

export interface Wire {
  /** Frames made by `frameOf`, one or several joined. */
  write(frames: Buffer): void
  end(): void
}

const TEXT = 0x81
const OPCODE = { text: 1, close: 8, ping: 9 }

/** A text frame as clients send it: masked, with the mask 0, which changes nothing. */
export function frameOf(text: string): Buffer {
  const payload = Buffer.from(text)
  const { byteLength } = payload
  if (byteLength > 0xffff) throw new Error('The frame is too long')
  const head = byteLength < 126 ? [0x80 | byteLength] : [0x80 | 126, byteLength >> 8, byteLength & 0xff]
  return Buffer.concat([Buffer.from([TEXT, ...head, 0, 0, 0, 0]), payload])
}

/** Opens a WebSocket. @throws Error when the server answers anything but 101 */
export async function openWire(url: string, path: string, handlers: WireHandlers): Promise<Wire> {
  const { hostname, port, host } = new URL(url)
  const upgraded = Promise.withResolvers<void>()
  let isOpen = false
  let rest: Buffer = Buffer.alloc(0)
  let unsent: Buffer[] = []

  function write(frames: Buffer): void {
    if (unsent.length > 0) {
      unsent.push(Buffer.from(frames))
      return
    }
    const written = socket.write(frames)
    if (written < frames.byteLength) unsent.push(Buffer.from(frames.subarray(Math.max(0, written))))
  }

  function drain(): void {
    const waiting = unsent
    unsent = []
    for (const frames of waiting) write(frames)
  }

  function take(piece: Buffer): void {
    const bytes = rest.byteLength > 0 ? Buffer.concat([rest, piece]) : piece
    const used = isOpen ? readFrames(bytes, 0) : readAnswer(bytes)
    // What is left over lives longer than the piece that it came in.
    rest = used < bytes.byteLength ? Buffer.from(bytes.subarray(used)) : Buffer.alloc(0)
  }

  function readAnswer(bytes: Buffer): number {
    const end = bytes.indexOf('\r\n\r\n')
    if (end < 0) return 0
    const [status = ''] = bytes.toString('latin1', 0, end).split('\r\n')
    if (!status.includes(' 101 ')) {
      upgraded.reject(new Error(`The server answers ${status}`))
      socket.end()
      return bytes.byteLength
    }
    isOpen = true
    upgraded.resolve()
    return readFrames(bytes, end + 4)
  }

  /** @returns where the first incomplete frame begins */
  function readFrames(bytes: Buffer, from: number): number {
    let at = from
    while (at + 2 <= bytes.byteLength) {
      const opcode = (bytes[at] ?? 0) & 0x0f
      const short = (bytes[at + 1] ?? 0) & 0x7f
      const headLength = short < 126 ? 2 : short === 126 ? 4 : 10
      if (at + headLength > bytes.byteLength) break
      const length =
        short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))
      const start = at + headLength
      const end = start + length
      if (end > bytes.byteLength) break
      if (opcode === OPCODE.text) handlers.onText(bytes, start, end)
      else if (opcode === OPCODE.ping) pong(bytes, start, end)
      at = end
    }
    handlers.onPiece?.()
    return at
  }

  function pong(bytes: Buffer, start: number, end: number): void {
    write(Buffer.concat([Buffer.from([0x8a, 0x80 | (end - start), 0, 0, 0, 0]), bytes.subarray(start, end)]))
  }

  const lose = (reason: string) => {
    upgraded.reject(new Error(reason))
    handlers.onClose(reason)
  }
  const socket: Socket = await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      data: (_, piece) => take(piece),
      drain,
      close: () => lose('The connection closed'),
      error: (_, error) => lose(error.message),
      binaryType: 'buffer',
    },
  })
  const key = crypto.getRandomValues(Buffer.alloc(16)).toString('base64')
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  )
  await upgraded.promise
  return { write, end: () => socket.end() }
}
