/** What a client asks for when it comes back, beside a conversation of 1,000 messages a second. */
import { type Ask, answerOf, askBySchedule } from '../load/ask.ts'
import { startLoad } from '../load/start.ts'
import { type Part, quantile, type Row, Samples, Undo } from '../part.ts'
import { addChats, addPairs, addPeople } from '../people.ts'
import { indexAll } from '../search-index.ts'
import { type Messenger, startMessenger } from '../systems/messenger.ts'
import { CONTENT } from './contestants.ts'

const RATE = 1000
const READERS = 6
/** Of each reader. */
const CHATS = 200
/** In each chat. */
const MESSAGES = 60
/** Away for a day: so many chats went on, by so many messages each. */
const MISSED = { chats: 40, messages: 10 }
const ASKS_A_SECOND = 24
/** More than are answered at once. */
const WARMING_A_SECOND = 120
const WORD = 'harbour'

const KINDS = {
  list: `chat list of ${CHATS} chats`,
  history: 'history page of 50',
  sync: 'sync after a day',
  search: 'search',
}

type KindOfAsk = Ask & { kind: keyof typeof KINDS }

export const reads: Part = {
  name: 'reads',
  title: `chat list, history, sync and search beside ${RATE.toLocaleString('en')} messages/s`,
  prepare({ postgres, seconds }) {
    const undo = new Undo()
    return undo.guard(async () => {
      const messenger = await startMessenger(postgres, undo)
      const asks = await addHistory(messenger)
      const pairs = await addPairs(messenger.database, 100, messenger.secret)
      const members = pairs.map(({ token, chatId }) => ({ url: messenger.url, token, chatId }))
      const load = await startLoad({ protocol: 'messenger', members, content: CONTENT, copies: 2 })
      undo.add(load.stop)
      const samples = new Samples()
      const length = 3 * seconds
      for (const { kind, ...ask } of asks.slice(0, Object.keys(KINDS).length)) {
        samples.note(`${kind}: bytes`, await answerOf(ask))
      }
      // As when it has run for a while: each of the server's connections plans a statement once, when it first has it.
      const [everyConnection] = await Promise.all([askBySchedule(asks, WARMING_A_SECOND, 3), load.schedule(RATE, 3)])
      if (everyConnection.some(({ ms }) => !Number.isFinite(ms))) throw new Error('It was asked too much to warm up')
      return {
        samples,
        rows: () => rowsOf(samples),
        async round() {
          const talking = load.schedule(RATE, length)
          const answers = await askBySchedule(asks, ASKS_A_SECOND, length)
          const { '': deliveries } = (await talking).arrivals
          samples.note('delivery: p99 ms', deliveries?.p99 ?? Number.NaN)
          for (const kind of Object.keys(KINDS)) {
            const times = answers.filter(({ ask }) => ask.kind === kind).map(({ ms }) => ms)
            samples.note(`${kind}: p50 ms`, quantile(times, 0.5))
            samples.note(`${kind}: p99 ms`, quantile(times, 0.99))
          }
        },
        stop: undo.run,
      }
    })
  },
}

function rowsOf(samples: Samples): Row[] {
  const kinds = Object.entries(KINDS)
  return [
    ...kinds.map(([kind, name]) => ({
      what: `${name}, beside ${RATE} messages/s, p99`,
      unit: 'ms',
      ours: samples.of(`${kind}: p99 ms`),
      goal: kind === 'search' ? undefined : { atMost: 20 },
    })),
    ...kinds.map(([kind, name]) => ({ what: `${name}, p50`, unit: 'ms', ours: samples.of(`${kind}: p50 ms`) })),
    { what: 'delivery beside these requests, p99', unit: 'ms', ours: samples.of('delivery: p99 ms') },
  ]
}

/** Users with chats and their history, all of it indexed. @returns what they ask for, in turns */
async function addHistory({ database, secret, url }: Messenger): Promise<KindOfAsk[]> {
  const { sql } = database
  const readers = await addPeople(database, READERS, secret)
  const others = await addPeople(database, CHATS, secret)
  const chatIds = await addChats(
    database,
    readers.flatMap((reader) => others.map((other) => [reader, other])),
  )
  await sql`
    insert into messages (chat_id, id, seq, sender_id, client_id, content, created_at, updated_at)
    select m.chat_id, gen_random_uuid(), seq, m.user_id, m.chat_id::text || seq,
      'Number ' || seq || ', as people write when they meet ' ||
        (array['at the ', 'in the garden by the ', 'with a view over the ', 'far from any '])[1 + seq % 4] ||
        case when seq % 4 = 0 then ${WORD} else 'mill' end,
      at, at
    from chat_members m, generate_series(1, ${MESSAGES}::int) seq,
      lateral (select now() - (${MESSAGES}::int - seq) * interval '1 hour' as at) moment
    where m.user_id = any(${others.map(({ id }) => id)}::uuid[])`
  await sql`
    update chats set last_seq = ${MESSAGES}, last_message_at = now() - random() * interval '1 day'
    where id = any(${chatIds}::uuid[])`
  await indexAll(database)
  await sql`analyze`
  const api = `${url}/api/v1`
  return readers.flatMap(({ token }, n): KindOfAsk[] => {
    const own = chatIds.slice(n * CHATS, (n + 1) * CHATS)
    const held = own.map((id, at) => [id, { seq: MESSAGES - (at < MISSED.chats ? MISSED.messages : 0), rev: 0 }])
    const body = { chats: Object.fromEntries(held) }
    return [
      { kind: 'list', url: `${api}/chats?limit=100`, token, isPaged: true },
      { kind: 'history', url: `${api}/chats/${own[7]}/messages?limit=50`, token },
      { kind: 'sync', url: `${api}/sync`, method: 'POST', token, body },
      { kind: 'search', url: `${api}/messages/search?q=${WORD}`, token },
    ]
  })
}
