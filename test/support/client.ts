/** A client of the tests: REST by fetch, real time by a WebSocket. It knows the protocol and nothing of the server. */
import { PATIENCE_MS } from './until.ts'

// What comes over the wire is JSON of any shape; tests assert what they expect of it.
// biome-ignore lint/suspicious/noExplicitAny: an assertion edge
export type Json = any

export interface Answer {
  status: number
  headers: Headers
  body: Json
}

export async function request(
  url: string,
  method: string,
  token?: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  // What has a type of its own goes as it is.
  const isRaw = body instanceof FormData || body instanceof Blob
  const response = await fetch(url, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined || isRaw ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body === undefined || isRaw || typeof body === 'string' ? body : JSON.stringify(body),
  })
  const text = await response.text()
  const isJson = text !== '' && (response.headers.get('content-type')?.includes('json') ?? false)
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
}

export class TestUser {
  constructor(
    readonly serverUrl: string,
    readonly id: string,
    readonly sessionId: string,
    readonly token: string,
    readonly refreshToken: string,
  ) {}

  /** The same user with the same session, at another address. */
  at = (url: string) => new TestUser(url, this.id, this.sessionId, this.token, this.refreshToken)

  call(method: string, path: string, body?: unknown): Promise<Answer> {
    return request(`${this.serverUrl}/api/v1${path}`, method, this.token, body)
  }
  get = (path: string) => this.call('GET', path)
  post = (path: string, body?: unknown) => this.call('POST', path, body)
  patch = (path: string, body?: unknown) => this.call('PATCH', path, body)
  delete = (path: string) => this.call('DELETE', path)

  /** An open socket whose `user_chats` has come. */
  async socket(): Promise<TestSocket> {
    const socket = new TestSocket(`${this.serverUrl.replace('http', 'ws')}/ws?token=${this.token}`)
    await socket.next('user_chats')
    return socket
  }
}

/** A new account, by REST. Its session has no id here. */
export async function register(url: string, phone: string, username: string): Promise<TestUser> {
  const account = { phone, username, password: 'SecurePass123' }
  const { status, body } = await request(`${url}/api/v1/auth/register`, 'POST', undefined, account)
  if (status !== 201) throw new Error(`Cannot register: ${status} ${JSON.stringify(body)}`)
  return new TestUser(url, body.user_id, '', body.token, body.refresh_token)
}

export class TestSocket {
  /** Every frame so far. */
  readonly frames: Json[] = []
  readonly ws: WebSocket
  /** Resolves with the code when the socket has closed. */
  readonly closed: Promise<{ code: number; reason: string }>
  private taken = new Set<number>()
  private waiting: (() => void)[] = []
  private refs = 0

  constructor(url: string, options?: { protocols?: string[]; headers?: Record<string, string> }) {
    // Bun's WebSocket takes headers beside protocols.
    this.ws = new WebSocket(url, options as unknown as string[])
    this.ws.onmessage = ({ data }) => {
      this.frames.push(JSON.parse(String(data)))
      this.wake()
    }
    this.closed = new Promise((resolve) => {
      this.ws.onclose = ({ code, reason }) => {
        resolve({ code, reason })
        this.wake()
      }
    })
  }

  private wake(): void {
    for (const resolve of this.waiting) resolve()
    this.waiting = []
  }

  send(frame: unknown): void {
    this.ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame))
  }

  /** Sends a frame with a `ref` of its own. @returns its `ack` or `error` */
  ask(frame: Record<string, unknown>): Promise<Json> {
    const ref = `r${++this.refs}`
    this.send({ ...frame, ref })
    return this.find((f) => f.ref === ref && (f.type === 'ack' || f.type === 'error'))
  }

  /** The next frame of a type (that fits) which no call has returned yet. */
  next(type: string, fits: (frame: Json) => boolean = () => true, withinMs = PATIENCE_MS): Promise<Json> {
    return this.find((frame) => frame.type === type && fits(frame), withinMs, type)
  }

  async find(fits: (frame: Json) => boolean, withinMs = PATIENCE_MS, what = 'frame'): Promise<Json> {
    const deadline = Date.now() + withinMs
    for (;;) {
      const index = this.frames.findIndex((frame, at) => !this.taken.has(at) && fits(frame))
      if (index >= 0) {
        this.taken.add(index)
        return this.frames[index]
      }
      const left = deadline - Date.now()
      if (left <= 0) throw new Error(`No ${what} in time; frames so far: ${JSON.stringify(this.frames).slice(0, 2000)}`)
      await Promise.race([new Promise<void>((resolve) => this.waiting.push(resolve)), Bun.sleep(left)])
    }
  }

  /** Frames of a type so far. */
  all(type: string): Json[] {
    return this.frames.filter((frame) => frame.type === type)
  }

  /** Everything the server had sent before now has come: by a ping. What other instances sent has had its time. */
  async settle(): Promise<void> {
    if (process.env.TEST_INSTANCES) await Bun.sleep(250)
    await this.ask({ type: 'ping' })
  }

  async close(): Promise<void> {
    this.ws.close()
    await this.closed
  }
}
