/** Plays the stories through the services, as their people would have, and then moves them into the past. */
import type { Db } from '../db/client.ts'
import type { Services } from '../services.ts'
import { ferry, news, photos } from './chats/channels.ts'
import { choir } from './chats/choir.ts'
import { fair } from './chats/fair.ts'
import { house } from './chats/house.ts'
import { pairs } from './chats/pairs.ts'
import { walkers } from './chats/walkers.ts'
import { makeFile } from './files.ts'
import { emailOf, type Name, names, type Person, people, phoneOf, usernameOf } from './people.ts'
import { toJpeg, toPng } from './pictures/draw.ts'
import type { Picture } from './pictures/svg.ts'
import { type ChatStory, instantsOf, type Line } from './script.ts'
import * as store from './store.ts'

export const stories: readonly ChatStory[] = [walkers, choir, house, fair, news, photos, ferry, ...pairs]

export interface SeedOptions {
  db: Db
  services: Services
  /** Everybody's. */
  password: string
  /** Whether premium can be bought. */
  hasPremium: boolean
  now: Date
}

export interface Seeded {
  people: number
  chats: number
  messages: number
}

/** What the audit log says of whoever did it. */
const CLIENT = { address: '127.0.0.1', userAgent: 'messenger seed-demo' }
const DAY_MS = 24 * 3600 * 1000

/** Into a database without accounts: nobody is there to be told of anything. Runs for some seconds. */
export async function seed({ db, services, password, hasPremium, now }: SeedOptions): Promise<Seeded> {
  const ids = new Map<Name, string>()
  for (const name of names) ids.set(name, await addPerson(name))
  const idOf = (name: Name): string => required(ids.get(name))

  const said: store.SaidAt[] = []
  for (const story of stories) said.push(...(await play(story)))
  await services.reads.flush()

  const chatIds = [...new Set(said.map(({ chatId }) => chatId))]
  await db.transaction(async (tx) => {
    await store.lockChats(tx, chatIds)
    await store.moveMessages(tx, said)
    await store.moveMedia(tx, chatIds)
    await store.moveChats(tx, chatIds)
    await store.moveMembers(tx, chatIds)
    await store.movePeople(tx, names.map(presenceOf))
    await store.forgetIndex(tx, chatIds)
  })
  await services.searchIndexer.catchUp()
  await services.searchIndexer.settled()
  return { people: names.length, chats: chatIds.length, messages: said.length }

  async function addPerson(name: Name): Promise<string> {
    const { bio, avatar, isPremium }: Person = people[name]
    const account = { phone: phoneOf(name), email: emailOf(name), username: usernameOf(name), password }
    const userId = await services.accounts.create(account)
    await services.users.updateProfile(userId, { bio, avatar: avatar && (await toDataUrl(avatar())) }, CLIENT)
    if (isPremium && hasPremium) await services.purchases.purchase(userId, { subscription_type: 'premium_yearly' })
    return userId
  }

  function presenceOf(name: Name): store.Presence {
    const { joinedDaysAgo, seenMinutesAgo } = people[name]
    const joinedAt = new Date(now.getTime() - joinedDaysAgo * DAY_MS)
    return { userId: idOf(name), joinedAt, seenAt: new Date(now.getTime() - seenMinutesAgo * 60_000) }
  }

  async function play(story: ChatStory): Promise<store.SaidAt[]> {
    const chatId = await open(story)
    const instants = instantsOf(story, now)
    const keys = new Map<string, string>()
    const played: store.SaidAt[] = []
    for (const line of story.days.flatMap(({ lines }) => lines)) {
      const messageId = await send(
        chatId,
        line,
        line.replyTo === undefined ? undefined : required(keys.get(line.replyTo)),
      )
      if (line.key !== undefined) keys.set(line.key, messageId)
      played.push({ chatId, messageId, at: required(instants[played.length]) })
    }
    for (const name of story.members) {
      await services.reads.markRead(idOf(name), chatId, played.length - (story.unread?.[name] ?? 0))
    }
    return played
  }

  /** @returns the id of the chat */
  async function open(story: ChatStory): Promise<string> {
    const [ownerId, ...otherIds] = story.members.map(idOf)
    const owner = required(ownerId)
    if (story.type === 'dm') return (await services.chats.getOrCreateDm(owner, required(otherIds[0]))).chat.id
    const { name, avatar } = story
    const picture = avatar && (await toDataUrl(avatar()))
    if (story.type === 'channel') {
      const { id } = await services.channels.create(owner, { name, description: story.description })
      for (const userId of otherIds) await services.channels.subscribe(userId, id)
      if (picture) await services.channels.update(owner, id, { avatar: picture })
      return id
    }
    const { id } = await services.chats.createGroup(owner, { name, type: 'group', member_ids: otherIds })
    for (const admin of story.admins ?? []) await services.members.setRole(owner, id, idOf(admin), 'admin')
    if (picture) await services.chats.update(owner, id, { avatar: picture })
    return id
  }

  /** @returns the id of the message */
  async function send(chatId: string, line: Line, replyToId: string | undefined): Promise<string> {
    const { by, text, before, isDeleted, photo, file, call } = line
    const senderId = idOf(by)
    const content = before ?? text
    let id: string
    if (call) id = await leaveCall(chatId, senderId, call)
    else if (photo || file) {
      const sent = photo ? await toPhoto(photo()) : makeFile(required(file))
      id = await upload(senderId, { chatId, content, replyToId, file: sent })
    } else {
      const wanted = { chat_id: chatId, content, reply_to_id: replyToId }
      id = (await services.messages.send(senderId, wanted)).message.id
    }
    if (before !== undefined) await services.messages.edit(senderId, chatId, id, text)
    if (isDeleted) await services.messages.delete(senderId, chatId, id)
    return id
  }

  /** What is said of a call that is over. */
  async function leaveCall(chatId: string, senderId: string, call: NonNullable<Line['call']>): Promise<string> {
    const id = Bun.randomUUIDv7()
    const attachment = { messageType: 'call' as const, mediaUrl: null, media: null, call }
    await services.messages.post({ id, chatId, senderId, content: '', clientId: id, replyToId: null, attachment })
    return id
  }

  /** As a browser does it: a form, through the same admission, making and keeping. */
  async function upload(
    senderId: string,
    { chatId, content, replyToId, file }: { chatId: string; content: string; replyToId?: string; file: File },
  ): Promise<string> {
    const form = new FormData()
    form.set('chat_id', chatId)
    form.set('content', content)
    if (replyToId !== undefined) form.set('reply_to_id', replyToId)
    form.set('file', file)
    const request = new Request('http://localhost/', { method: 'POST', body: form })
    return (await services.uploads.upload(senderId, request)).message.id
  }
}

const toDataUrl = async (picture: Picture) => `data:image/png;base64,${(await toPng(picture)).toString('base64')}`
const toPhoto = async (picture: Picture) =>
  new File([new Uint8Array(await toJpeg(picture))], 'photo.jpg', { type: 'image/jpeg' })

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('The story of the demo names somebody or something that is not in it')
  return value
}
