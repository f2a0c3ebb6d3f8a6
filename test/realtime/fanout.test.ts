/** Races that no client can bring about at will: the database and the bus answer when the test says so. */

import { describe, expect, it } from 'bun:test'
import type { ServerWebSocket } from 'bun'
import type { Bus, BusListener, BusMessage } from '../../src/bus/bus.ts'
import { chatJoined, chatLeft } from '../../src/bus/control.ts'
import { chatTopic, type Topic, userTopic } from '../../src/bus/topics.ts'
import { chatNotFound } from '../../src/errors.ts'
import type { ChatOverview, Head } from '../../src/features/chats/model.ts'
import { createLog } from '../../src/observability/log.ts'
import { createFanout } from '../../src/realtime/fanout.ts'
import { Socket } from '../../src/realtime/socket.ts'
import { until } from '../support/until.ts'

/** An id that tells who it is. */
const uuid = (name: string) => `${'0'.repeat(8)}-0000-4000-8000-${name.padStart(12, '0')}`
const USER = uuid('e1')
const [A, B, C] = [uuid('a'), uuid('b'), uuid('c')]
const head = (chatId: string, seq = 0): Head => ({ chatId, type: 'group', memberCount: 2, seq, rev: 0 })
const said = (chatId: string, text: string): BusMessage => ({
  topic: chatTopic(chatId),
  kind: 'event',
  payload: JSON.stringify({ type: 'new_message', text }),
})

/** Questions that wait for the test to answer them, in the order of asking. */
function createQuestions<T>() {
  const open: PromiseWithResolvers<T>[] = []
  return {
    ask(): Promise<T> {
      const question = Promise.withResolvers<T>()
      open.push(question)
      return question.promise
    },
    count: () => open.length,
    /** Answers the oldest, and lets everything that follows from it happen. */
    async answer(value: T): Promise<void> {
      await until(() => open.length > 0)
      open.shift()?.resolve(value)
      await settle()
    },
    async fail(error: Error): Promise<void> {
      await until(() => open.length > 0)
      open.shift()?.reject(error)
      await settle()
    },
  }
}

const settle = () => Bun.sleep(1)

function createWorld() {
  const lists = createQuestions<Head[]>()
  const chats = createQuestions<ChatOverview>()
  const subscriptions = createQuestions<void>()
  const world = { confirmsAtOnce: true }
  const followed = new Map<string, number>()
  const listeners: BusListener[] = []
  const publish = (batch: readonly BusMessage[]) => {
    for (const message of batch) for (const listener of listeners) listener(message)
  }
  const bus: Bus = {
    publish,
    subscribe(topics) {
      for (const topic of topics) followed.set(topic, (followed.get(topic) ?? 0) + 1)
      return world.confirmsAtOnce ? Promise.resolve() : subscriptions.ask()
    },
    unsubscribe(topics) {
      for (const topic of topics) {
        const left = (followed.get(topic) ?? 0) - 1
        if (left === 0) followed.delete(topic)
        else followed.set(topic, left)
      }
    },
    onMessage: (listener) => listeners.push(listener),
    onGap: () => {},
    close: () => Promise.resolve(),
  }
  const lost: string[] = []
  const fanout = createFanout({
    bus,
    log: createLog('error', () => {}),
    listHeads: lists.ask,
    listOwnIds: async () => (await lists.ask()).map(({ chatId }) => chatId),
    getChat: chats.ask,
    onLostChat: (_userId, chatId) => lost.push(chatId),
    maxPerUser: 100,
  })
  const native = new Map<string, Set<Wire>>()
  // The native publishing of Bun's server, which needs nothing but the topics here.
  fanout.attach({
    publish(topic: string, payload: string) {
      for (const wire of native.get(topic) ?? []) wire.frames.push(JSON.parse(payload))
      return 0
    },
  } as unknown as Parameters<typeof fanout.attach>[0])

  function connect() {
    const wire: Wire = { frames: [], topics: new Set() }
    const socket = new Socket()
    socket.caller = { userId: USER, sessionId: 's1', expiresAt: 0 }
    socket.attach({
      send: (frame: string) => wire.frames.push(JSON.parse(frame)),
      subscribe(topic: string) {
        wire.topics.add(topic)
        native.set(topic, (native.get(topic) ?? new Set()).add(wire))
      },
      unsubscribe(topic: string) {
        wire.topics.delete(topic)
        native.get(topic)?.delete(wire)
      },
    } as unknown as ServerWebSocket<Socket>)
    const opened = fanout.open(socket, USER)
    return { socket, wire, opened }
  }

  /** An open socket of a user in these chats. */
  async function connected(...chatIds: string[]) {
    const connection = connect()
    await lists.answer(chatIds.map((id) => head(id)))
    await lists.answer(chatIds.map((id) => head(id)))
    expect(await connection.opened).toBeDefined()
    return connection
  }
  return { world, lists, chats, subscriptions, followed, publish, fanout, lost, connect, connected }
}

interface Wire {
  frames: { type: string; text?: string; chat_ids?: string[]; chat_id?: string }[]
  topics: Set<string>
}

