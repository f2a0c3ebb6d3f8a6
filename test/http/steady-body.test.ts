import { afterAll, beforeAll, describe, expect, it } from 'bun:test'
import { AppError } from '../../src/errors.ts'
import { patiently, readSteadily } from '../../src/http/steady-body.ts'

const PACE = { silenceMs: 400, windowMs: 200, minBytes: 2000 }
/** How each request's body ended. */
const ends: (number | string)[] = []
/** What the server takes over each piece. */
let slownessMs = 0

let server: ReturnType<typeof Bun.serve>
beforeAll(() => {
  server = Bun.serve({
    port: 0,
    // What is quiet longer is closed by Bun itself, were it not for `patiently`.
    idleTimeout: 1,
    fetch: (request, self) => patiently(self, request, read(request)),
  })
})
afterAll(() => server.stop(true))

async function read(request: Request): Promise<Response> {
  let bytes = 0
  try {
    for await (const chunk of readSteadily(request.body, PACE)) {
      bytes += chunk.byteLength
      await Bun.sleep(slownessMs)
    }
    ends.push(bytes)
    return new Response('done')
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    ends.push(error.status)
    return new Response('', { status: error.status, headers: { connection: 'close' } })
  }
}

/** Sends a body in these pieces, each after so long, and cuts the connection off after them if wanted. */
async function send(
  pieces: { bytes: number; afterMs: number }[],
  { length, isCut }: { length: number; isCut?: boolean },
) {
  let received = ''
  const closed = Promise.withResolvers<void>()
  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port: Number(server.port),
    socket: {
      data: (_, data) => {
        received += data.toString()
      },
      close: () => closed.resolve(),
    },
  })
  socket.write(`POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${length}\r\n\r\n`)
  for (const { bytes, afterMs } of pieces) {
    await Bun.sleep(afterMs)
    socket.write(new Uint8Array(bytes))
  }
  if (isCut) socket.terminate()
  for (let i = 0; i < 500 && (isCut ? ends.length === 0 : received === ''); i++) await Bun.sleep(10)
  return { end: ends.splice(0)[0], status: Number(received.split(' ')[1] ?? 0), closed: closed.promise, socket }
}

describe('a body', () => {
  it('is read to its end, whatever pauses it makes below the limit', async () => {
    const { end, status } = await send(
      Array.from({ length: 4 }, () => ({ bytes: 5000, afterMs: 150 })),
      { length: 20_000 },
    )
    expect(end).toBe(20_000)
    expect(status).toBe(200)
  })

  it('that falls silent is ended, and its connection closed', async () => {
    const { end, status, closed } = await send([{ bytes: 1000, afterMs: 0 }], { length: 20_000 })
    expect(end).toBe(408)
    expect(status).toBe(408)
    await closed
  })

  it('that drips is ended, and its connection closed', async () => {
    const { end, closed } = await send(
      Array.from({ length: 40 }, () => ({ bytes: 10, afterMs: 30 })),
      { length: 20_000 },
    )
    expect(end).toBe(408)
    await closed
  })

  it('is not called slow for what this server takes', async () => {
    slownessMs = 300
    const { end } = await send(
      Array.from({ length: 5 }, () => ({ bytes: 100, afterMs: 10 })),
      { length: 500 },
    )
    slownessMs = 0
    expect(end).toBe(500)
  })

  it('whose connection ends is no fault of ours', async () => {
    const { end } = await send([{ bytes: 5000, afterMs: 0 }], { length: 20_000, isCut: true })
    expect(end).toBe(400)
  })

  it('that was never sent is empty', async () => {
    expect(await Array.fromAsync(readSteadily(null))).toEqual([])
  })
})
