/** What a client asks for when it comes back, beside a conversation of 1,000 messages a second. */
import { createSearchIndexer } from '../../../src/features/messages/search-indexer.ts'
import { createLog } from '../../../src/observability/log.ts'
import { type Ask, answerOf, askBySchedule } from '../load/ask.ts'
import { startLoad } from '../load/start.ts'
import { type Part, quantile, type Row, Samples, Undo } from '../part.ts'
import { addChats, addPairs, addPeople } from '../people.ts'
import { type Messenger, startMessenger } from '../systems/messenger.ts'
import { CONTENT } from './contestants.ts'

const RATE = 1000
const CHATS = 200
/** In each of them. */
const MESSAGES = 200
/** Away for a day: so many chats went on, by so many messages each. */
const MISSED = { chats: 40, messages: 10 }
const ASKS_A_SECOND = 60
const WORD = 'harbour'

const NAMES = {
  list: `chat list of ${CHATS} chats`,
  history: 'history page of 50',
  sync: 'sync after a day',
  search: 'search',
}

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
      const length = 2 * seconds
      for (const [kind, ask] of Object.entries(asks)) samples.note(`${kind}: bytes`, await answerOf(ask))
      await askBySchedule(Object.values(asks), ASKS_A_SECOND, 2)
      await load.schedule(RATE, 1)
      return {
        samples,
        rows: () => rowsOf(samples),
        async round() {
          const talking = load.schedule(RATE, length)
          const answers = await askBySchedule(Object.values(asks), ASKS_A_SECOND, length)
          const { '': deliveries } = await talking
          samples.note('delivery: p99 ms', deliveries?.p99 ?? Number.NaN)
          for (const [kind, ask] of Object.entries(asks)) {
            const times = answers.filter((answer) => answer.ask === ask).map(({ ms }) => ms)
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
  const kinds = Object.entries(NAMES)
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

/** A user with chats and their history, all of it indexed. @returns what the user asks for */
async function addHistory({ database, secret, url }: Messenger): Promise<Record<keyof typeof NAMES, Ask>> {
  const { sql } = database
  const [reader, ...others] = await addPeople(database, 1 + CHATS, secret)
  if (!reader) throw new Error('No reader')
  const chatIds = await addChats(
    database,
    others.map((other) => [reader, other]),
  )
  await sql`
    insert into messages (chat_id, id, seq, sender_id, client_id, content, created_at, updated_at)
    select m.chat_id, gen_random_uuid(), seq, m.user_id, m.chat_id::text || seq,
      'Number ' || seq || ', as people write when they meet ' ||
        (array['at the ${sql.unsafe(WORD)}', 'in the garden', 'by the old mill', 'somewhere else'])[1 + seq % 4],
      at, at
    from chat_members m, generate_series(1, ${MESSAGES}::int) seq,
      lateral (select now() - (${MESSAGES}::int - seq) * interval '1 hour' as at)
    where m.user_id <> ${reader.id} and m.chat_id = any(${chatIds}::uuid[])`
  await sql`
    update chats set last_seq = ${MESSAGES}, last_message_at = now() - random() * interval '1 day'
    where id = any(${chatIds}::uuid[])`
  const indexer = createSearchIndexer({ db: database.db, log: createLog('error'), everyMs: 1, share: 1 })
  await indexer.catchUp()
  await indexer.stop()
  await sql`analyze`
  const held = chatIds.map((id, n) => [id, { seq: MESSAGES - (n < MISSED.chats ? MISSED.messages : 0), rev: 0 }])
  const api = `${url}/api/v1`
  const { token } = reader
  return {
    list: { url: `${api}/chats?limit=100`, token, isPaged: true },
    history: { url: `${api}/chats/${chatIds[7]}/messages?limit=50`, token },
    sync: { url: `${api}/sync`, method: 'POST', token, body: { chats: Object.fromEntries(held) } },
    search: { url: `${api}/messages/search?q=${WORD}`, token },
  }
}
