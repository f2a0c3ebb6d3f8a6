/**
 * The load of the benchmark, in a process of its own: users in direct chats, each with one socket and a window of sends
 * under way. It parses nothing: parsing here would take the processor from the server.
 *
 * Reads its options from the first argument and one line on stdin for each round; answers each with a line of counts.
 */

export interface GeneratorOptions {
  url: string
  /** Pairs of users; each pair shares the chat. */
  chats: { id: string; users: { id: string; token: string }[] }[]
  window: number
  content: string
}

export interface RoundCounts {
  acknowledged: number
  delivered: number
  refused: number
  seconds: number
}

const SENDER_AT = '{"type":"new_message","message":{"id":"00000000-0000-0000-0000-000000000000","sender_id":"'.length

class Talker {
  acknowledged = 0
  delivered = 0
  refused = 0
  isRunning = false
  private readonly ws: WebSocket
  private readonly frame: string
  readonly opened: Promise<void>
  private underWay = 0
  private whenIdle: (() => void) | undefined

  constructor(url: string, chatId: string, user: { id: string; token: string }, content: string) {
    this.frame = JSON.stringify({ type: 'message', ref: 1, chat_id: chatId, content })
    this.ws = new WebSocket(`${url.replace('http', 'ws')}/ws?token=${user.token}`)
    const opened = Promise.withResolvers<void>()
    this.opened = opened.promise
    this.ws.onmessage = ({ data }) => {
      const text = String(data)
      if (text.startsWith('{"type":"new_message"')) {
        if (!text.startsWith(user.id, SENDER_AT)) this.delivered++
      } else if (text.startsWith('{"type":"ack"')) {
        this.acknowledged++
        this.next()
      } else if (text.startsWith('{"type":"error"')) {
        this.refused++
        this.next()
      } else if (text.startsWith('{"type":"user_chats"')) opened.resolve()
    }
    this.ws.onclose = ({ code }) => {
      opened.reject(new Error(`A socket closed with ${code}`))
      this.refused++
    }
  }

  private next(): void {
    this.underWay--
    if (this.isRunning) this.send()
    else if (this.underWay === 0) this.whenIdle?.()
  }

  private send(): void {
    this.underWay++
    this.ws.send(this.frame)
  }

  start(window: number): void {
    this.isRunning = true
    for (let n = 0; n < window; n++) this.send()
  }

  stop(): Promise<void> {
    this.isRunning = false
    if (this.underWay === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.whenIdle = resolve
    })
  }
}

async function generate({ url, chats, window, content }: GeneratorOptions): Promise<void> {
  const talkers = chats.flatMap(({ id, users }) => users.map((user) => new Talker(url, id, user, content)))
  await Promise.all(talkers.map(({ opened }) => opened))
  process.stdout.write('ready\n')
  const sum = (field: 'acknowledged' | 'delivered' | 'refused') => talkers.reduce((total, t) => total + t[field], 0)

  for await (const line of console) {
    const seconds = Number(line)
    const before = { acknowledged: sum('acknowledged'), delivered: sum('delivered'), refused: sum('refused') }
    const startedAt = performance.now()
    for (const talker of talkers) talker.start(window)
    await Bun.sleep(seconds * 1000)
    const counts: RoundCounts = {
      acknowledged: sum('acknowledged') - before.acknowledged,
      delivered: sum('delivered') - before.delivered,
      refused: sum('refused') - before.refused,
      seconds: (performance.now() - startedAt) / 1000,
    }
    process.stdout.write(`${JSON.stringify(counts)}\n`)
    await Promise.all(talkers.map((talker) => talker.stop()))
    process.stdout.write('idle\n')
  }
}

if (import.meta.main) {
  await generate(JSON.parse(process.argv[2] ?? '{}') as GeneratorOptions)
  process.exit(0)
}
