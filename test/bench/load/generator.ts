/**
 * The load, in a process of its own: sockets that send and receive. It parses nothing: parsing here would take the
 * processor from the server. Reads its options from the first line of stdin and a command from each that follows; answers
 * each with a line, when everything under way has arrived.
 */
import { type Command, type LoadOptions, type Member, type Saturated, type Scheduled, summarize } from './options.ts'
import { type Protocol, protocols } from './protocols.ts'
import { openWire, type Wire } from './wire.ts'

const OPEN_AT_ONCE = 32
const SETTLE_MS = 60_000
const FLOWING_MS = 10_000
const TICK_MS = 1
/** Of a client_id: what tells this process from earlier ones, then the number of the message. */
const DIGITS = 9
const MARK = `bench-${Bun.randomUUIDv7()}-`
const MARK_BYTES = Buffer.from(MARK)

type OnArrived = (talker: Talker, bytes: Buffer, start: number) => void

/** Numbers all messages of this process. */
let sent = 0

class Talker {
  stored = 0
  arrived = 0
  underWay = 0
  isRunning = false
  wire: Wire | undefined
  onArrived: OnArrived | undefined
  private readonly opened = Promise.withResolvers<void>()
  private readonly frame: Buffer
  private readonly numberAt: number
  private outgoing: Buffer[] = []

  constructor(
    readonly index: number,
    readonly member: Member,
    private readonly protocol: Protocol,
    content: string,
  ) {
    const clientId = MARK + '0'.repeat(DIGITS)
    this.frame = protocol.message(member.chatId, clientId, content)
    this.numberAt = this.frame.indexOf(clientId) + MARK.length
  }

  async open(): Promise<void> {
    const { url, token } = this.member
    this.wire = await openWire(url, this.protocol.path(token), {
      onText: (bytes, start) => this.hear(bytes, start),
      onPiece: () => this.flush(),
      onClose: (reason) => this.fail(reason),
    })
    this.flush()
    await this.opened.promise
  }

  private fail(reason: string): void {
    this.opened.reject(new Error(reason))
    process.stderr.write(`A socket of the load: ${reason}\n`)
    process.exit(1)
  }

  private hear(bytes: Buffer, start: number): void {
    switch (this.protocol.meaning(bytes, start)) {
      case 'arrived':
        this.arrived++
        this.onArrived?.(this, bytes, start)
        break
      case 'stored':
        this.stored++
        this.underWay--
        if (this.isRunning) this.queue()
        break
      case 'hello': {
        const greeting = this.protocol.greeting?.(this.member.token)
        if (greeting) this.outgoing.push(greeting)
        break
      }
      case 'ping':
        if (this.protocol.pong) this.outgoing.push(this.protocol.pong)
        break
      case 'open':
        this.opened.resolve()
        break
      case 'refused':
        this.fail(`refused: ${bytes.toString('utf8', start, start + 200)}`)
    }
  }

  /** The next message, to be written when the piece from the network is read to its end. */
  private queue(): void {
    this.underWay++
    this.outgoing.push(Buffer.from(this.numbered()))
  }

  private flush(): void {
    // The first frame may come before the wire is ours.
    if (!this.wire || this.outgoing.length === 0) return
    const [only] = this.outgoing
    this.wire.write(this.outgoing.length === 1 && only ? only : Buffer.concat(this.outgoing))
    this.outgoing = []
  }

  private numbered(): Buffer {
    let rest = sent++
    for (let at = this.numberAt + DIGITS - 1; at >= this.numberAt; at--) {
      this.frame[at] = 48 + (rest % 10)
      rest = Math.floor(rest / 10)
    }
    return this.frame
  }

  send(): void {
    this.underWay++
    this.wire?.write(this.numbered())
  }

  start(window: number): void {
    this.isRunning = true
    for (let n = 0; n < window; n++) this.queue()
    this.flush()
  }
}

function numberIn(bytes: Buffer, start: number): number {
  const at = bytes.indexOf(MARK_BYTES, start)
  if (at < 0) return -1
  let number = 0
  for (let n = 0; n < DIGITS; n++) number = number * 10 + (bytes[at + MARK_BYTES.length + n] ?? 48) - 48
  return number
}

