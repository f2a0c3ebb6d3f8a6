import { expect, test } from 'bun:test'
import { startServer } from '../support/server.ts'
import { Client, fieldsOf, login, newRegistration, personOf, register, sortedTexts, text } from './client.ts'
import { documented } from './shapes.ts'

test('two people meet, talk, and find everything again after a restart', async () => {
  const server = await startServer()
  const johns = newRegistration('john')
  const janes = newRegistration('jane')
  let john = await register(server.url, johns)
  let jane = await register(server.url, janes)
  await jane.patch('/users/me', { bio: 'I write poems' })
  expect((await john.get(`/users/${jane.id}`)).body).toMatchObject({ username: 'jane', bio: 'I write poems' })

  // Jane is there when John opens the chat, which she did not know of.
  let janesSocket = await jane.connect()
  const opened = await john.get(`/chats/dm/${jane.id}`)
  expect(opened.status).toBe(201)
  const chatId = text(opened.body, 'id')
  let johnsSocket = await john.connect()
  expect(johnsSocket.frames[0]).toMatchObject({ type: 'user_chats', chat_ids: [chatId] })
  expect(await janesSocket.next('online_status')).toMatchObject({ user_id: john.id, is_online: true })

  johnsSocket.send({ type: 'typing', chat_id: chatId })
  expect(await janesSocket.next('typing')).toMatchObject({ chat_id: chatId, user_id: john.id, is_typing: true })
  johnsSocket.send({ type: 'message', chat_id: chatId, content: 'Hello, Jane!' })
  const hello = fieldsOf(await janesSocket.next('new_message'), 'message')
  expect(hello).toMatchObject({ sender_id: john.id, chat_id: chatId, content: 'Hello, Jane!' })
  expect(fieldsOf(await johnsSocket.next('new_message'), 'message')).toEqual(hello)

  janesSocket.send({ type: 'read', chat_id: chatId })
  expect(await johnsSocket.next('read')).toMatchObject({ user_id: jane.id, message_id: hello.id, unread_count: 0 })
  janesSocket.send({ type: 'message', chat_id: chatId, content: 'Hello, John!' })
  const answer = fieldsOf(await johnsSocket.next('new_message'), 'message')

  // While she is away he goes on, and asks a group too.
  await janesSocket.close()
  const missed = await john.say(chatId, 'Are you there?')
  const groupId = await john.groupWith(jane)
  const asked = await john.say(groupId, 'Who comes along?')
  const conversation = { messages: [missed, answer, hello], total: 3, has_more: false }
  expect((await john.get(`/chats/${chatId}/messages`)).body).toEqual(conversation)
  const profile = (await jane.get('/users/me')).body

  await server.stop()
  await johnsSocket.closed
  const restarted = await startServer({ DATABASE_URL: String(server.config.DATABASE_URL) })
  try {
    john = john.at(restarted.url)
    jane = jane.at(restarted.url)

    // Tokens, profiles, chats and messages are what they were.
    expect((await jane.get('/users/me')).body).toEqual({ ...profile, last_seen: expect.any(String) })
    expect((await jane.get(`/chats/${chatId}/messages`)).body).toEqual(conversation)
    const group = (await jane.get(`/chats/${groupId}/messages`)).body
    expect(group).toEqual({ messages: [asked], total: 1, has_more: false })
    const dm = await john.get(`/chats/dm/${jane.id}`)
    expect(dm.status).toBe(200)
    expect(documented('dm', dm.body)).toEqual(documented('dm', opened.body))
    const refreshed = await new Client(restarted.url).post('/auth/refresh', { refresh_token: jane.refreshToken })
    expect(refreshed.status).toBe(200)
    const signedIn = await login(restarted.url, johns.email)
    expect(signedIn.body.user_id).toBe(john.id)
    expect((await login(restarted.url, janes.phone)).body.user_id).toBe(jane.id)
    expect((await login(restarted.url, janes.phone, 'WrongPass123!')).status).toBe(401)

    // And the talk goes on.
    john = personOf(restarted.url, signedIn)
    janesSocket = await jane.connect()
    johnsSocket = await john.connect()
    expect(sortedTexts({ ...janesSocket.frames[0] }, 'chat_ids')).toEqual([chatId, groupId].sort())
    janesSocket.send({ type: 'read', chat_id: chatId })
    expect(await johnsSocket.next('read')).toMatchObject({ user_id: jane.id, message_id: missed.id, unread_count: 0 })
    janesSocket.send({ type: 'message', chat_id: chatId, content: 'I am back' })
    const back = fieldsOf(await johnsSocket.next('new_message'), 'message')
    expect((await john.get(`/chats/${chatId}/messages`)).body).toEqual({
      messages: [back, missed, answer, hello],
      total: 4,
      has_more: false,
    })
  } finally {
    await restarted.stop()
  }
})
