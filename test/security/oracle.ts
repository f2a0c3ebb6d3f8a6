/** What a stranger can find out: a chat they are not in and one that is not there are the same, in words and in time. */
import { type Answer, type Json, TestSocket, type TestUser } from '../support/client.ts'
import { allOf, noneOf, type Outcome, type Scenario } from '../support/scenario.ts'
import { startServer } from '../support/server.ts'
import { separation } from './logins.ts'

type Ask = (user: TestUser, chatId: string, otherId: string) => Promise<Answer>

/** Everything that names a chat; `otherId` is a message, a member or an invite of it, or one that is not there. */
const questions: Record<string, Ask> = {
  'GET chat': (user, id) => user.get(`/chats/${id}`),
  'PATCH chat': (user, id) => user.patch(`/chats/${id}`, { name: 'Mine' }),
  'DELETE chat': (user, id) => user.delete(`/chats/${id}`),
  'GET messages': (user, id) => user.get(`/chats/${id}/messages`),
  'GET changes': (user, id) => user.get(`/chats/${id}/changes`),
  'POST message': (user, id) => user.post('/messages', { chat_id: id, content: 'hello' }),
  'POST reply': (user, id, other) => user.post('/messages', { chat_id: id, content: 'hello', reply_to_id: other }),
  'PATCH message': (user, id, other) => user.patch(`/chats/${id}/messages/${other}`, { content: 'mine' }),
  'DELETE message': (user, id, other) => user.delete(`/chats/${id}/messages/${other}`),
  'POST read': (user, id) => user.post(`/chats/${id}/read`),
  'GET members': (user, id) => user.get(`/chats/${id}/members`),
  'POST members': (user, id) => user.post(`/chats/${id}/members`, { user_ids: [user.id] }),
  'PATCH member': (user, id, other) => user.patch(`/chats/${id}/members/${other}`, { role: 'admin' }),
  'DELETE member': (user, id, other) => user.delete(`/chats/${id}/members/${other}`),
  'POST invites': (user, id) => user.post(`/chats/${id}/invites`, {}),
  'GET invites': (user, id) => user.get(`/chats/${id}/invites`),
  'search in it': (user, id) => user.get(`/messages/search?q=secret&chat_id=${id}`),
  'private channel': (user, id) => user.get(`/channels/${id}`),
  subscribe: (user, id) => user.post(`/channels/${id}/subscribe`),
}

const frames: ((chatId: string) => Record<string, unknown>)[] = [
  (chat_id) => ({ type: 'message', chat_id, content: 'hello' }),
  (chat_id) => ({ type: 'read', chat_id }),
  (chat_id) => ({ type: 'typing', chat_id }),
  (chat_id) => ({ type: 'join_chat', chat_id }),
]

const words = ({ status, body }: Answer, ids: readonly string[]) => {
  let text = `${status} ${JSON.stringify(body)}`
  for (const id of ids) text = text.replaceAll(id, 'ID')
  return text
}

export const existenceOracle: Scenario = {
  name: 'existence-oracle',
  bar: "a stranger's chat and a missing one: the same answers, in times that tell them apart in at most 65 of 100 tries",
  withinSeconds: 90,
  async run(size): Promise<Outcome> {
    const server = await startServer()
    const [owner, member, stranger] = [await server.addUser(), await server.addUser(), await server.addUser()]
    const group = await server.addGroup(owner, member)
    const channel = String((await owner.post('/channels', { name: 'Hidden', is_public: false })).body.id)
    const message = String((await owner.post('/messages', { chat_id: group, content: 'a secret' })).body.id)
    const missing = () => Bun.randomUUIDv7()

    const differing: string[] = []
    for (const [name, ask] of Object.entries(questions)) {
      const real = /channel|subscribe/.test(name) ? channel : group
      for (const other of [message, member.id]) {
        const [none, noOther] = [missing(), missing()]
        const there = words(await ask(stranger, real, other), [real, other])
        const gone = words(await ask(stranger, none, noOther), [none, noOther])
        if (there !== gone) differing.push(`${name}: ${there} and ${gone}`)
      }
    }
    const socket = new TestSocket(`${server.url.replace('http', 'ws')}/ws?token=${stranger.token}`)
    await socket.next('user_chats')
    const told = (frame: Json) => JSON.stringify({ error: frame.error, details: frame.details })
    for (const frame of frames) {
      const [there, gone] = [await socket.ask(frame(group)), await socket.ask(frame(missing()))]
      if (told(there) !== told(gone)) differing.push(`${frame('').type}: ${told(there)} and ${told(gone)}`)
    }
    await socket.close()

    const rounds = size === 'long' ? 600 : 150
    const times: { there: number[]; gone: number[] } = { there: [], gone: [] }
    const measure = async (which: keyof typeof times, id: string) => {
      const startedAt = performance.now()
      await stranger.get(`/chats/${id}/messages`)
      times[which].push(performance.now() - startedAt)
    }
    for (let n = 0; n < rounds; n++) {
      if (n % 2 === 0) await measure('there', group)
      await measure('gone', missing())
      if (n % 2 === 1) await measure('there', group)
    }
    await server.stop()
    const share = separation(times.there, times.gone)
    const certainty = Math.max(share, 1 - share)
    return allOf([
      noneOf(differing, 2 * Object.keys(questions).length + frames.length, 'answers differ'),
      { figure: `told apart by time in ${Math.round(100 * certainty)} of 100`, isHeld: certainty <= 0.65 },
    ])
  },
}