const sum = (talkers: readonly Talker[], of: 'stored' | 'arrived' | 'underWay') =>
  talkers.reduce((total, talker) => total + talker[of], 0)

/** Waits until everything is acknowledged and has come to everybody. */
async function settle(talkers: readonly Talker[], copies: number): Promise<void> {
  const owed = () => sum(talkers, 'stored') * copies - sum(talkers, 'arrived')
  const until = performance.now() + SETTLE_MS
  while (sum(talkers, 'underWay') > 0 || owed() !== 0) {
    if (performance.now() > until) {
      throw new Error(`${sum(talkers, 'underWay')} messages were never acknowledged, ${owed()} never came`)
    }
    await Bun.sleep(5)
  }
}

/**
 * Counts from when as many are acknowledged as were under way at first: a server that takes every message through several
 * queues answers none for a while, and then many.
 */
async function saturate(
  talkers: readonly Talker[],
  window: number,
  seconds: number,
  onFlowing: () => void,
): Promise<Saturated> {
  const senders = talkers.filter(({ member }) => !member.isSilent)
  const atFirst = sum(talkers, 'stored')
  const flowsBy = performance.now() + FLOWING_MS
  for (const sender of senders) sender.start(window)
  while (sum(talkers, 'stored') - atFirst < senders.length * window && performance.now() < flowsBy) await Bun.sleep(5)
  onFlowing()
  const before = { acknowledged: sum(talkers, 'stored'), arrived: sum(talkers, 'arrived') }
  const startedAt = performance.now()
  await Bun.sleep(seconds * 1000)
  const counts = {
    acknowledged: sum(talkers, 'stored') - before.acknowledged,
    arrived: sum(talkers, 'arrived') - before.arrived,
    seconds: (performance.now() - startedAt) / 1000,
  }
  for (const talker of talkers) talker.isRunning = false
  return counts
}

/** A latency counts from when the message was due, so what waits behind something slow counts in full. */
async function schedule(talkers: readonly Talker[], copies: number, rate: number, seconds: number): Promise<Scheduled> {
  const senders = talkers.filter(({ member }) => !member.isSilent)
  const latencies = new Map<string, number[]>()
  const sendings: number[] = []
  const first = sent
  const startedAt = performance.now() + 20
  const dueAt = (n: number) => startedAt + (n * 1000) / rate
  const note: OnArrived = (talker, bytes, start) => {
    const n = numberIn(bytes, start) - first
    if (n < 0 || senders[n % senders.length] === talker) return
    const group = talker.member.group ?? ''
    const known = latencies.get(group) ?? []
    if (known.length === 0) latencies.set(group, known)
    known.push(performance.now() - dueAt(n))
  }
  for (const talker of talkers) talker.onArrived = note
  const total = Math.floor(rate * seconds)
  for (let n = 0; n < total; await Bun.sleep(TICK_MS)) {
    const now = performance.now()
    while (n < total && dueAt(n) <= now) {
      sendings.push(performance.now() - dueAt(n))
      senders[n++ % senders.length]?.send()
    }
  }
  await settle(talkers, copies)
  for (const talker of talkers) talker.onArrived = undefined
  const arrivals = Object.fromEntries([...latencies].map(([group, values]) => [group, summarize(values)]))
  return { arrivals, sendings: summarize(sendings) }
}

async function main(): Promise<void> {
  let talkers: Talker[] | undefined
  let copies = 1
  const answer = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`)
  for await (const line of console) {
    // The end of the input.
    if (line === '') break
    if (!talkers) {
      const options = JSON.parse(line) as LoadOptions
      copies = options.copies
      const protocol = protocols[options.protocol]
      talkers = options.members.map((member, index) => new Talker(index, member, protocol, options.content))
      for (let at = 0; at < talkers.length; at += OPEN_AT_ONCE) {
        await Promise.all(talkers.slice(at, at + OPEN_AT_ONCE).map((talker) => talker.open()))
      }
      answer('ready')
      continue
    }
    const command = JSON.parse(line) as Command
    if (command.do === 'schedule') answer(await schedule(talkers, copies, command.rate, command.seconds))
    else {
      answer(await saturate(talkers, command.window, command.seconds, () => answer('flowing')))
      await settle(talkers, copies)
      answer('idle')
    }
  }
}

if (import.meta.main) {
  await main()
  process.exit(0)
}