const overview = (id: string, lastSeq = 0) => ({ id, last_seq: lastSeq, last_rev: 0 }) as ChatOverview
const types = ({ frames }: Wire) => frames.map(({ type, text }) => text ?? type)

describe('a socket that opens', () => {
  it('holds events until user_chats is sent, then sends them in order', async () => {
    const { lists, publish, connect } = createWorld()
    const { wire, opened } = connect()
    await lists.answer([head(A)])
    publish([said(A, 'one'), said(B, 'of others')])
    publish([said(A, 'two')])
    expect(wire.frames).toEqual([])
    await lists.answer([head(A, 1)])
    await opened
    publish([said(A, 'three')])
    expect(types(wire)).toEqual(['user_chats', 'one', 'two', 'three'])
  })

  it('holds what is for its user too, and nothing that is for another one or for every instance', async () => {
    const { lists, publish, connect } = createWorld()
    const { wire, opened } = connect()
    const told = (topic: Topic, text: string): BusMessage => ({ ...said(A, text), topic })
    await lists.answer([head(A), head(USER)])
    publish([told(userTopic(USER), 'mine'), told(userTopic(A), 'of a user'), told('instances', 'of instances')])
    publish([said(USER, 'of a chat'), told(userTopic(uuid('e11')), 'of another')])
    await lists.answer([head(A), head(USER)])
    await opened
    expect(types(wire)).toEqual(['user_chats', 'mine', 'of a chat'])
  })

  it('holds from its first moment what is said where another socket of the user listens, until the chat is left', async () => {
    const { lists, chats, publish, connected, connect } = createWorld()
    const first = await connected(A, B)
    const second = connect()
    publish([said(A, 'at once'), chatJoined(USER, C)])
    await chats.answer(overview(C))
    publish([said(C, 'in the new one'), chatLeft(USER, B), said(B, 'secret'), said(A, 'still')])
    await lists.answer([head(A), head(C)])
    await lists.answer([head(A), head(C)])
    await second.opened
    const events = ['at once', 'chat_created', 'in the new one', 'chat_removed', 'still']
    expect(types(first.wire)).toEqual(['user_chats', ...events])
    expect(types(second.wire)).toEqual(['user_chats', ...events])
    // Open, it is told each thing once.
    publish([said(A, 'once')])
    expect(types(second.wire).slice(-2)).toEqual(['still', 'once'])
  })

  it('does not follow a chat that was left while the list of chats was on its way', async () => {
    const { lists, publish, connected, connect, followed } = createWorld()
    const first = await connected(A)
    const second = connect()
    await until(() => lists.count() === 1)
    publish([chatLeft(USER, A)])
    // Read before the commit, answered after the news.
    await lists.answer([head(A)])
    await lists.answer([])
    await second.opened
    publish([said(A, 'secret')])
    expect(types(first.wire)).toEqual(['user_chats', 'chat_removed'])
    expect(second.wire.frames.map(({ chat_ids }) => chat_ids)).toEqual([[]])
    expect(followed.has(chatTopic(A))).toBe(false)
  })

  it('does not follow a chat left while its place was read, and says so', async () => {
    const { lists, publish, connect } = createWorld()
    const { wire, opened } = connect()
    await lists.answer([head(A)])
    publish([chatLeft(USER, A)])
    await lists.answer([head(A)])
    await opened
    publish([said(A, 'secret')])
    expect(types(wire)).toEqual(['user_chats', 'chat_removed'])
    expect(wire.frames[0]?.chat_ids).toEqual([])
    expect([...wire.topics]).toEqual([])
  })

  it('follows a chat that was left and joined again meanwhile', async () => {
    const { lists, chats, publish, connect } = createWorld()
    const { wire, opened } = connect()
    await until(() => lists.count() === 1)
    publish([chatLeft(USER, A), chatJoined(USER, A)])
    await lists.answer([head(A)])
    await chats.answer(overview(A, 3))
    await lists.answer([head(A, 3)])
    await opened
    publish([said(A, 'four')])
    expect(types(wire)).toEqual(['user_chats', 'chat_created', 'four'])
  })

  it('waits for the subscriptions that another socket of the user asked for', async () => {
    const { world, lists, subscriptions, connect } = createWorld()
    world.confirmsAtOnce = false
    const [first, second] = [connect(), connect()]
    await settle()
    expect(lists.count()).toBe(0)
    await subscriptions.answer()
    expect(lists.count()).toBe(2)
    await lists.answer([head(A)])
    await lists.answer([head(A)])
    // Neither may read where the chat stands before its events come.
    await settle()
    expect(lists.count()).toBe(0)
    await subscriptions.answer()
    await subscriptions.answer()
    await lists.answer([head(A)])
    await lists.answer([head(A)])
    expect(await first.opened).toHaveLength(1)
    expect(await second.opened).toHaveLength(1)
  })

  for (const step of ['the list of chats', 'the places of the chats'] as const) {
    it(`leaves nothing behind when it closes before ${step} came`, async () => {
      const { lists, publish, connect, fanout, followed } = createWorld()
      const { socket, wire, opened } = connect()
      if (step === 'the places of the chats') await lists.answer([head(A)])
      await until(() => lists.count() === 1)
      socket.state = 'closed'
      fanout.close(socket)
      await lists.answer([head(A)])
      expect(await opened).toBeUndefined()
      publish([said(A, 'late'), chatJoined(USER, B)])
      expect(wire.frames).toEqual([])
      expect(followed.size).toBe(0)
    })
  }

  it('does not come back to life when it closed before it was opened', async () => {
    const { fanout, followed } = createWorld()
    const socket = new Socket()
    socket.state = 'closed'
    expect(await fanout.open(socket, USER)).toBeUndefined()
    expect(socket.state).toBe('closed')
    expect(followed.size).toBe(0)
  })

  it('passes a failure on, and another socket opens all the same', async () => {
    const { lists, connect, connected, fanout, followed } = createWorld()
    const broken = connect()
    const outcome = broken.opened.catch((error: Error) => error.message)
    await lists.fail(new Error('The database is away'))
    expect(await outcome).toBe('The database is away')
    broken.socket.state = 'closed'
    fanout.close(broken.socket)
    expect(followed.size).toBe(0)
    const { wire } = await connected(A)
    expect(types(wire)).toEqual(['user_chats'])
  })
})

