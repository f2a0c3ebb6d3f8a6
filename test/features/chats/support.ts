/** What the tests of chats share. */
import type { Json, TestUser } from '../../support/client.ts'
import type { TestServer } from '../../support/server.ts'

export const say = async (user: TestUser, chatId: string, content: string): Promise<Json> => {
  const { status, body } = await user.post('/messages', { chat_id: chatId, content })
  if (status !== 201) throw new Error(`Not sent: ${status} ${JSON.stringify(body)}`)
  return body
}

export const addUsers = (server: TestServer, count: number): Promise<TestUser[]> =>
  Promise.all(Array.from({ length: count }, () => server.addUser()))

/** The chat as `user` sees it in the list of their chats. */
export const overviewOf = async (user: TestUser, chatId: string): Promise<Json> => {
  const { body } = await user.get(`/chats/${chatId}`)
  return body
}

/** Role by user id, in the order of joining. */
export const rolesIn = async (user: TestUser, chatId: string): Promise<[string, string][]> => {
  const { body } = await user.get(`/chats/${chatId}/members`)
  return body.members.map((member: Json) => [member.user.id, member.role])
}
