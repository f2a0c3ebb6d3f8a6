/** The product and its stand-ins with the same people in the same chats, each with a load of its own, to take turns. */
import { cpuSeconds } from '../cpu.ts'
import { type Load, startLoad } from '../load/start.ts'
import type { Samples, Undo } from '../part.ts'
import { addChats, addPeople, type Person } from '../people.ts'
import { type Messenger, startMessenger } from '../systems/messenger.ts'
import type { BenchPostgres } from '../systems/postgres.ts'
import type { BenchServer } from '../systems/server.ts'
import { startStandIn, type Variant } from '../systems/stand-in.ts'

/** Fifty characters. */
export const CONTENT = 'A message of an ordinary length: fifty characters.'

export interface Contestant {
  name: string
  server: BenchServer
  load: Load
}

export interface World {
  people: number
  /** Who shares chats with whom. */
  group(people: readonly Person[]): Person[][]
  /** Of a chat only the first sends. */
  isFirstAlone?: boolean
}

export interface Contest {
  messenger: Messenger
  /** The product first. */
  contestants: Contestant[]
}

export async function startContest(
  postgres: BenchPostgres,
  undo: Undo,
  world: World,
  variants: readonly Variant[],
): Promise<Contest> {
  const messenger = await startMessenger(postgres, undo)
  const people = await addPeople(messenger.database, world.people, messenger.secret)
  const groups = world.group(people)
  const chatIds = await addChats(messenger.database, groups)
  const size = groups[0]?.length ?? 0
  const membersOn = (url: string, tokenOf: (person: Person) => string) =>
    groups.flatMap((group, n) =>
      group.map((person, place) => ({
        url,
        token: tokenOf(person),
        chatId: chatIds[n] ?? '',
        isSilent: world.isFirstAlone === true && place > 0,
      })),
    )
  const add = async (server: BenchServer, protocol: 'messenger' | 'stand-in', tokenOf: (person: Person) => string) => {
    // The product sends a message to all sockets of the chat, socket.io to all others: the sender has its answer.
    const copies = protocol === 'messenger' ? size : size - 1
    const load = await startLoad({ protocol, members: membersOn(server.url, tokenOf), content: CONTENT, copies })
    undo.add(load.stop)
    return { name: server.name, server, load }
  }
  const contestants = [await add(messenger, 'messenger', ({ token }) => token)]
  const chats = groups.map((group, n) => ({ id: chatIds[n] ?? '', userIds: group.map(({ id }) => id) }))
  for (const variant of variants) {
    const standIn = await startStandIn(postgres, undo, variant, { userIds: people.map(({ id }) => id), chats })
    contestants.push(await add(standIn, 'stand-in', ({ id }) => standIn.tokenOf(id)))
  }
  return { messenger, contestants }
}

/** Lets one, or none of them, take its turn while all others stand still. */
export async function inTurn<T>(
  contestants: readonly { server: BenchServer }[],
  own: BenchServer | undefined,
  measure: () => Promise<T>,
): Promise<T> {
  for (const { server } of contestants) if (server !== own) server.freeze()
  try {
    return await measure()
  } finally {
    for (const { server } of contestants) server.thaw()
  }
}

/** Saturates one, and notes messages a second, deliveries a second and microseconds of CPU a message. */
export async function measureSaturated(
  { name, server, load }: Contestant,
  postgres: BenchPostgres,
  window: number,
  seconds: number,
  samples: Samples,
): Promise<void> {
  const read = async () => ({
    server: await cpuSeconds(server.pid),
    postgres: await cpuSeconds(postgres.pid),
    load: await cpuSeconds(load.pid),
  })
  let [before, after] = [await read(), await read()]
  const counts = await load.saturate(window, seconds, async () => {
    before = after
    after = await read()
  })
  const perMessage = (part: keyof typeof before) => ((after[part] - before[part]) / counts.acknowledged) * 1e6
  const key = `${name}, window ${window}`
  samples.note(`${key}: acknowledged/s`, counts.acknowledged / counts.seconds)
  samples.note(`${key}: delivered/s`, counts.arrived / counts.seconds)
  for (const part of ['server', 'postgres', 'load'] as const) {
    samples.note(`${key}: CPU µs a message, ${part}`, perMessage(part))
  }
  samples.note(`${key}: CPU µs a message`, perMessage('server') + perMessage('postgres'))
}
