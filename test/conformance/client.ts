/** A client written from the description of the API alone, without a look at the code: REST by fetch, real time by a WebSocket. */
import { PATIENCE_MS } from '../support/until.ts'

/** What came as a JSON object. */
export type Fields = Record<string, unknown>

export interface Answer {
  status: number
  headers: Headers
  body: Fields
}

export const PASSWORD = 'SecurePass123!'

/** REST with one token, or without any. */
export class Client {
  constructor(
    readonly url: string,
    readonly token?: string,
  ) {}

  async call(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: {
        ...(this.token !== undefined && { authorization: `Bearer ${this.token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    return { status: response.status, headers: response.headers, body: (await response.json()) as Fields }
  }
  get = (path: string) => this.call('GET', path)
  post = (path: string, body?: unknown) => this.call('POST', path, body)
  patch = (path: string, body?: unknown) => this.call('PATCH', path, body)
  delete = (path: string) => this.call('DELETE', path)
}

/** A signed-in user. */
export class Person extends Client {
  constructor(
    url: string,
    readonly id: string,
    override readonly token: string,
    readonly refreshToken: string,
  ) {
    super(url, token)
  }

  /** The same user with the same tokens, at another address. */
  at = (url: string) => new Person(url, this.id, this.token, this.refreshToken)

  /** @returns the id of the direct chat with the other one */
  async dmWith({ id }: { id: string }): Promise<string> {
    return text((await this.get(`/chats/dm/${id}`)).body, 'id')
  }

  /** @returns the id of a new group of the two or more */
  async groupWith(...members: { id: string }[]): Promise<string> {
    const body = { name: 'My Group', type: 'group', member_ids: members.map(({ id }) => id) }
    return text((await this.post('/chats', body)).body, 'id')
  }

  /** @returns the stored message */
  async say(chatId: string, content: string): Promise<Fields> {
    const { status, body } = await this.post('/messages', { chat_id: chatId, content, message_type: 'text' })
    if (status !== 201) throw new Error(`Not sent: ${status} ${JSON.stringify(body)}`)
    return body
  }

  /** An open socket after its `user_chats`, which is the first frame. */
  async connect(): Promise<Socket> {
    const socket = new Socket(socketUrl(this.url, this.token))
    await socket.next('user_chats')
    return socket
  }
}

let registered = 0

export interface Registration {
  phone: string
  email: string
  password: string
  username: string
}

/** A registration that nobody has used yet. */
export function newRegistration(username = `johndoe_${++registered}`): Registration {
  const number = String(++registered).padStart(4, '0')
  return { phone: `+123456${number}`, email: `${username}@example.com`, password: PASSWORD, username }
}

/** The signed-in user of an answer to a registration or a login. */
export function personOf(url: string, { body }: Answer): Person {
  return new Person(url, text(body, 'user_id'), text(body, 'token'), text(body, 'refresh_token'))
}

export async function register(url: string, registration = newRegistration()): Promise<Person> {
  return personOf(url, await new Client(url).post('/auth/register', registration))
}

export const login = (url: string, phone_or_email: string, password = PASSWORD) =>
  new Client(url).post('/auth/login', { phone_or_email, password })

export const socketUrl = (url: string, token: string, path = '/ws') =>
  `${url.replace('http', 'ws')}${path}?token=${token}`

/** One connection. Frames wait until they are asked for by their type. */
export class Socket {
  /** Every frame so far. */
  readonly frames: Fields[] = []
  /** Resolves with the code when the connection has ended, however it did. */
  readonly closed: Promise<number>
  private readonly ws: WebSocket
  private readonly taken = new Set<Fields>()
  private wake = () => {}

  constructor(url: string, headers: Record<string, string> = {}) {
    this.ws = new WebSocket(url, { headers })
    this.ws.onmessage = ({ data }) => {
      this.frames.push(JSON.parse(String(data)) as Fields)
      this.wake()
    }
    this.closed = new Promise((resolve) => {
      this.ws.onclose = ({ code }) => resolve(code)
    })
  }

  send(frame: Fields | string): void {
    this.ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame))
  }

  /** The oldest frame of the type that no call has returned yet. */
  async next(type: string, withinMs = PATIENCE_MS): Promise<Fields> {
    const deadline = Date.now() + withinMs
    for (;;) {
      const frame = this.frames.find((one) => one.type === type && !this.taken.has(one))
      if (frame) {
        this.taken.add(frame)
        return frame
      }
      const leftMs = deadline - Date.now()
      if (leftMs <= 0) throw new Error(`No ${type} within ${withinMs} ms; came: ${JSON.stringify(this.frames)}`)
      const { promise, resolve } = Promise.withResolvers<void>()
      this.wake = resolve
      await Promise.race([promise, Bun.sleep(leftMs)])
    }
  }

  /** The frames of the type so far. */
  all = (type: string) => this.frames.filter((frame) => frame.type === type)

  async close(): Promise<void> {
    this.ws.close()
    await this.closed
  }
}

/** The field, which must be a string. */
export function text(fields: Fields, name: string): string {
  const value = fields[name]
  if (typeof value !== 'string') throw new Error(`${name} is no string in ${JSON.stringify(fields)}`)
  return value
}

/** The field, which must be a list of objects. */
export function list(fields: Fields, name: string): Fields[] {
  const value = fields[name]
  if (!Array.isArray(value)) throw new Error(`${name} is no list in ${JSON.stringify(fields)}`)
  return value as Fields[]
}

/** The field, which must be a list of strings, sorted. */
export function sortedTexts(fields: Fields, name: string): string[] {
  const values: unknown[] = list(fields, name)
  return values.map((value) => text({ [name]: value }, name)).sort()
}

/** The field, which must be an object. */
export function fieldsOf(fields: Fields, name: string): Fields {
  const value = fields[name]
  if (typeof value !== 'object' || value === null) throw new Error(`${name} is no object in ${JSON.stringify(fields)}`)
  return value as Fields
}
