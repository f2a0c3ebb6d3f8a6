/** Texts that would like to be something else, and what stays out of the log. */
import { type Answer, request } from '../support/client.ts'
import { noneOf, type Outcome, type Scenario } from '../support/scenario.ts'
import { PASSWORD, startServer, TEST_SECRET } from '../support/server.ts'

const INJECTIONS = [
  "'; drop table messages; --",
  "' or '1'='1",
  '" or ""="',
  '\\',
  "\\'; select pg_sleep(5); --",
  '%27%20or%201=1',
  '$1',
  '{{7*7}}',
  '<script>alert(1)</script>',
  '*)(uid=*))(|(uid=*',
  'a\r\nx-injected: yes\r\n\r\n<html>',
  'a\nset-cookie: a=b',
  '\u2028{"level":"error","message":"forged"}',
  '\n{"level":"error","message":"forged"}\n',
  '_%\\_%',
]

export const injection: Scenario = {
  name: 'injection',
  bar: '0 texts that become SQL, a header or a line of the log',
  withinSeconds: 60,
  async run(): Promise<Outcome> {
    const server = await startServer()
    const [user, peer] = [await server.addUser(), await server.addUser()]
    const chatId = await server.addGroup(user, peer)
    const faults: string[] = []
    const check = (what: string, text: string, answer: Answer) => {
      if (answer.status >= 500) faults.push(`${what} ${JSON.stringify(text)} answered ${answer.status}`)
      if (answer.headers.has('x-injected') || answer.headers.has('set-cookie')) faults.push(`${what} set a header`)
    }
    for (const text of INJECTIONS) {
      const sent = await user.post('/messages', { chat_id: chatId, content: text, client_id: text.slice(0, 64) })
      if (sent.body.content !== text) faults.push(`${JSON.stringify(text)} was stored as another text`)
      check('a message', text, sent)
      const q = encodeURIComponent(text)
      for (const path of [
        `/users/search?q=${q}`,
        `/messages/search?q=${q}`,
        `/channels?q=${q}`,
        `/chats?cursor=${q}`,
        `/chats/${q}`,
        `/invites/${q}`,
      ]) {
        const startedAt = performance.now()
        check(`GET ${path}`, text, await user.get(path))
        if (performance.now() - startedAt > 4000) faults.push(`GET ${path} took its time`)
      }
      check('a group', text, await user.patch(`/chats/${chatId}`, { name: text.slice(0, 200) }))
      check('a bio', text, await user.patch('/users/me', { bio: text }))
      const header = text.replace(/[\r\n]/g, ' ').replace(/[^\x20-\x7e]/g, '?')
      const login = { phone_or_email: text, password: text }
      check(
        'a login',
        text,
        await request(`${server.url}/api/v1/auth/login`, 'POST', undefined, login, {
          'user-agent': header,
          'x-request-id': header,
        }),
      )
    }
    const found = await user.get(`/users/search?q=${encodeURIComponent("' or '1'='1")}`)
    if (found.body.users?.length > 0) faults.push('a search found users by a condition')
    const messages = await server.database.sql<{ n: number }[]>`select count(*)::int as n from messages`
    if (messages[0]?.n !== INJECTIONS.length) faults.push(`${messages[0]?.n} messages of ${INJECTIONS.length}`)
    // Each line was read as JSON when it came; a forged one would be a line of its own.
    const forged = server.logs.filter(({ message }) => message === 'forged')
    faults.push(...forged.map(() => 'a line of the log was forged'))
    await server.stop()
    return noneOf(faults, INJECTIONS.length * 10, 'texts did harm')
  },
}

/** Does everything that has a secret in it, in the right way and the wrong one, and looks for each in the log. */
export const secretsInLog: Scenario = {
  name: 'secrets-in-log',
  bar: '0 passwords, tokens, hashes, invite codes or message texts in the log at level debug',
  withinSeconds: 30,
  async run(): Promise<Outcome> {
    const server = await startServer()
    const api = `${server.url}/api/v1`
    const password = 'Sup3rSecretWord'
    const text = 'what nobody else should read 4711'
    const account = { phone: '+15559998877', username: 'discreet', password }
    const registered = await request(`${api}/auth/register`, 'POST', undefined, account)
    const { token, refresh_token } = registered.body
    const refreshed = await request(`${api}/auth/refresh`, 'POST', undefined, { refresh_token })
    await request(`${api}/auth/login`, 'POST', undefined, {
      phone_or_email: account.phone,
      password: `${password}Wrong`,
    })
    await request(`${api}/auth/login`, 'POST', undefined, { phone_or_email: account.phone, password })
    await request(
      `${api}/auth/login`,
      'POST',
      undefined,
      `{"phone_or_email":"${account.phone}","password":"${password}"`,
    )
    await request(`${api}/users/me/password`, 'PATCH', token, { old_password: password, new_password: `${password}2` })
    const group = (await request(`${api}/chats`, 'POST', token, { name: 'Group', type: 'group', member_ids: [] })).body
    await request(`${api}/messages`, 'POST', token, { chat_id: group.id, content: text })
    await request(`${api}/messages`, 'POST', token, {
      chat_id: group.id,
      content: text,
      reply_to_id: Bun.randomUUIDv7(),
    })
    const invite = (await request(`${api}/chats/${group.id}/invites`, 'POST', token, {})).body
    await request(`${api}/invites/${invite.code}`, 'GET', token)
    await request(`${api}/invites/${invite.code}/join`, 'POST', token)
    await request(`${api}/messages/search?q=${encodeURIComponent('nobody else')}`, 'GET', token)
    for (const query of [`?token=${token}`, `?u=1&t=2&s=abcdefSIGNATURE`]) {
      await fetch(`${server.url}/ws${query}`)
      await fetch(`${api}/media/uploads/2026/01/15/x.webp${query}`)
    }
    // A fault of the server itself: the failed query's parameters hold what people wrote.
    await server.database.sql`alter table messages rename to hidden`
    await request(`${api}/messages`, 'POST', token, { chat_id: group.id, content: text })
    await request(`${api}/chats/${group.id}/messages`, 'GET', token)
    await server.database.sql`alter table hidden rename to messages`
    await server.stop()
    const [row] = [registered.body.user_id]
    const secrets = {
      password,
      'the access token': token,
      "the access token's signature": String(token).split('.')[2],
      'the refresh token': refresh_token,
      'the second refresh token': refreshed.body.refresh_token,
      'the server secret': TEST_SECRET,
      'a hash': '$2b$',
      'the code of an invite': invite.code,
      'a signature of a link': 'abcdefSIGNATURE',
      'the text of a message': text,
      'the password of the tests': PASSWORD,
    }
    const log = JSON.stringify(server.logs)
    const faults = Object.entries(secrets).flatMap(([name, secret]) =>
      typeof secret === 'string' && secret.length > 3 && !log.includes(secret)
        ? []
        : [`${name} is in the log, or was never made`],
    )
    // The log was written at all, and of this user.
    if (!row || !log.includes('/api/v1/messages')) faults.push('the log does not tell of these requests')
    return noneOf(faults, Object.keys(secrets).length, 'secrets in the log')
  },
}