describe('a chat joined later', () => {
  it('is told by chat_created first, whatever is said meanwhile', async () => {
    const { chats, publish, connected } = createWorld()
    const [one, two] = [await connected(), await connected()]
    publish([chatJoined(USER, A), said(A, 'one')])
    await settle()
    publish([said(A, 'two')])
    await chats.answer(overview(A, 1))
    publish([said(A, 'three')])
    for (const { wire } of [one, two])
      expect(types(wire)).toEqual(['user_chats', 'chat_created', 'one', 'two', 'three'])
  })

  it('is not followed when it was left before it could be read', async () => {
    const { chats, publish, connected, followed } = createWorld()
    const { wire } = await connected()
    publish([chatJoined(USER, A)])
    await until(() => chats.count() === 1)
    publish([said(A, 'as a member'), chatLeft(USER, A), said(A, 'secret')])
    await chats.answer(overview(A))
    publish([said(A, 'secret')])
    expect(types(wire)).toEqual(['user_chats', 'chat_removed'])
    expect(followed.has(chatTopic(A))).toBe(false)
  })

  it('is not followed when the news of leaving came before that of joining', async () => {
    const { chats, publish, connected, followed } = createWorld()
    const { wire } = await connected()
    publish([chatLeft(USER, A), chatJoined(USER, A)])
    await chats.fail(chatNotFound())
    publish([said(A, 'secret')])
    expect(types(wire)).toEqual(['user_chats'])
    expect(followed.has(chatTopic(A))).toBe(false)
  })

  it('is followed once when it was left and joined again at once', async () => {
    const { chats, publish, connected, followed } = createWorld()
    const { wire } = await connected()
    publish([chatJoined(USER, A)])
    await until(() => chats.count() === 1)
    publish([chatLeft(USER, A), chatJoined(USER, A)])
    // The first question was asked while one was no member.
    await chats.fail(chatNotFound())
    await chats.answer(overview(A))
    publish([said(A, 'hello')])
    expect(types(wire)).toEqual(['user_chats', 'chat_removed', 'chat_created', 'hello'])
    expect(followed.get(chatTopic(A))).toBe(1)
  })

  it('makes the clients sync when it cannot be read, and is followed', async () => {
    const { chats, publish, connected } = createWorld()
    const { wire } = await connected()
    publish([chatJoined(USER, A)])
    await chats.fail(new Error('The database is away'))
    publish([said(A, 'hello')])
    expect(types(wire)).toEqual(['user_chats', 'resync', 'hello'])
  })

  it('is forgotten with the last socket', async () => {
    const { chats, publish, connected, fanout, followed } = createWorld()
    const { socket, wire } = await connected(A)
    publish([chatJoined(USER, B)])
    await until(() => chats.count() === 1)
    socket.state = 'closed'
    fanout.close(socket)
    expect(followed.size).toBe(0)
    await chats.answer(overview(B))
    expect(followed.size).toBe(0)
    expect(types(wire)).toEqual(['user_chats'])
  })
})

describe('a chat that was left', () => {
  it('is left by every socket at once; those that looked at it are told once each', async () => {
    const { publish, connected, lost } = createWorld()
    const [one, two] = [await connected(A, B), await connected(A, B)]
    one.socket.joinedChats = new Set([A, B])
    publish([chatLeft(USER, A), said(A, 'secret'), said(B, 'hello')])
    expect(lost).toEqual([A])
    for (const { wire } of [one, two]) expect(types(wire)).toEqual(['user_chats', 'chat_removed', 'hello'])
  })

  it('cannot be looked at by a frame that was under way', async () => {
    const { publish, connected } = createWorld()
    const { socket } = await connected(A)
    socket.joiningChat = A
    publish([chatLeft(USER, A)])
    expect(socket.joiningChat).toBeUndefined()
  })
})
