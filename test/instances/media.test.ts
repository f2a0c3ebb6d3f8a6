/** Files on several instances: each asks at every view. */
import { afterAll, beforeAll, expect, it } from 'bun:test'
import { sendFile } from '../features/media/support.ts'
import { startServer, type TestServer } from '../support/server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startServer({}, { instances: 2 })
})
afterAll(() => server.stop())

it('a removal, a deleted message and a deleted account close the file at once, wherever it is asked for', async () => {
  const [first = '', second = ''] = server.instanceUrls
  const [ann, ben, cleo] = [await server.addUser(), await server.addUser(), await server.addUser()]
  const chatId = await server.addGroup(ann, ben, cleo)
  const file = await sendFile(server, ann, chatId)
  const linkOf = async (user: typeof ann) =>
    (await user.post('/media/links', { paths: [file.filePath] })).body.links[0].url
  const links = { ben: await linkOf(ben), cleo: await linkOf(cleo), ann: await linkOf(ann) }
  const see = async (link: string) =>
    Promise.all([first, second].map(async (base) => (await fetch(`${base}${link}`)).status))

  for (const link of Object.values(links)) expect(await see(link)).toEqual([200, 200])
  await ann.at(first).delete(`/chats/${chatId}/members/${ben.id}`)
  expect(await see(links.ben)).toEqual([404, 404])
  await cleo.at(second).delete('/users/me')
  expect(await see(links.cleo)).toEqual([404, 404])
  expect(await see(links.ann)).toEqual([200, 200])
  await ann.at(first).delete(`/chats/${chatId}/messages/${file.messageId}`)
  expect(await see(links.ann)).toEqual([404, 404])
  expect((await ann.at(second).get(`/media/${file.filePath}`)).status).toBe(404)
})
