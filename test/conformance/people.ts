/** People whose passwords play no part, so that none is hashed. */

import type { TestServer } from '../support/server.ts'
import { Person } from './client.ts'

export async function addPerson(server: TestServer, username: string): Promise<Person> {
  const { id, token, refreshToken } = await server.addUser(username)
  return new Person(server.url, id, token, refreshToken)
}
